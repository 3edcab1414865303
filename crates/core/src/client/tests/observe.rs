//! Looking: what is passed on, and whose streams are opened how.

use std::sync::Arc;

use super::rig::{Rig, World, name, of_web};
use crate::client::Client;
use crate::error::ErrorKind;
use crate::mock::MockProcessIo;
use crate::ports::process_io::Streams;
use crate::status::ProcessState;
use crate::stdio::{Stdio, TerminalSize};

/// Attaches to init of a container of another client, and hands the request for its streams to `check`.
async fn attach(world: Arc<World>, owner: u32, stdio: Stdio) {
    let mut io = MockProcessIo::new();
    let asked = move |request: &crate::ports::process_io::IoRequest| {
        request.directory.ends_with("web") && request.owner == Some(owner) && request.stdio == stdio
    };
    io.expect_open().times(1).withf(move |request, _| asked(request)).returning(|_, _| Ok(Streams::default()));
    let client = Client::builder(world.clone(), Arc::new(io), world).build();
    client.attach(&of_web("init")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn attach_opens_the_streams_where_the_runtime_says_they_are() {
    let world = Arc::new(World::default());
    world.foreign("web", ProcessState::Running);
    let change = |owner, terminal, stdio| {
        let mut containers = world.containers.lock().unwrap();
        let init = &mut containers.get_mut(&name("web")).unwrap().processes[0];
        (init.stream_owner, init.terminal, init.stdio) = (owner, terminal, stdio);
    };
    change(1000, false, Some(Stdio::output()));
    attach(Arc::clone(&world), 1000, Stdio::output()).await;
    change(0, false, None);
    attach(Arc::clone(&world), 0, Stdio::piped()).await;
    change(5, true, None);
    attach(Arc::clone(&world), 5, Stdio::terminal(TerminalSize::default())).await;
}

#[tokio::test(start_paused = true)]
async fn looking_is_passed_on_and_its_errors_say_what_was_asked() {
    let rig = Rig::running().await;
    let id = name("web");
    assert_eq!(rig.client.state(&id).await.unwrap().id, id);
    assert_eq!(rig.client.list().await.unwrap().len(), 1);
    assert_eq!(rig.client.pids(&id).await.unwrap(), [100]);
    assert_eq!(rig.client.summary(&id).await.unwrap(), []);
    assert_eq!(rig.client.version().await.unwrap().name, "world");
    let error = rig.client.state(&name("nowhere")).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::NotFound, "state"));
    assert_eq!(error.container(), Some(&name("nowhere")));
}

#[tokio::test(start_paused = true)]
async fn state_and_list_take_no_subscription_and_no_stream() {
    let rig = Rig::new();
    rig.world.foreign("web", ProcessState::Running);
    rig.client.state(&name("web")).await.unwrap();
    rig.client.list().await.unwrap();
    rig.client.pids(&name("web")).await.unwrap();
    assert_eq!(rig.world.calls(""), ["state web", "list all"]);
    rig.client.open(&name("web")).await.unwrap();
    assert_eq!(rig.world.calls("open"), [""; 0]);
    assert_eq!(rig.world.calls("claim"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_takes_its_position_before_it_looks() {
    let rig = Rig::running().await;
    let snapshot = rig.client.snapshot().await.unwrap();
    assert_eq!((snapshot.containers.len(), snapshot.cursor.as_str()), (1, "here"));
    let calls = rig.world.calls("");
    let at = |call: &str| calls.iter().rposition(|made| made.starts_with(call)).unwrap();
    assert!(at("cursor") < at("list"), "{calls:?}");
    rig.client.watch(snapshot.cursor).await.unwrap();
    let asked = rig.world.calls("events");
    assert!(asked.last().unwrap().contains("here"), "{asked:?}");
}
