//! How processes end: seen, written down, told, and only then reaped.
//!
//! A child of ours is looked at through its descriptor and stays a zombie until its exit is durable and told. A process
//! that is not our child any more, since a monitor before us died, is the witness's: it sends the status. If that is
//! dead too, the kernel is asked; what even that does not tell is said to be unknown. An exit is written down once,
//! whoever tells it again.
//!
//! Keeps: promises 1 and 2 of ARCHITECTURE.md.

use std::os::fd::AsFd;
use std::time::{Duration, Instant, SystemTime};

use libcontainerd_core::start::{StartFailure, StartStage};
use libcontainerd_core::status::{Counters, Evidence, ResourceUsage};
use libcontainerd_core::stdio::Drain;
use libcontainerd_core::{Error, Exit, ExitStatus, How, Run, Signal};
use libcontainerd_engine::Cgroup;
use oci_spec::runtime::LinuxNamespaceType;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::chores::Chore;
use super::leftovers::Remains;
use super::process::{Phase, Supervised};
use super::{Monitor, is_of};
use crate::identity;
use crate::record::{self, Fact};
use crate::sys::{self, Ended, Which};
use crate::wire::{Answer, Failure};

/// How long init's exit waits for those of its container's other processes, which are dead or dying.
const OTHERS: Duration = Duration::from_secs(2);

/// How a process ended, and how that is known.
#[derive(Debug, Clone, Copy)]
struct Known {
    status: ExitStatus,
    how: How,
    usage: Option<ResourceUsage>,
    /// Whether it is a child of ours, which is ours to reap.
    ours: bool,
}

impl Monitor<'_> {
    /// Looks whether a process has ended.
    pub(super) fn look_at(&mut self, number: u64) {
        self.hear_report(number);
        let Some(process) = self.process_mut(number) else { return };
        match sys::peek(Which::Descriptor(process.descriptor.as_fd()), false) {
            Ok(Some(ended)) => self.has_ended(number, Known::waited(&ended, true)),
            Ok(None) => {}
            Err(_) => self.look_elsewhere(number),
        }
    }

    /// Hears from the witness how processes ended that it has reaped.
    pub(super) fn hear_witness(&mut self) {
        while let Some(ended) = self.shared.statuses.take() {
            let number = self.processes.iter().find(|process| is_of(&ended, process)).map(Supervised::number);
            if let Some(number) = number {
                self.hear_report(number);
                self.has_ended(number, Known::waited(&ended, false));
            }
        }
    }

    /// Finds out how a process ended that is no child of ours.
    fn look_elsewhere(&mut self, number: u64) {
        let Some(process) = self.process_mut(number) else { return };
        let (pid, start_time) = (process.made.pid, process.made.start_time);
        let zombie = identity::stat(pid).ok().filter(|stat| stat.start_time == start_time && stat.zombie);
        // The witness passes a status on before it reaps: if it has reaped, the status is there by now.
        self.hear_witness();
        let has_witness = self.witness.descriptor.is_some();
        let witness = self.witness.pid;
        let Some(process) = self.process_mut(number) else { return };
        let known = match zombie {
            Some(stat) if has_witness && stat.parent == witness => {
                process.inherited = true;
                return;
            }
            Some(stat) => Known::inferred(stat.wait_status),
            None => sys::exit_status_of(process.descriptor.as_fd()).map_or(Known::UNKNOWN, Known::inferred),
        };
        self.has_ended(number, known);
    }

    /// A process has ended, and this is how.
    fn has_ended(&mut self, number: u64, known: Known) {
        if number == 0 {
            self.await_others();
        }
        let Some(at) = self.processes.iter().position(|process| process.number() == number) else { return };
        let process = self.processes.remove(at);
        match process.phase {
            Phase::Making | Phase::Failed(_) => self.has_not_started(process, known),
            // Ended only because its container goes: there was no run that could have an exit.
            Phase::AtGate if number == 0 && self.is_going() => self.has_not_started(process, known),
            _ => self.record_exit(process, known),
        }
        if number == 0 {
            self.chores.push(Chore::Clean);
        }
    }

    /// Whether the container is on its way out.
    fn is_going(&self) -> bool {
        self.deleting.is_some() || self.journal.history().owner_gone
    }

    /// Writes an exit down and lets go of what the process had.
    fn record_exit(&mut self, process: Supervised, known: Known) {
        let Supervised { made, descriptor, streams, relay, keeper, asker, timed_out, .. } = process;
        let exit = self.exit(&made, timed_out, known);
        self.journal.record(Fact::Exited { process: made.id.clone(), exit });
        // Only now: until it was written down a successor needed them.
        let remains = Remains { relay, keeper, readers: streams.let_go() };
        self.leftovers.keep(remains, made.endpoints.drain, &self.shared.diary);
        if let Some(asker) = asker {
            self.clients.answer(asker, &Answer::Failed(never_ran()));
        }
        if known.ours {
            self.chores.push(Chore::Reap(descriptor));
        }
        self.chores.push(Chore::RemoveLeaf(made.number));
    }

    /// A process has ended that never ran its program.
    fn has_not_started(&mut self, process: Supervised, known: Known) {
        let Supervised { made, descriptor, phase, keeper, asker, .. } = process;
        let failure = match phase {
            Phase::Failed(failure) => failure,
            _ => never_ran(),
        };
        if known.ours {
            sys::reap(Which::Descriptor(descriptor.as_fd()));
        }
        let is_recorded = self.journal.history().process(&made.id).is_some_and(|old| old.made.number == made.number);
        match (made.number, is_recorded) {
            (0, false) => self.abandon(failure, asker),
            (0, true) => self.journal.record(Fact::NotStarted),
            (_, true) => self.journal.record(Fact::ExecFailed { process: made.id }),
            (_, false) => {}
        }
        let remains = Remains { keeper, ..Remains::default() };
        self.leftovers.keep(remains, Drain::None, &self.shared.diary);
        self.remove_leaf(made.number);
        if let Some(asker) = asker {
            self.clients.answer(asker, &Answer::Failed(failure));
        }
    }

    fn exit(&mut self, made: &record::Process, timed_out: bool, known: Known) -> Exit {
        let mut exit = Exit::new(known.status, known.how, SystemTime::now());
        exit.run = self.journal.history().run.max(Run::FIRST);
        exit.usage = known.usage;
        let was_killed = known.status == ExitStatus::Signal(Signal::KILL);
        exit.timed_out = timed_out && was_killed;
        if made.number == 0 || was_killed {
            exit.oom = self.was_out_of_memory();
        }
        exit.left_overs = self.count_left_overs(made, timed_out);
        exit.counters = self.cgroup.as_ref().filter(|_| made.number == 0).map(counters);
        exit
    }

    /// Whether the kernel has killed for want of memory since it was asked last; said before the exit that it explains.
    fn was_out_of_memory(&mut self) -> bool {
        let kills = self.cgroup.as_ref().and_then(|cgroup| cgroup.oom_kills().ok()).unwrap_or(0);
        let is_new = kills > self.oom_kills;
        if is_new {
            self.oom_kills = kills;
            self.journal.record(Fact::Oom);
        }
        is_new
    }

    /// Waits, for a bounded time, until the ends of all processes but init are written down.
    ///
    /// Once the init of a pid namespace has ended, all others in it are dead; elsewhere they are killed here.
    fn await_others(&mut self) {
        if !self.has_pid_namespace()
            && let Some(cgroup) = &self.cgroup
        {
            let _ = cgroup.kill();
        }
        let deadline = Instant::now() + OTHERS;
        while Instant::now() < deadline {
            let others: Vec<u64> =
                self.processes.iter().map(Supervised::number).filter(|number| *number != 0).collect();
            others.into_iter().for_each(|number| self.look_at(number));
            self.hear_witness();
            if !self.await_one_of_others() {
                return;
            }
        }
        self.shared.diary.note(format_args!("init has ended before other processes of its container"));
    }

    /// Waits a moment for the end of one of the others; `false` when there is none.
    fn await_one_of_others(&self) -> bool {
        let others: Vec<_> = self.processes.iter().filter(|process| process.number() != 0).collect();
        if others.is_empty() {
            return false;
        }
        let ends = others.iter().filter(|process| !process.inherited).map(|process| process.descriptor.as_fd());
        let ends = ends.chain([self.shared.statuses.reader().as_fd()]);
        let mut asked: Vec<_> = ends.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        let _ = poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 100_000_000 }));
        true
    }

    fn has_pid_namespace(&self) -> bool {
        let namespaces = self.shared.container.spec.linux().as_ref().and_then(|linux| linux.namespaces().as_ref());
        let of_pids = |namespace: &oci_spec::runtime::LinuxNamespace| namespace.typ() == LinuxNamespaceType::Pid;
        namespaces.is_some_and(|namespaces| namespaces.iter().any(of_pids))
    }
}

impl Known {
    const UNKNOWN: Known = Known { status: ExitStatus::Unknown, how: How::Unknown, usage: None, ours: false };

    fn waited(ended: &Ended, ours: bool) -> Known {
        let status = if ended.signal { by_signal(ended.status) } else { ExitStatus::Code(ended.status as u8) };
        let (user, system) = (Duration::from_micros(ended.user), Duration::from_micros(ended.system));
        let usage = ResourceUsage::new(user, system, ended.max_resident * 1024);
        Known { status, how: How::Waited, usage: Some(usage), ours }
    }

    fn inferred(wait_status: i32) -> Known {
        let how = How::Inferred(Evidence::ProcessDescriptor);
        Known { status: status_of(wait_status), how, usage: None, ours: false }
    }
}

/// What a wait status says.
pub(crate) fn status_of(wait_status: i32) -> ExitStatus {
    match wait_status & 0x7f {
        0 => ExitStatus::Code((wait_status >> 8) as u8),
        signal => by_signal(signal),
    }
}

fn by_signal(number: i32) -> ExitStatus {
    u8::try_from(number)
        .ok()
        .and_then(|number| Signal::try_from(number).ok())
        .map_or(ExitStatus::Unknown, ExitStatus::Signal)
}

/// What a container's cgroups have counted.
pub(crate) fn counters(cgroup: &Cgroup) -> Counters {
    let found = cgroup.counters();
    let mut counters = Counters::default();
    (counters.oom_kills, counters.memory_peak) = (found.oom_kills, found.memory_peak);
    (counters.periods, counters.throttled_periods) = (found.periods, found.throttled_periods);
    counters.throttled = found.throttled;
    counters
}

fn never_ran() -> Failure {
    let failure = StartFailure::new(StartStage::Setup, 0, "it died before its program ran");
    Failure::from(&Error::start_failed(failure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_status_is_a_code_or_a_signal() {
        assert_eq!(status_of(7 << 8), ExitStatus::Code(7));
        assert_eq!(status_of(255 << 8), ExitStatus::Code(255));
        assert_eq!(status_of(9), ExitStatus::Signal(Signal::KILL));
        assert_eq!(status_of(0x80 | 11), ExitStatus::Signal(Signal::SEGV));
    }
}
