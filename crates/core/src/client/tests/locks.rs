//! Locks: what excludes what, and that nothing of ours is held while the backend runs.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;

use super::rig::{Rig, World, exit, name, new_container, of_web, this};
use crate::client::{Client, Delete};
use crate::error::Result;
use crate::event::StateChange;
use crate::id::{ContainerId, ProcessRef};
use crate::ports::backend::Backend;
use crate::ports::process_io::Streams;
use crate::process::NewProcess;
use crate::signal::Signal;
use crate::stdio::{Stdio, TerminalSize};

/// A backend that calls the client from within its calls.
#[derive(Debug, Default)]
struct Nosy {
    client: OnceLock<Client>,
    world: Arc<World>,
}

impl Nosy {
    async fn ask(&self, process: &ProcessRef) {
        let client = self.client.get().unwrap();
        // While a container is being made the runtime does not know it yet.
        let _ = client.state(&process.container).await;
        let _ = client.signal(&process.container, Signal::USR1).await;
        let _ = client.resize(process, TerminalSize::default()).await;
        client.close_stdin(process).await.unwrap();
        client.list().await.unwrap();
    }
}

#[async_trait]
impl Backend for Nosy {
    async fn attach_streams(&self, process: &ProcessRef, streams: Streams) -> Result<()> {
        self.ask(process).await;
        self.world.attach_streams(process, streams).await
    }

    async fn state_changed(&self, container: &ContainerId, change: &StateChange) -> Result<()> {
        self.ask(&ProcessRef::init(container.clone())).await;
        let client = self.client.get().unwrap();
        match change {
            StateChange::Started { .. } => drop(client.open(container).await.unwrap()),
            StateChange::Exited { exit } => {
                let before = tokio::time::Instant::now();
                assert_eq!(client.wait(&ProcessRef::init(container.clone())).await.unwrap(), *exit);
                assert_eq!(before.elapsed(), Duration::ZERO, "it waits for nobody, least of all for itself");
                client.delete(container, Delete::default()).await.unwrap();
                client.create(container, new_container()).await.unwrap();
            }
            _ => {}
        }
        self.world.state_changed(container, change).await
    }
}

#[tokio::test(start_paused = true)]
async fn the_backend_calls_the_client_from_within_both_of_its_calls() {
    let backend = Arc::new(Nosy::default());
    let rig = Rig::with(Arc::clone(&backend.world), Arc::clone(&backend) as Arc<dyn Backend>);
    backend.client.set(rig.client.clone()).unwrap();
    let life = async {
        rig.run("web").await;
        rig.exec("e1").await.unwrap();
        rig.world.exit("web", "e1", 1);
        rig.world.exit("web", "init", 2);
        rig.world.changes(5).await
    };
    let told = tokio::time::timeout(Duration::from_secs(5), life).await.expect("nothing waits for anything");
    assert_eq!(told.last(), Some(&StateChange::Deleted));
    rig.client.start(&name("web")).await.unwrap();
}

/// Lets a create, start or exec of `web` hang, in the background.
async fn hanging(call: &'static str) -> Rig {
    let rig = Rig::new();
    let id = name("web");
    if call != "create" {
        rig.client.create(&id, new_container()).await.unwrap();
    }
    if call == "exec" {
        rig.client.start(&id).await.unwrap();
    }
    rig.world.hang(call);
    let client = rig.client.clone();
    tokio::spawn(async move {
        match call {
            "create" => client.create(&id, new_container()).await.map(drop),
            "start" => client.start(&id).await.map(drop),
            _ => exec(&client).await,
        }
    });
    rig.world.called(call).await;
    rig
}

async fn exec(client: &Client) -> Result<()> {
    let new = NewProcess::new(["true"], Stdio::default());
    client.add_process(&name("web"), &this("e1"), new).await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn signals_resizes_and_closes_get_through_while_a_create_start_or_exec_hangs() {
    for call in ["create", "start", "exec"] {
        let rig = hanging(call).await;
        let through = async {
            rig.client.signal(&name("web"), Signal::KILL).await.unwrap();
            rig.client.signal_all(&name("web"), Signal::TERM).await.unwrap();
            rig.client.signal_process(&of_web("e1"), Signal::TERM).await.unwrap();
            rig.client.resize(&of_web("init"), TerminalSize::default()).await.unwrap();
            rig.client.close_stdin(&of_web("init")).await.unwrap();
        };
        tokio::time::timeout(Duration::from_secs(1), through).await.unwrap_or_else(|_| panic!("behind a {call}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_waits_for_the_execs_that_are_under_way() {
    let rig = Rig::running().await;
    let gate = rig.world.hang("exec");
    let client = rig.client.clone();
    let exec = tokio::spawn(async move { exec(&client).await });
    rig.world.called("exec").await;
    let delete = tokio::spawn({
        let client = rig.client.clone();
        async move { client.delete(&name("web"), Delete::killing()).await }
    });
    rig.world.settle().await;
    assert_eq!(rig.world.calls("signal"), [""; 0], "the exec comes first");
    gate.add_permits(1);
    exec.await.unwrap().unwrap();
    delete.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_operation_dropped_before_its_turn_does_nothing() {
    let rig = Rig::running().await;
    let gate = rig.world.hang("exec");
    let client = rig.client.clone();
    let exec = tokio::spawn(async move { exec(&client).await });
    rig.world.called("exec").await;
    let id = name("web");
    let delete = rig.client.delete(&id, Delete::killing());
    assert!(tokio::time::timeout(Duration::from_secs(1), delete).await.is_err());
    gate.add_permits(1);
    exec.await.unwrap().unwrap();
    rig.world.settle().await;
    assert_eq!(rig.world.calls("delete"), [""; 0]);
    rig.world.exit("web", "e1", 0);
    assert_eq!(rig.client.wait(&of_web("e1")).await.unwrap(), exit(0));
}

#[tokio::test(start_paused = true)]
async fn a_close_of_stdin_waits_for_the_start_and_is_sent_at_once_to_who_runs() {
    let rig = Rig::new();
    rig.client.create(&name("web"), new_container()).await.unwrap();
    rig.client.close_stdin(&of_web("init")).await.unwrap();
    rig.world.settle().await;
    assert_eq!(rig.world.calls("close_stdin"), [""; 0]);
    rig.client.start(&name("web")).await.unwrap();
    rig.client.close_stdin(&of_web("init")).await.unwrap();
    rig.world.called("close_stdin web/init").await;
    exec(&rig.client).await.unwrap();
    rig.client.close_stdin(&of_web("e1")).await.unwrap();
    rig.client.close_stdin(&of_web("e1")).await.unwrap();
    rig.world.exit("web", "e1", 0);
    rig.client.wait(&of_web("e1")).await.unwrap();
    rig.client.close_stdin(&of_web("e1")).await.unwrap();
    assert_eq!(rig.world.calls("close_stdin"), ["close_stdin web/init", "close_stdin web/e1"]);

    rig.world.foreign("other", crate::status::ProcessState::Running);
    rig.client.close_stdin(&ProcessRef::init(name("other"))).await.unwrap();
    assert_eq!(rig.world.calls("close_stdin other"), ["close_stdin other/init"]);
    rig.client.close_stdin(&ProcessRef::init(name("nowhere"))).await.unwrap();
}
