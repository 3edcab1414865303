//! A client over ports that do as a test tells them.
//!
//! All four ports are one [`World`]: it logs every call, and a test makes a call fail, hang, or do something before
//! its answer. Containers have states and tell events, but run nothing: the test says what exits.
//!
//! Does not know: streams; the ends that it opens are empty.

mod ports;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use oci_spec::runtime::Spec;
use tokio::sync::{Semaphore, mpsc, watch};

use crate::client::{Client, NewContainer};
use crate::cursor::Cursor;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, EventKind, StateChange};
use crate::id::{ContainerId, Instance, ProcessId, ProcessRef, Run};
use crate::ports::backend::Backend;
use crate::ports::runtime::Capabilities;
use crate::process::NewProcess;
use crate::rootfs::Rootfs;
use crate::signal::Signal;
use crate::status::{ContainerState, ContainerStatus, Exit, ExitStatus, How, Past, ProcessState, ProcessStatus};
use crate::stdio::Stdio;

type Hook = Arc<dyn Fn(&World) + Send + Sync>;
type Heard = Result<Option<(Event, Cursor)>>;

/// A client and the world below it.
pub(super) struct Rig {
    pub(super) client: Client,
    pub(super) world: Arc<World>,
}

impl Rig {
    /// A client whose backend is the world too.
    pub(super) fn new() -> Self {
        let world = Arc::new(World::default());
        let backend = Arc::clone(&world);
        Rig::with(world, backend)
    }

    /// A client of `world` with another backend.
    pub(super) fn with(world: Arc<World>, backend: Arc<dyn Backend>) -> Self {
        let client = Client::builder(world.clone(), world.clone(), world.clone()).backend(backend).build();
        Rig { client, world }
    }

    /// The same, with the container `web` created and started.
    pub(super) async fn running() -> Self {
        let rig = Rig::new();
        rig.run("web").await;
        rig
    }

    /// Creates and starts a container.
    pub(super) async fn run(&self, id: &str) {
        self.client.create(&name(id), new_container()).await.unwrap();
        self.client.start(&name(id)).await.unwrap();
    }

    /// Starts a further process in `web`.
    pub(super) async fn exec(&self, process: &str) -> Result<crate::ports::runtime::Started> {
        self.client.add_process(&name("web"), &this(process), NewProcess::new(["true"], Stdio::output())).await
    }
}

/// What is below the client.
#[derive(Default)]
pub(super) struct World {
    pub(super) calls: Mutex<Vec<String>>,
    pub(super) told: watch::Sender<Vec<StateChange>>,
    fails: Mutex<HashMap<String, ErrorKind>>,
    hooks: Mutex<HashMap<String, Hook>>,
    holds: Mutex<HashMap<String, Arc<Semaphore>>>,
    pub(super) containers: Mutex<HashMap<ContainerId, ContainerStatus>>,
    /// What the runtime can do.
    pub(super) able: Mutex<Capabilities>,
    /// Removed containers, newest first.
    pub(super) past: Mutex<Vec<Past>>,
    source: Mutex<Option<mpsc::UnboundedSender<Heard>>>,
    sequence: Mutex<u64>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

impl World {
    /// Lets every later `call` fail.
    pub(super) fn fail(&self, call: &str, kind: ErrorKind) {
        self.fails.lock().unwrap().insert(call.into(), kind);
    }

    /// Lets it succeed again.
    pub(super) fn heal(&self, call: &str) {
        self.fails.lock().unwrap().remove(call);
    }

    /// Does something at every later `call`, before its answer.
    pub(super) fn at(&self, call: &str, hook: impl Fn(&World) + Send + Sync + 'static) {
        self.hooks.lock().unwrap().insert(call.into(), Arc::new(hook));
    }

    /// Lets every later `call` hang until the returned semaphore is given permits.
    pub(super) fn hang(&self, call: &str) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        self.holds.lock().unwrap().insert(call.into(), Arc::clone(&gate));
        gate
    }

    /// The calls so far, of which the text starts so.
    pub(super) fn calls(&self, start: &str) -> Vec<String> {
        self.calls.lock().unwrap().iter().filter(|call| call.starts_with(start)).cloned().collect()
    }

    /// Waits until a call was made.
    pub(super) async fn called(&self, call: &str) {
        while self.calls(call).is_empty() {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the backend was told `count` changes, and returns them.
    pub(super) async fn changes(&self, count: usize) -> Vec<StateChange> {
        let mut told = self.told.subscribe();
        let all = tokio::time::timeout(Duration::from_secs(60), told.wait_for(|told| told.len() >= count)).await;
        all.unwrap_or_else(|_| panic!("only {:?}", self.told.borrow())).unwrap().clone()
    }

    /// Lets all that can happen now happen.
    pub(super) async fn settle(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    /// Ends a process of a container, in its state and as an event.
    pub(super) fn exit(&self, id: &str, process: &str, code: u8) {
        let exit = exit(code);
        self.set(id, process, ProcessState::Exited(exit.clone()));
        self.emit(id, EventKind::Exited { process: this(process), exit });
    }

    /// Kills whoever lives in a container.
    fn kill_all(&self, id: &ContainerId) {
        let found = self.containers.lock().unwrap().get(id).cloned();
        let processes = found.map(|status| status.processes).unwrap_or_default();
        for process in processes.into_iter().rev().filter(|process| process.exit().is_none()) {
            self.set(id.as_str(), process.id.as_str(), ProcessState::Exited(killed()));
            self.emit(id.as_str(), EventKind::Exited { process: process.id, exit: killed() });
        }
    }

    /// Sets the state of a process, silently.
    pub(super) fn set(&self, id: &str, process: &str, state: ProcessState) {
        let mut containers = self.containers.lock().unwrap();
        let Some(status) = containers.get_mut(&name(id)) else { return };
        if process == "init" {
            status.state = match &state {
                ProcessState::Created => ContainerState::Created,
                ProcessState::Running => ContainerState::Running,
                ProcessState::Exited(_) => ContainerState::Stopped,
            };
        }
        match status.processes.iter_mut().find(|found| found.id == this(process)) {
            Some(found) => found.state = state,
            None => {
                let mut found = ProcessStatus::new(this(process), vec!["true".into()]);
                found.state = state;
                found.pid = Some(200);
                status.processes.push(found);
            }
        }
    }

    /// Makes a container that the client does not know, silently.
    pub(super) fn foreign(&self, id: &str, state: ProcessState) {
        let mut status = ContainerStatus::new(name(id), Instance::from_bits(77), bundle(id), SystemTime::UNIX_EPOCH);
        status.run = Run::FIRST;
        self.containers.lock().unwrap().insert(name(id), status);
        self.set(id, "init", state);
    }

    /// Takes a container away silently, but for the ledger: with the exits of those that had one.
    pub(super) fn vanish(&self, id: &str) {
        let Some(gone) = self.containers.lock().unwrap().remove(&name(id)) else { return };
        let mut past = Past::new(gone.id, gone.instance, gone.created_at, gone.created_at);
        let ended = |process: ProcessStatus| process.exit().cloned().map(|exit| (process.id, exit));
        past.exits = gone.processes.into_iter().filter_map(ended).collect();
        self.past.lock().unwrap().insert(0, past);
    }

    /// Tells an event of the container that has that name now.
    pub(super) fn emit(&self, id: &str, kind: EventKind) -> Option<Event> {
        let (instance, run) = {
            let containers = self.containers.lock().unwrap();
            let status = containers.get(&name(id))?;
            (status.instance, status.run)
        };
        let event = Event::new(name(id), instance, run, self.next(), SystemTime::UNIX_EPOCH, kind);
        self.send(event.clone());
        Some(event)
    }

    /// Tells that event.
    pub(super) fn send(&self, event: Event) {
        let cursor = Cursor::new(event.sequence.to_string());
        self.hear(Ok(Some((event, cursor))));
    }

    /// Ends the subscription so.
    pub(super) fn cut(&self, end: Heard) {
        self.hear(end);
        self.source.lock().unwrap().take();
    }

    /// The next sequence number.
    pub(super) fn next(&self) -> u64 {
        let mut sequence = self.sequence.lock().unwrap();
        *sequence += 1;
        *sequence
    }

    fn hear(&self, heard: Heard) {
        if let Some(source) = &*self.source.lock().unwrap() {
            let _ = source.send(heard);
        }
    }

    /// One call of a port: logged, hooked, held and failed, in that order.
    async fn pass(&self, call: &str, subject: String) -> Result<()> {
        self.calls.lock().unwrap().push(format!("{call} {subject}"));
        let hook = self.hooks.lock().unwrap().get(call).cloned();
        if let Some(hook) = hook {
            hook(self);
        }
        let hold = self.holds.lock().unwrap().get(call).cloned();
        if let Some(hold) = hold {
            hold.acquire().await.unwrap().forget();
        }
        match self.fails.lock().unwrap().get(call) {
            Some(kind) => Err(Error::new(*kind, format!("{call} was told to fail"))),
            None => Ok(()),
        }
    }
}

/// A container's name.
pub(super) fn name(id: &str) -> ContainerId {
    id.parse().unwrap()
}

/// A process's name.
pub(super) fn this(process: &str) -> ProcessId {
    process.parse().unwrap()
}

/// A process of `web`.
pub(super) fn of_web(process: &str) -> ProcessRef {
    ProcessRef::new(name("web"), this(process))
}

/// A container that can be created.
pub(super) fn new_container() -> NewContainer {
    NewContainer::new(Spec::default(), Rootfs::Overlay("/".into()), Stdio::piped())
}

/// An exit with that code.
pub(super) fn exit(code: u8) -> Exit {
    Exit::new(ExitStatus::Code(code), How::Waited, SystemTime::UNIX_EPOCH + Duration::from_secs(code.into()))
}

/// What is told of an exit with that code.
pub(super) fn exited(code: u8) -> StateChange {
    StateChange::Exited { exit: exit(code) }
}

/// What is told of an exec's exit with that code.
pub(super) fn exec_exited(process: &str, code: u8) -> StateChange {
    StateChange::ProcessExited { process: this(process), exit: exit(code) }
}

/// What is told of init's start.
pub(super) fn started() -> StateChange {
    StateChange::Started { pid: 100 }
}

/// What is told of an exec's start.
pub(super) fn exec_started(process: &str) -> StateChange {
    StateChange::ProcessStarted { process: this(process), pid: 200 }
}

/// The exit of who was killed.
pub(super) fn killed() -> Exit {
    Exit::new(ExitStatus::Signal(Signal::KILL), How::Waited, SystemTime::UNIX_EPOCH)
}

fn bundle(id: &str) -> std::path::PathBuf {
    format!("/bundles/{id}").into()
}
