//! How virtual processes end: by themselves, by a signal, with their container; and what happens to their streams.
//!
//! When init ends everything else in the container is killed first, so that an exec's exit comes before its
//! container's. Streams end at once unless a child holds them: then the drain decides.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::container::{Child, Container};
use super::machine::{Machine, Shared};
use super::process::Task;
use crate::error::{Error, ErrorKind, Result};
use crate::event::EventKind;
use crate::id::ContainerId;
use crate::ports::runtime::{Removal, SignalRequest, SignalScope};
use crate::process::LeftOvers;
use crate::signal::Signal;
use crate::status::{ContainerState, Counters, Exit, ExitStatus, How, ProcessState};
use crate::stdio::Drain;
use crate::testing::program::{Behaviour, Ending, Identity, Streams, Surroundings, Verb};

const QUIET: Duration = Duration::from_millis(100);
const LONGEST_DRAIN: Duration = Duration::from_secs(10);

/// CHLD, CONT, URG and WINCH: nothing happens to a process without a handler for them.
const HARMLESS: [u8; 4] = [17, 18, 23, 28];

impl Shared {
    /// A behaviour has come to its end.
    pub(super) fn ended(self: &Arc<Self>, id: &ContainerId, pid: u32, ending: Ending) {
        let mut machine = self.machine();
        self.finish(&mut machine, id, pid, ending);
    }

    /// Kills whatever has that pid; `false` when nothing has.
    pub(super) fn kill_outside(self: &Arc<Self>, pid: u32) -> bool {
        let mut machine = self.machine();
        let owner = machine.containers.values().find(|container| container.pids().contains(&pid));
        let Some(id) = owner.map(|container| container.id.clone()) else { return false };
        self.kill(&mut machine, &id, pid);
        true
    }

    /// A process has run for as long as it may.
    pub(super) fn time_is_up(self: &Arc<Self>, id: &ContainerId, pid: u32) {
        let mut machine = self.machine();
        let found = machine.containers.get_mut(id).and_then(|container| container.living(pid));
        let Some(process) = found else { return };
        process.timed_out = true;
        process.left_overs = LeftOvers::Kill;
        self.kill(&mut machine, id, pid);
    }

    pub(super) fn kill(self: &Arc<Self>, machine: &mut Machine, id: &ContainerId, pid: u32) {
        self.finish(machine, id, pid, Ending::with(ExitStatus::Signal(Signal::KILL)));
        if let Some(container) = machine.containers.get_mut(id) {
            end_child(container, pid);
        }
    }

    fn finish(self: &Arc<Self>, machine: &mut Machine, id: &ContainerId, pid: u32, ending: Ending) {
        let Some(container) = machine.containers.get_mut(id) else { return };
        let Some(is_init) = container.living(pid).map(|process| process.status.id.is_init()) else { return };
        if is_init {
            let others: Vec<u32> = container.pids().into_iter().filter(|other| *other != pid).collect();
            others.into_iter().for_each(|other| self.kill(machine, id, other));
        }
        if !is_init {
            self.leave_children(machine, id, pid, &ending.children);
        }
        let Some(container) = machine.containers.get_mut(id) else { return };
        if ending.oom {
            container.oom_kills += 1;
            self.log.push(container.event(EventKind::Oom, self.clock.now()));
        }
        let left = container.left_by(pid);
        self.record(container, pid, &ending, &left);
        if is_init && container.removal == Removal::Ended {
            self.remove_whole(machine, id);
        }
    }

    /// Writes the exit down, tells it, and sees to the streams.
    fn record(self: &Arc<Self>, container: &mut Container, pid: u32, ending: &Ending, left: &[u32]) {
        let mut exit = Exit::new(ending.status, How::Waited, self.clock.now());
        exit.run = container.run;
        exit.oom = ending.oom;
        exit.left_overs = u32::try_from(left.len()).ok();
        exit.durable = true;
        let counters = Counters { oom_kills: Some(container.oom_kills), ..Counters::default() };
        let Some(process) = container.living(pid) else { return };
        exit.timed_out = process.timed_out;
        exit.counters = process.status.id.is_init().then_some(counters);
        let kills = process.left_overs == LeftOvers::Kill;
        process.stop();
        process.status.pid = None;
        process.status.state = ProcessState::Exited(exit.clone());
        let (id, streams, drain) = (process.status.id.clone(), process.streams.clone(), process.drain);
        if id.is_init() {
            container.state = ContainerState::Stopped;
        }
        self.log.push(container.event(EventKind::Exited { process: id, exit }, self.clock.now()));
        streams.let_go_of_input();
        if kills {
            left.iter().for_each(|child| end_child(container, *child));
        }
        match left.is_empty() || kills {
            true => streams.end_output(),
            false => container.drains.push(Task(tokio::spawn(drained(streams, drain)).abort_handle())),
        }
    }

    /// A process starts others, which go on without it.
    pub(super) fn leave_children(
        self: &Arc<Self>,
        machine: &mut Machine,
        id: &ContainerId,
        parent: u32,
        left: &[Verb],
    ) {
        for verb in left {
            let pid = machine.next_pid();
            let Some(container) = machine.containers.get_mut(id) else { return };
            let Some(streams) = container.living(parent).map(|process| process.streams.clone()) else { return };
            let (shared, id, surroundings) = (Arc::downgrade(self), id.clone(), orphaned(&streams, pid));
            let behaviour = Behaviour::Verb(verb.clone());
            let task = tokio::spawn(async move {
                behaviour.run(surroundings).await;
                if let Some(shared) = shared.upgrade()
                    && let Some(container) = shared.machine().containers.get_mut(&id)
                {
                    end_child(container, pid);
                }
            });
            container.children.push(Child { pid, parent, streams, _task: Task(task.abort_handle()) });
        }
    }
}

impl Machine {
    pub(super) fn signal(&mut self, shared: &Arc<Shared>, request: &SignalRequest) -> Result<()> {
        let process = self.process(&request.process)?;
        if !process.lives() && request.scope == SignalScope::Process {
            let (container, id) = (&request.process.container, &request.process.process);
            return Err(Error::new(ErrorKind::WrongState, "it has ended").on(container).of(id));
        }
        let own = process.pid;
        let id = &request.process.container;
        for pid in self.container(id)?.reached(own, request.scope) {
            self.deliver(shared, id, pid, request.signal);
        }
        Ok(())
    }

    /// What the kernel does with a signal to one process.
    fn deliver(&mut self, shared: &Arc<Shared>, id: &ContainerId, pid: u32, signal: Signal) {
        let Some(container) = self.containers.get_mut(id) else { return };
        if signal == Signal::KILL {
            return shared.kill(self, id, pid);
        }
        match container.living(pid) {
            Some(process) if process.deliver(signal) => {}
            _ if HARMLESS.contains(&signal.number()) => {}
            // The first process of a pid namespace gets only what it has a handler for.
            Some(process) if process.status.id.is_init() => {}
            Some(_) => shared.finish(self, id, pid, Ending::with(ExitStatus::Signal(signal))),
            None => end_child(container, pid),
        }
    }
}

impl Container {
    /// The processes that one has left, or would leave.
    fn left_by(&self, parent: u32) -> Vec<u32> {
        self.children.iter().filter(|child| child.parent == parent).map(|child| child.pid).collect()
    }

    /// The pids that a signal reaches, the first process last: it takes the others with it.
    fn reached(&self, own: u32, scope: SignalScope) -> Vec<u32> {
        match scope {
            SignalScope::Process => vec![own],
            SignalScope::Tree => self.left_by(own).into_iter().chain([own]).collect(),
            SignalScope::Everyone => self.pids().into_iter().rev().collect(),
        }
    }
}

/// A child that is no more; the last one of its parent lets go of the streams.
fn end_child(container: &mut Container, pid: u32) {
    let Some(at) = container.children.iter().position(|child| child.pid == pid) else { return };
    let child = container.children.remove(at);
    let alone = container.children.iter().all(|other| other.parent != child.parent);
    if alone && container.living(child.parent).is_none() {
        child.streams.end_output();
    }
}

fn orphaned(streams: &Streams, pid: u32) -> Surroundings {
    let (_, signals) = tokio::sync::mpsc::unbounded_channel();
    Surroundings {
        streams: Streams { stdin: None, ..streams.clone() },
        terminal: None,
        signals,
        identity: Identity::default(),
        env: Vec::new(),
        cwd: "/".into(),
        pid,
    }
}

/// Ends the streams of a process that has exited, whose children still hold them.
async fn drained(streams: Streams, drain: Drain) {
    match drain {
        Drain::UntilEof => return,
        Drain::None => {}
        Drain::For(limit) => sleep(limit).await,
        Drain::Quiet => until_quiet(&streams).await,
    }
    streams.give_up_output();
}

async fn until_quiet(streams: &Streams) {
    let end = Instant::now() + LONGEST_DRAIN;
    let mut before = streams.progress();
    while Instant::now() < end {
        sleep(QUIET).await;
        let now = streams.progress();
        if now.1 && now == before {
            return;
        }
        before = now;
    }
}
