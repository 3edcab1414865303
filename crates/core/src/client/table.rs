//! The containers that a client follows, and their locks.
//!
//! A name has a lock and a queue that outlast its instances, so that operations on it exclude each other and the
//! backend hears of one instance after the other. What is known of the present instance is a [`Container`].
//!
//! Decided: each map and each container has a plain mutex that is never held over an await; the lock of a name is the
//! only one that is.
//!
//! Keeps: "locks"; `tests/locks.rs`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::{RwLock, oneshot, watch};

use super::closer::Closer;
use super::lock;
use super::notify::{Known, Waiters};
use super::order::Order;
use super::queue::Queue;
use crate::event::StateChange;
use crate::id::{ContainerId, Instance, ProcessId, ProcessRef};
use crate::ports::backend::Backend;
use crate::ports::process_io::{IoRequest, ProcessIo};
use crate::ports::runtime::Runtime;
use crate::status::Exit;

/// The lock of a name: exclusive to make, start or delete its container, shared to start further processes in it.
pub(super) type Gate = Arc<RwLock<()>>;

/// All names that a client has to do with.
#[derive(Debug)]
pub(super) struct Table {
    runtime: Arc<dyn Runtime>,
    backend: Arc<dyn Backend>,
    io: Arc<dyn ProcessIo>,
    names: Mutex<HashMap<ContainerId, Name>>,
}

#[derive(Debug)]
struct Name {
    gate: Gate,
    queue: Arc<Queue>,
    container: Option<Arc<Container>>,
}

impl Name {
    /// Follows an instance; the story of the one before is over.
    fn follow(
        &mut self,
        id: &ContainerId,
        instance: Instance,
        order: Order,
        runtime: &Arc<dyn Runtime>,
    ) -> Arc<Container> {
        if let Some(before) = &self.container {
            before.update(Order::gone);
        }
        let container = Arc::new(Container::new(id, instance, order, Arc::clone(&self.queue), runtime));
        self.container = Some(Arc::clone(&container));
        container
    }

    /// Whether nobody has to do with it any more.
    fn is_idle(&self) -> bool {
        self.container.is_none() && Arc::strong_count(&self.gate) == 1 && Arc::strong_count(&self.queue) == 1
    }
}

impl Table {
    /// An empty table over these ports.
    pub(super) fn new(runtime: Arc<dyn Runtime>, backend: Arc<dyn Backend>, io: Arc<dyn ProcessIo>) -> Self {
        Table { runtime, backend, io, names: Mutex::default() }
    }

    /// The lock of a name.
    pub(super) fn gate(&self, id: &ContainerId) -> Gate {
        Arc::clone(&self.name(&mut lock(&self.names), id).gate)
    }

    /// The container that is followed under a name.
    pub(super) fn find(&self, id: &ContainerId) -> Option<Arc<Container>> {
        lock(&self.names).get(id).and_then(|name| name.container.clone())
    }

    /// All containers that are followed.
    pub(super) fn all(&self) -> Vec<Arc<Container>> {
        lock(&self.names).values().filter_map(|name| name.container.clone()).collect()
    }

    /// Follows an instance under a name, instead of `known`; whatever else has come there meanwhile is returned
    /// instead. The story of `known` ends: it is gone.
    pub(super) fn follow(
        &self,
        id: &ContainerId,
        known: Option<&Arc<Container>>,
        instance: Instance,
        order: Order,
    ) -> Arc<Container> {
        let mut names = lock(&self.names);
        let name = self.name(&mut names, id);
        match &name.container {
            Some(present) if !known.is_some_and(|known| Arc::ptr_eq(known, present)) => Arc::clone(present),
            _ => name.follow(id, instance, order, &self.runtime),
        }
    }

    /// Follows an instance under a name that is ours, whatever was there.
    pub(super) fn replace(&self, id: &ContainerId, instance: Instance, order: Order) -> Arc<Container> {
        self.name(&mut lock(&self.names), id).follow(id, instance, order, &self.runtime)
    }

    /// Follows a container no longer.
    pub(super) fn forget(&self, container: &Arc<Container>) {
        let mut names = lock(&self.names);
        if let Some(name) = names.get_mut(&container.id)
            && name.container.as_ref().is_some_and(|present| Arc::ptr_eq(present, container))
        {
            name.container = None;
        }
    }

    fn name<'a>(&self, names: &'a mut HashMap<ContainerId, Name>, id: &ContainerId) -> &'a mut Name {
        if !names.contains_key(id) {
            names.retain(|_, name| !name.is_idle());
        }
        names.entry(id.clone()).or_insert_with(|| Name {
            gate: Gate::default(),
            queue: Arc::new(Queue::new(id.clone(), Arc::clone(&self.backend), Arc::clone(&self.io))),
            container: None,
        })
    }
}

/// One instance that is followed.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) id: ContainerId,
    pub(super) instance: Instance,
    pub(super) queue: Arc<Queue>,
    runtime: Arc<dyn Runtime>,
    bundle: OnceLock<PathBuf>,
    known: Mutex<Story>,
    /// Whether its end was told.
    over: watch::Sender<bool>,
}

/// What is known of it, and what hangs on that.
#[derive(Debug)]
struct Story {
    order: Order,
    waiters: Waiters,
    closers: HashMap<ProcessId, Arc<Closer>>,
    /// The streams that this client made.
    streams: HashMap<ProcessId, IoRequest>,
}

/// What a step of the order brought about beside what was told.
#[derive(Debug)]
pub(super) struct Outcome<T> {
    /// What the step returned.
    pub(super) value: T,
    /// Whether from now on something is held back until other exits are heard.
    pub(super) waits: bool,
    /// Whether the end of the container was told.
    pub(super) over: bool,
}

/// What a waiter finds.
#[derive(Debug)]
pub(super) enum Watch {
    /// It has ended.
    Known(Known),
    /// It will end.
    Coming(oneshot::Receiver<Known>),
    /// Nothing is known of it.
    Absent,
}

impl Container {
    fn new(id: &ContainerId, instance: Instance, order: Order, queue: Arc<Queue>, runtime: &Arc<dyn Runtime>) -> Self {
        let story = Story { order, waiters: Waiters::default(), closers: HashMap::new(), streams: HashMap::new() };
        Container {
            id: id.clone(),
            instance,
            queue,
            runtime: Arc::clone(runtime),
            bundle: OnceLock::new(),
            known: Mutex::new(story),
            over: watch::Sender::new(false),
        }
    }

    /// Its bundle's directory; none before that was made.
    pub(super) fn bundle(&self) -> Option<&PathBuf> {
        self.bundle.get()
    }

    /// Notes its bundle's directory.
    pub(super) fn set_bundle(&self, directory: &Path) {
        // A second time is the same one.
        let _ = self.bundle.set(directory.to_path_buf());
    }

    /// One of its processes.
    pub(super) fn process(&self, process: &ProcessId) -> ProcessRef {
        ProcessRef::new(self.id.clone(), process.clone())
    }

    /// Takes a step in its story, and queues, answers and closes what follows from it.
    pub(super) fn update<T>(&self, step: impl FnOnce(&mut Order) -> T) -> Outcome<T> {
        let mut story = lock(&self.known);
        let waited = story.order.is_waiting();
        let value = step(&mut story.order);
        for change in story.order.take() {
            self.tell(&mut story, change);
        }
        let over = story.order.is_deleted();
        if over {
            story.waiters.drop_all();
            self.over.send_replace(true);
        }
        Outcome { value, waits: story.order.is_waiting() && !waited, over }
    }

    /// Whether the end of that process is still to come.
    pub(super) fn is_live(&self, process: &ProcessId) -> bool {
        lock(&self.known).order.is_live(process)
    }

    /// Whether its first process has ended and exits of others are awaited.
    pub(super) fn is_ending(&self) -> bool {
        lock(&self.known).order.is_ending()
    }

    /// Waits until its end was told, or its create has failed.
    pub(super) async fn over(&self) {
        // The sender is ours: it lives as long as we wait.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    /// The exit of one of its processes, once that was decided.
    pub(super) fn exit(&self, process: &ProcessId) -> Option<Exit> {
        lock(&self.known).order.exit(process).cloned()
    }

    /// Waits for the end of one of its processes.
    pub(super) fn watch(&self, process: &ProcessId) -> Watch {
        let mut story = lock(&self.known);
        if story.order.is_live(process) {
            return Watch::Coming(story.waiters.add(process));
        }
        match story.order.exit(process) {
            Some(exit) => Watch::Known(Known { exit: exit.clone(), ticket: self.queue.latest() }),
            None => Watch::Absent,
        }
    }

    /// The one closer of a process's stdin.
    pub(super) fn closer(&self, process: &ProcessId) -> Arc<Closer> {
        let mut story = lock(&self.known);
        if let Some(closer) = story.closers.get(process) {
            return Arc::clone(closer);
        }
        let closer = Arc::new(Closer::new(self.process(process), Arc::clone(&self.runtime)));
        match (story.order.is_running(process), story.order.is_live(process)) {
            (true, _) => closer.started(),
            (false, true) => {}
            (false, false) => closer.ended(),
        }
        if story.order.is_live(process) {
            story.closers.insert(process.clone(), Arc::clone(&closer));
        }
        closer
    }

    /// Notes streams that this client made, to be removed when their process has ended.
    pub(super) fn keep_streams(&self, process: &ProcessId, streams: IoRequest) {
        lock(&self.known).streams.insert(process.clone(), streams);
    }

    /// The streams of a process, if this client made them.
    pub(super) fn streams(&self, process: &ProcessId) -> Option<IoRequest> {
        lock(&self.known).streams.get(process).cloned()
    }

    /// A process whose start, begun at `stamp`, failed: drops its waiters, closer and streams. Does nothing when an
    /// event has said that it runs.
    pub(super) fn fail(&self, process: &ProcessId, stamp: u64) -> Outcome<()> {
        let outcome = self.update(|order| order.failed(process, stamp));
        let mut story = lock(&self.known);
        if !story.order.is_live(process) {
            story.waiters.drop_of(process);
            story.streams.remove(process);
            if let Some(closer) = story.closers.remove(process) {
                closer.ended();
            }
        }
        outcome
    }

    /// A container that was not made after all: nobody waits for it any more.
    pub(super) fn abandon(&self) {
        let mut story = lock(&self.known);
        story.waiters.drop_all();
        story.streams.clear();
        story.closers.drain().for_each(|(_, closer)| closer.ended());
        self.over.send_replace(true);
    }

    fn tell(&self, story: &mut Story, change: StateChange) {
        let (process, exit) = match &change {
            StateChange::Started { .. } => return self.tell_start(story, &ProcessId::init(), change.clone()),
            StateChange::ProcessStarted { process, .. } => return self.tell_start(story, process, change.clone()),
            StateChange::ProcessExited { process, exit } => (process.clone(), exit.clone()),
            StateChange::Exited { exit } => (ProcessId::init(), exit.clone()),
            _ => {
                self.queue.push(change);
                return;
            }
        };
        if let Some(closer) = story.closers.remove(&process) {
            closer.ended();
        }
        if !process.is_init()
            && let Some(streams) = story.streams.remove(&process)
        {
            self.queue.leave(process.clone(), streams);
        }
        let ticket = self.queue.push(change);
        story.waiters.answer(&process, &Known { exit, ticket });
    }

    fn tell_start(&self, story: &mut Story, process: &ProcessId, change: StateChange) {
        self.queue.push(change);
        if let Some(closer) = story.closers.get(process) {
            closer.started();
        }
    }
}
