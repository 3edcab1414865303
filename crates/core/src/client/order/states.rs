//! What a state tells to the order: the beginning of a story, and what is true after events were lost.
//!
//! A state is a picture of the moment when it was taken, and is read after other things were heard. So it is asked for
//! at a mark, and whatever changed since the mark is not judged by it.

use super::{Live, Order, Phase};
use crate::id::ProcessId;
use crate::status::{ContainerState, ContainerStatus, Evidence, Exit, ProcessState};

impl Order {
    /// The story of a container that is as `status` says; nothing of that is told.
    pub(in crate::client) fn of(status: &ContainerStatus) -> Self {
        let mut order = Order::new(status.run);
        let over = status.state == ContainerState::Stopped || status.exit().is_some();
        for process in &status.processes {
            match &process.state {
                ProcessState::Exited(exit) => {
                    order.note_end(&process.id, exit.clone(), None, None);
                }
                _ if over => {}
                ProcessState::Created => order.insert(process.id.clone(), Phase::Made),
                ProcessState::Running => order.insert(process.id.clone(), Phase::Running),
            }
        }
        if over {
            order.ended = true;
            if status.exit().is_none() {
                order.note_end(&ProcessId::init(), order.unknown(Evidence::RuntimeState), None, None);
            }
        } else if !order.live.contains_key(&ProcessId::init()) {
            order.insert(ProcessId::init(), Phase::Made);
        }
        order
    }

    /// Hears a state of this instance that was asked for at `mark`.
    pub(in crate::client) fn observe(&mut self, mark: u64, status: &ContainerStatus) {
        if self.deleted || status.run < self.run {
            return;
        }
        self.run = self.run.max(status.run);
        for process in status.processes.iter().filter(|process| !process.id.is_init()) {
            self.observe_process(mark, &process.id, process.pid, &process.state);
        }
        if let Some(init) = status.init() {
            self.observe_process(mark, &init.id, init.pid, &init.state);
        }
        if status.state == ContainerState::Stopped && self.was_there(&ProcessId::init(), mark) {
            self.exited(&ProcessId::init(), self.unknown(Evidence::RuntimeState), None);
        }
    }

    /// Hears how processes of this instance ended, after it was removed: the rest of what will ever be known.
    pub(in crate::client) fn recall(&mut self, exits: Vec<(ProcessId, Exit)>) {
        let (init, execs): (Vec<_>, Vec<_>) = exits.into_iter().partition(|(process, _)| process.is_init());
        for (process, exit) in execs.into_iter().chain(init) {
            if self.live.contains_key(&process) {
                self.exited(&process, exit, None);
            }
        }
    }

    /// Execs that were known at `mark` and of which the state asked for then says nothing.
    pub(in crate::client) fn missing(&self, mark: u64, status: &ContainerStatus) -> Vec<ProcessId> {
        let absent = |process: &ProcessId, live: &Live| {
            live.stamp < mark
                && !process.is_init()
                && status.process(process).is_none_or(|process| process.exit().is_some())
        };
        self.live.iter().filter(|(process, live)| absent(process, live)).map(|(process, _)| process.clone()).collect()
    }

    fn observe_process(&mut self, mark: u64, process: &ProcessId, pid: Option<u32>, state: &ProcessState) {
        match state {
            ProcessState::Exited(exit) if self.was_there(process, mark) => self.exited(process, exit.clone(), None),
            ProcessState::Running if self.live.get(process).is_some_and(|live| live.phase == Phase::Made) => {
                self.running(process, pid.unwrap_or(0));
            }
            ProcessState::Running if self.is_news(process, mark) => {
                self.insert(process.clone(), Phase::Starting);
                self.running(process, pid.unwrap_or(0));
            }
            _ => {}
        }
    }

    /// Whether a state asked for at `mark` speaks of the process that is known under that name.
    fn was_there(&self, process: &ProcessId, mark: u64) -> bool {
        let settled = |live: &Live| matches!(live.phase, Phase::Made | Phase::Running);
        self.live.get(process).is_some_and(|live| live.since < mark && settled(live))
    }

    /// Whether an exec that a state asked for at `mark` calls running is one that was never heard of.
    fn is_news(&self, process: &ProcessId, mark: u64) -> bool {
        !process.is_init()
            && !self.ended
            && self.ending.is_none()
            && !self.live.contains_key(process)
            && !self.past.ended_since(process, mark)
    }
}
