//! What happened in one container so far, and what of it may be told now.
//!
//! Hears events, the answers of operations and states, in whatever order they come, and gives changes in the order
//! in which they are to be told. An exit of a process whose start is still under way waits for that start; the exit of
//! init waits for the exits of the execs that are known to run; the end of the container waits for both. Whoever
//! drives it bounds these waits with [`Order::give_up`] and [`Order::gone`].
//!
//! Decided: pure, without timer or lock, so that every order of arrival is a plain test.
//!
//! Keeps: "order", and "exactly once" of "exits"; `order/tests.rs`.
//! Does not know: names of containers, instances, ports.

mod past;
mod seen;
mod states;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::SystemTime;

use past::{End, Past};
use seen::Seen;

use crate::event::{Event, EventKind, StateChange};
use crate::id::{ProcessId, Run};
use crate::status::{Evidence, Exit, ExitStatus, How};

/// The story of one instance.
#[derive(Debug)]
pub(super) struct Order {
    /// 0 before the first.
    run: Run,
    seen: Seen,
    live: HashMap<ProcessId, Live>,
    past: Past,
    /// Init's exit, while exits of execs are awaited.
    ending: Option<(Exit, Option<u64>)>,
    /// Whether the container is gone and only its processes' exits are awaited.
    leaving: bool,
    ended: bool,
    deleted: bool,
    stamp: u64,
    told: Vec<StateChange>,
}

/// One process that has not ended.
#[derive(Debug)]
struct Live {
    phase: Phase,
    /// When it was first heard of.
    stamp: u64,
    /// When it came into its phase.
    since: u64,
    /// The event that told its start.
    sequence: Option<u64>,
    /// Its pid, once its start was told.
    pid: Option<u32>,
    /// Its exit, come before its start was answered.
    held: Option<(Exit, Option<u64>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Its container's create is under way.
    Making,
    /// Its program waits.
    Made,
    /// Its start is under way.
    Starting,
    /// Its start was told.
    Running,
}

/// The name is that of a process which has not ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken;

impl Order {
    /// The story of a container whose create is under way.
    pub(super) fn making() -> Self {
        let mut order = Order::new(Run(0));
        order.insert(ProcessId::init(), Phase::Making);
        order
    }

    /// Hears an event of this instance.
    pub(super) fn event(&mut self, event: &Event) {
        if self.deleted || !self.seen.is_new(event.sequence) {
            return;
        }
        if event.run < self.run && event.kind != EventKind::Deleted {
            tracing::debug!(run = event.run.0, "an event of an earlier run is ignored");
            return;
        }
        match &event.kind {
            EventKind::Started { pid } => self.init_started(event, *pid),
            EventKind::ExecStarted { process, pid } => self.exec_started(event, process, *pid),
            EventKind::Exited { process, exit } => self.exited(process, exit.clone(), Some(event.sequence)),
            EventKind::Paused => self.tell(StateChange::Paused),
            EventKind::Resumed => self.tell(StateChange::Resumed),
            EventKind::Oom => self.tell(StateChange::Oom),
            EventKind::Deleted => self.leave(),
            EventKind::Created => {}
        }
        self.run = self.run.max(event.run);
    }

    /// The create was answered: the program waits.
    pub(super) fn made(&mut self) {
        self.unhold(&ProcessId::init(), Phase::Making, Phase::Made);
    }

    /// The start of init is asked for. `None` when it cannot be: the runtime will say why.
    pub(super) fn begin_init(&mut self) -> Option<u64> {
        let live = self.live.get_mut(&ProcessId::init()).filter(|live| live.phase == Phase::Made)?;
        live.phase = Phase::Starting;
        Some(live.stamp)
    }

    /// The start of a further process is asked for.
    pub(super) fn begin(&mut self, process: &ProcessId) -> Result<u64, Taken> {
        if self.live.contains_key(process) {
            return Err(Taken);
        }
        self.insert(process.clone(), Phase::Starting);
        Ok(self.stamp)
    }

    /// The start that began at `stamp` succeeded. The event may have said so already, and the exit too.
    pub(super) fn started(&mut self, process: &ProcessId, stamp: u64, pid: u32) {
        if !self.is_starting(process, stamp) {
            return;
        }
        if self.ended && !process.is_init() {
            // Its container's exit was told while this answer was under way, at the end of all patience.
            self.live.remove(process);
            return self.release();
        }
        self.running(process, pid);
        self.release();
    }

    /// The start that began at `stamp` failed.
    pub(super) fn failed(&mut self, process: &ProcessId, stamp: u64) {
        if !self.is_starting(process, stamp) {
            return;
        }
        if process.is_init() {
            self.unhold(process, Phase::Starting, Phase::Made);
        } else {
            self.live.remove(process);
        }
        self.release();
    }

    /// The present, for [`Order::observe`]: what is heard of from now on is later than it.
    pub(super) fn mark(&mut self) -> u64 {
        self.tick()
    }

    /// Waits no longer for the exits of those `processes` that were known at `mark`.
    pub(super) fn give_up(&mut self, mark: u64, processes: &[ProcessId], evidence: Evidence) {
        for process in processes {
            let Some(live) = self.live.get(process).filter(|live| live.stamp < mark) else { continue };
            match live.phase {
                Phase::Running => self.exited(process, self.unknown(evidence), None),
                _ if self.is_waiting() => drop(self.live.remove(process)),
                _ => {}
            }
        }
        self.release();
    }

    /// The execs whose exits are awaited.
    pub(super) fn awaited(&self) -> Vec<ProcessId> {
        self.live.keys().filter(|process| !process.is_init()).cloned().collect()
    }

    /// The container is gone: whatever is not known by now never will be.
    pub(super) fn gone(&mut self) {
        let init = ProcessId::init();
        if self.deleted || self.live.get(&init).is_some_and(|live| live.phase == Phase::Making) {
            return;
        }
        self.leaving = true;
        let mark = self.tick();
        self.give_up(mark, &self.awaited(), Evidence::ContainerGone);
        if self.live.get(&init).is_some_and(|live| live.phase == Phase::Running) {
            let exit = Exit { how: How::Unknown, ..self.unknown(Evidence::ContainerGone) };
            self.exited(&init, exit, None);
        }
        self.live.clear();
        self.release();
    }

    /// The container was deleted.
    pub(super) fn leave(&mut self) {
        self.leaving = true;
        self.release();
    }

    /// The changes that may be told now, in order.
    pub(super) fn take(&mut self) -> Vec<StateChange> {
        std::mem::take(&mut self.told)
    }

    /// Whether something is held back until other exits are heard.
    pub(super) fn is_waiting(&self) -> bool {
        !self.deleted && (self.ending.is_some() || self.leaving)
    }

    /// Whether the end of the container was told.
    pub(super) fn is_deleted(&self) -> bool {
        self.deleted
    }

    /// Whether the end of that process is still to come, or to be told.
    pub(super) fn is_live(&self, process: &ProcessId) -> bool {
        self.live.contains_key(process) || (process.is_init() && self.ending.is_some())
    }

    /// Whether init has ended, and that is not told yet.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// Whether the program of that process is known to run.
    pub(super) fn is_running(&self, process: &ProcessId) -> bool {
        self.live.get(process).is_some_and(|live| live.phase == Phase::Running)
    }

    /// The exit of that process, once it was told.
    pub(super) fn exit(&self, process: &ProcessId) -> Option<&Exit> {
        self.past.exit(process)
    }

    fn new(run: Run) -> Self {
        Order {
            run,
            seen: Seen::default(),
            live: HashMap::new(),
            past: Past::default(),
            ending: None,
            leaving: false,
            ended: false,
            deleted: false,
            stamp: 0,
            told: Vec::new(),
        }
    }

    fn init_started(&mut self, event: &Event, pid: u32) {
        let init = ProcessId::init();
        let late = self.past.is_later_than(&init, event.sequence);
        if self.ended && event.run > self.run && !late {
            self.ended = false;
            self.insert(init.clone(), Phase::Made);
        }
        self.note_start(&init, event.sequence);
        self.running(&init, pid);
        self.release();
    }

    fn exec_started(&mut self, event: &Event, process: &ProcessId, pid: u32) {
        let late = self.past.is_later_than(process, event.sequence) || self.past.was_started(process, pid);
        if self.ended || late {
            return;
        }
        if !self.live.contains_key(process) {
            self.insert(process.clone(), Phase::Starting);
        }
        self.note_start(process, event.sequence);
        self.running(process, pid);
        self.release();
    }

    /// Tells that a process runs, and its exit if that came before.
    fn running(&mut self, process: &ProcessId, pid: u32) {
        let now = self.tick();
        let Some(live) = self.live.get_mut(process).filter(|live| live.phase != Phase::Running) else { return };
        live.phase = Phase::Running;
        live.since = now;
        live.pid = Some(pid);
        let held = live.held.take();
        self.tell(match process.is_init() {
            true => StateChange::Started { pid },
            false => StateChange::ProcessStarted { process: process.clone(), pid },
        });
        if let Some((exit, sequence)) = held {
            self.exited(process, exit, sequence);
        }
    }

    fn exited(&mut self, process: &ProcessId, exit: Exit, sequence: Option<u64>) {
        if self.ended || self.is_repeated(process, &exit, sequence) {
            return;
        }
        match self.live.get_mut(process) {
            Some(live) if matches!(live.phase, Phase::Making | Phase::Starting) => {
                live.held.get_or_insert((exit, sequence));
                return;
            }
            None if process.is_init() => return,
            _ => {}
        }
        let unheard = self.live.remove(process).filter(|live| live.sequence.is_none()).and_then(|live| live.pid);
        match process.is_init() {
            true => self.ending = Some((exit, sequence)),
            false => self.tell_exit(process, exit, sequence, unheard),
        }
        self.release();
    }

    /// Whether an exit is not that of the process now known under its name, but one that was told before.
    fn is_repeated(&mut self, process: &ProcessId, exit: &Exit, sequence: Option<u64>) -> bool {
        let Some(sequence) = sequence else { return false };
        match self.live.get(process).and_then(|live| live.sequence) {
            Some(start) => sequence < start,
            None => self.past.was_read(process, exit, sequence),
        }
    }

    /// Tells what waits for nothing any more.
    fn release(&mut self) {
        if self.awaited().is_empty()
            && let Some((exit, sequence)) = self.ending.take()
        {
            self.ended = true;
            self.tell_exit(&ProcessId::init(), exit, sequence, None);
        }
        let busy = |live: &Live| !matches!(live.phase, Phase::Made | Phase::Making);
        if self.leaving && !self.deleted && self.ending.is_none() && !self.live.values().any(busy) {
            self.live.clear();
            self.deleted = true;
            self.tell(StateChange::Deleted);
        }
    }

    fn tell_exit(&mut self, process: &ProcessId, exit: Exit, sequence: Option<u64>, unheard: Option<u32>) {
        self.note_end(process, exit.clone(), sequence, unheard);
        self.tell(match process.is_init() {
            true => StateChange::Exited { exit },
            false => StateChange::ProcessExited { process: process.clone(), exit },
        });
    }

    fn note_end(&mut self, process: &ProcessId, exit: Exit, sequence: Option<u64>, unheard: Option<u32>) {
        let stamp = self.tick();
        self.past.note(End { process: process.clone(), exit, sequence, stamp, unheard });
    }

    fn tell(&mut self, change: StateChange) {
        self.told.push(change);
    }

    fn insert(&mut self, process: ProcessId, phase: Phase) {
        let stamp = self.tick();
        self.live.insert(process, Live { phase, stamp, since: stamp, sequence: None, pid: None, held: None });
    }

    fn note_start(&mut self, process: &ProcessId, sequence: u64) {
        if let Some(live) = self.live.get_mut(process) {
            live.sequence = Some(sequence);
        }
    }

    /// Moves a process on that did not start after all, and lets out its exit if that came meanwhile.
    fn unhold(&mut self, process: &ProcessId, from: Phase, to: Phase) {
        let now = self.tick();
        let Some(live) = self.live.get_mut(process).filter(|live| live.phase == from) else { return };
        live.phase = to;
        live.since = now;
        if let Some((exit, sequence)) = live.held.take() {
            self.exited(process, exit, sequence);
        }
    }

    fn is_starting(&self, process: &ProcessId, stamp: u64) -> bool {
        self.live.get(process).is_some_and(|live| live.phase == Phase::Starting && live.stamp == stamp)
    }

    fn unknown(&self, evidence: Evidence) -> Exit {
        Exit {
            run: self.run.max(Run::FIRST),
            ..Exit::new(ExitStatus::Unknown, How::Inferred(evidence), SystemTime::now())
        }
    }

    fn tick(&mut self) -> u64 {
        self.stamp += 1;
        self.stamp
    }
}
