//! A stage with one client on it, and containers that are named, driven and looked at in one line.
//!
//! [`play`] gives a case its scene, a time limit, and the last check: nothing of a container is left when all of
//! them are deleted.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::Stage;
use crate::client::{Client, Delete};
use crate::error::Result;
use crate::event::StateChange;
use crate::id::{ContainerId, ProcessId, ProcessRef};
use crate::ports::process_io::{InputStream, OutputStream, Streams};
use crate::process::NewProcess;
use crate::signal::Signal;
use crate::status::{Exit, ExitStatus};
use crate::stdio::Stdio;
use crate::testing::RecordingBackend;

/// No case takes longer; in virtual time a case that hangs is here at once.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs a case to its end, deletes what it has left running, and checks that nothing else is left.
pub(super) async fn play<F: Future<Output = ()>>(stage: Arc<dyn Stage>, case: fn(Scene) -> F) {
    let limit = LIMIT * stage.patience();
    let scene = Scene::new(stage);
    timeout(limit, case(scene.clone())).await.expect("the case hangs");
    scene.clear().await;
    timeout(limit, scene.is_empty()).await.expect("looking for what is left hangs");
}

/// A stage with a client on it.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) stage: Arc<dyn Stage>,
    pub(super) client: Client,
    pub(super) backend: Arc<RecordingBackend>,
}

impl Scene {
    fn new(stage: Arc<dyn Stage>) -> Self {
        let backend = RecordingBackend::new();
        Scene { client: stage.client(backend.clone()), backend, stage }
    }

    /// The same machine, seen by a further program.
    pub(super) fn another(&self) -> Scene {
        Scene::new(self.stage.clone())
    }

    /// A container that runs the probe with these arguments.
    pub(super) async fn running(&self, name: &str, args: &[&str], stdio: Stdio) -> Live {
        let live = self.created(name, args, stdio).await;
        self.client.start(&live.id).await.expect("the container can be started");
        live
    }

    /// The same, not started.
    pub(super) async fn created(&self, name: &str, args: &[&str], stdio: Stdio) -> Live {
        self.try_create(name, args, stdio).await.expect("the container can be created")
    }

    /// The same, where the creation may fail.
    pub(super) async fn try_create(&self, name: &str, args: &[&str], stdio: Stdio) -> Result<Live> {
        let id = id(name);
        let container = self.stage.container(self.stage.probe(args), stdio);
        self.client.create(&id, container).await?;
        Ok(self.live(ProcessRef::init(id)))
    }

    /// Further process in a container of this scene.
    pub(super) async fn exec(&self, container: &Live, name: &str, args: &[&str], stdio: Stdio) -> Live {
        self.try_exec(container, name, args, stdio).await.expect("the process can be started")
    }

    /// The same, where the start may fail.
    pub(super) async fn try_exec(&self, container: &Live, name: &str, args: &[&str], stdio: Stdio) -> Result<Live> {
        self.try_exec_of(container, name, NewProcess::new(self.stage.probe(args), stdio)).await
    }

    /// The same, for any process.
    pub(super) async fn try_exec_of(&self, container: &Live, name: &str, new: NewProcess) -> Result<Live> {
        let process = ProcessRef::new(container.id.clone(), process_id(name));
        self.client.add_process(&container.id, &process.process, new).await?;
        Ok(self.live(process))
    }

    /// The process with the streams that the backend was given for it.
    fn live(&self, process: ProcessRef) -> Live {
        let streams = self.backend.take_streams(&process).unwrap_or_default();
        Live { client: self.client.clone(), id: process.container.clone(), process, streams }
    }

    /// The same, with streams opened again.
    pub(super) async fn attached(&self, process: &ProcessRef) -> Live {
        let streams = self.client.attach(process).await.expect("the streams can be opened");
        Live { client: self.client.clone(), id: process.container.clone(), process: process.clone(), streams }
    }

    /// What this scene's backend was told of a container up to its exit.
    pub(super) async fn changes_to_exit(&self, id: &ContainerId) -> Vec<StateChange> {
        self.backend.until(id, |change| matches!(change, StateChange::Exited { .. })).await;
        self.backend.changes(id)
    }

    async fn clear(&self) {
        for container in self.client.list().await.expect("containers can be listed") {
            // Another one of the case may still be deleting it.
            let _ = self.client.delete(&container.id, Delete::killing()).await;
        }
    }

    /// Checks that nothing is left.
    pub(super) async fn is_empty(&self) {
        assert_eq!(self.stage.left_over().await, Vec::<String>::new(), "something is left");
    }
}

/// A process with the program's ends of its streams.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) client: Client,
    pub(super) id: ContainerId,
    pub(super) process: ProcessRef,
    pub(super) streams: Streams,
}

impl Live {
    pub(super) fn stdin(&mut self) -> &mut dyn InputStream {
        self.streams.stdin.as_deref_mut().expect("stdin is a stream")
    }

    /// Lets go of its stdin and closes it: a stream that somebody could still write into has no end.
    pub(super) async fn close_stdin(&mut self) {
        self.streams.stdin = None;
        self.client.close_stdin(&self.process).await.expect("stdin can be closed");
    }

    pub(super) fn stdout(&mut self) -> &mut dyn OutputStream {
        self.streams.stdout.as_deref_mut().expect("stdout is a stream")
    }

    pub(super) fn stderr(&mut self) -> &mut dyn OutputStream {
        self.streams.stderr.as_deref_mut().expect("stderr is a stream")
    }

    /// Its end.
    pub(super) async fn exit(&self) -> Exit {
        self.client.wait(&self.process).await.expect("the process can be waited for")
    }

    /// How it ends.
    pub(super) async fn status(&self) -> ExitStatus {
        self.exit().await.status
    }

    pub(super) async fn signal(&self, signal: Signal) {
        self.client.signal_process(&self.process, signal).await.expect("the process can be signalled");
    }

    /// Its pid on the host.
    pub(super) async fn pid(&self) -> u32 {
        let state = self.client.state(&self.id).await.expect("the container has a state");
        state.process(&self.process.process).and_then(|process| process.pid).expect("a living process has a pid")
    }

    /// Removes its container.
    pub(super) async fn delete(&self) {
        self.client.delete(&self.id, Delete::default()).await.expect("the container can be deleted");
    }
}

/// A container's name.
pub(super) fn id(name: &str) -> ContainerId {
    name.parse().expect("the case uses a good name")
}

/// A process's name.
pub(super) fn process_id(name: &str) -> ProcessId {
    name.parse().expect("the case uses a good name")
}

/// The code that a process ended itself with.
pub(super) fn code(code: u8) -> ExitStatus {
    ExitStatus::Code(code)
}

/// The signal that ended a process.
pub(super) fn killed_by(signal: Signal) -> ExitStatus {
    ExitStatus::Signal(signal)
}
