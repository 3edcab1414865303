//! Going on where a dead monitor stopped.
//!
//! A successor has nothing but the journal and the table of descriptors. It takes hold of what the journal names, sees
//! to it that each is what it should be, opens again what is missing, and closes everything else: so connections end
//! and clients come back, and what was only begun comes to nothing. A container that was not made yet is removed; an
//! exec that was named goes on, for its client to ask for again. One that adopts has the journal only: the table died with both of the two.
//!
//! Keeps: `a_killed_monitor_costs_nothing` at every moment of the tests.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use libcontainerd_core::{Error, ExitStatus, How, ProcessId};
use libcontainerd_durable::journal;
use libcontainerd_engine::{Cgroup, Host};

use super::chores::Chore;
use super::descendants::lingering;
use super::keeping::Keeper;
use super::leftovers::{Leftovers, Remains};
use super::process::{Phase, Start, Supervised};
use super::relay::Relay;
use super::streams::{Streams, inherit_remains};
use super::unread::Lookout;
use super::{Monitor, Witness};
use crate::fault::Fault;
use crate::journal::ContainerJournal;
use crate::record::{Descriptors, Fact, History, ProcessHistory};
use crate::shared::Shared;
use crate::wire::{Answer, Failure};
use crate::{identity, layout, output_log, recover, sys};

/// What a successor has taken hold of.
#[derive(Default)]
struct Hold {
    processes: Vec<Supervised>,
    leftovers: Leftovers,
    /// Processes of which nothing is left, not even a descriptor.
    lost: Vec<(ProcessId, u32)>,
    /// Execs of which nobody can tell whether they run.
    begun: Vec<ProcessId>,
}

/// The exit code of a successor that cannot take over; the witness tries again, ever more slowly.
const CANNOT: i32 = 3;

/// Takes over after a monitor that died.
pub(super) fn succeed(shared: &Shared, witness: u32) -> Monitor<'_> {
    match try_succeed(shared, witness) {
        Ok(monitor) => monitor,
        Err(Fault::NoJournal) => {
            // It died while the container was being removed: this finishes it.
            let _ = recover::remove_directory(&shared.state, &shared.run, &shared.container.id);
            sys::exit_now(0)
        }
        Err(fault @ Fault::Entry(_)) => {
            // Nor could any other of this program: the witness ends as well, and lets whoever understands it adopt.
            let text = "the container goes on without a monitor, for a program that understands its journal";
            let cause = std::error::Error::source(&fault).map(ToString::to_string).unwrap_or_default();
            shared.diary.note(format_args!("{text}: {cause}"));
            sys::exit_now(0)
        }
        Err(fault) => {
            shared.diary.note(format_args!("cannot take over: {}", Error::from(fault)));
            sys::exit_now(CANNOT)
        }
    }
}

/// Takes a container over of which monitor and witness are dead, and answers who asked for it.
pub(super) fn adopt(shared: &Shared, host: Host, witness: u32, connection: OwnedFd) -> Monitor<'_> {
    let taken = ContainerJournal::take_over(&shared.state, &shared.run, Some(&shared.diary)).map(|journal| {
        let hold = hold(journal.history(), false, shared);
        Monitor::with(shared, host, journal, witness, hold)
    });
    match taken {
        Ok(mut monitor) => {
            shared.diary.note(format_args!("adopted: the monitor and the witness before us are both dead"));
            let asker = monitor.clients.add(connection, true);
            monitor.clients.answer(asker, &Answer::Done);
            monitor
        }
        Err(fault) => {
            let failure = Answer::Failed(Failure::from(&Error::from(fault)));
            if let Ok(frame) = crate::wire::frame(&failure) {
                let _ = rustix::net::send(&connection, &frame, rustix::net::SendFlags::NOSIGNAL);
            }
            sys::exit_now(0)
        }
    }
}

fn try_succeed(shared: &Shared, witness: u32) -> Result<Monitor<'_>, Fault> {
    let replay = match journal::read(&shared.run, layout::JOURNAL) {
        Ok(replay) => replay,
        Err(error) if error.is_not_found() => return Err(Fault::NoJournal),
        Err(source) => return Err(Fault::Disk { act: "read the journal", source }),
    };
    let history = History::of(&replay.records)?.ok_or(Fault::NoJournal)?;
    let is_container = history.init().is_some() && !history.deleted;
    let hold = if is_container { hold(&history, true, shared) } else { Hold::default() };
    close_all_but(&kept_numbers(shared, &hold));
    let host = Host::probe().map_err(Fault::Cgroup)?;
    // This tells its latest events again: the dead monitor may have written them down and no more, its end too.
    let journal = ContainerJournal::take_over(&shared.state, &shared.run, Some(&shared.diary))?;
    if !is_container {
        // Half made or half removed.
        recover::remove_all((&shared.state, &shared.run), &shared.container.data, &history.creating, None)?;
        sys::exit_now(0);
    }
    shared.diary.note(format_args!("taken over, with {} live processes", hold.processes.len()));
    Ok(Monitor::with(shared, host, journal, witness, hold))
}

impl<'s> Monitor<'s> {
    /// A monitor that goes on with what it has taken hold of.
    fn with(shared: &'s Shared, host: Host, journal: ContainerJournal, witness: u32, hold: Hold) -> Self {
        let mut monitor = Monitor::new(shared, host, journal, Witness::of(witness));
        monitor.cgroup = Cgroup::open(&monitor.host, &monitor.place()).unwrap_or_default();
        monitor.lingering = lingering(monitor.cgroup.as_ref(), |number| {
            hold.processes.iter().any(|process| process.number() == number)
        });
        monitor.oom_kills = u64::from(monitor.journal.history().oom);
        monitor.processes = hold.processes;
        monitor.leftovers = hold.leftovers;
        monitor.let_through_again();
        hold.begun.into_iter().for_each(|process| monitor.give_up(process));
        monitor.hear_witness();
        monitor.write_numbers_down();
        hold.lost.into_iter().for_each(|(process, _)| monitor.record_loss(process));
        monitor.hold_owner_or_end();
        let history = monitor.journal.history();
        if history.stopped() && !history.cleaned {
            monitor.chores.push(Chore::Clean);
        }
        monitor
    }

    /// Opens the gates that a dead monitor has opened, or was about to: what is asked for once must not run twice, and
    /// whoever is through already does not notice.
    fn let_through_again(&mut self) {
        for process in self.processes.iter_mut().filter(|process| matches!(process.phase, Phase::Released)) {
            if let Some(start) = &mut process.start {
                let _ = start.open_gate();
            }
        }
    }

    /// Takes hold of the owner again. Without knowing whether it lives nothing can be promised: the next successor tries.
    fn hold_owner_or_end(&mut self) {
        if let Err(fault) = self.hold_owner() {
            self.shared.diary.note(format_args!("cannot take over: {}", Error::from(fault)));
            sys::exit_now(CANNOT);
        }
    }

    /// Ends an exec that two dead monitors had begun to start: its client was told nothing.
    fn give_up(&mut self, process: ProcessId) {
        let Some(begun) = self.journal.history().process(&process) else { return };
        let made = begun.made.clone();
        if let Ok(Some(descriptor)) = identity::open(made.pid, made.start_time) {
            let _ = sys::send_signal(descriptor.as_fd(), 9);
        }
        if let Some(cgroup) = &self.cgroup {
            let _ = cgroup.kill_leaf(&super::exec::leaf_name(made.number));
        }
        if let Err(fault) = output_log::break_off_one(&made.endpoints) {
            self.shared.diary.note(format_args!("the log of {} has no end: {}", made.id, Error::from(fault)));
        }
        self.journal.record(Fact::ExecFailed { process });
        self.chores.push(Chore::RemoveLeaf(made.number));
    }

    /// Writes down under which numbers the next successor finds what this one holds, where that has changed.
    fn write_numbers_down(&mut self) {
        for at in 0..self.processes.len() {
            let process = &mut self.processes[at];
            let now = process.descriptors();
            if process.made.descriptors != now {
                process.made.descriptors = now.clone();
                self.journal.record(Fact::Kept { process: process.made.id.clone(), descriptors: now });
            }
        }
    }

    /// Writes down that a process has ended, of which nobody can tell how.
    fn record_loss(&mut self, process: ProcessId) {
        let known = self.journal.history().process(&process).is_some_and(|process| process.exit.is_some());
        if !known {
            let exit = recover::lost_exit(self.journal.history(), ExitStatus::Unknown, How::Unknown);
            self.journal.record(Fact::Exited { process, exit });
        }
    }
}

/// Takes hold of all that the journal names; `inherited` is whether the table is the dead monitor's.
fn hold(history: &History, inherited: bool, shared: &Shared) -> Hold {
    let mut hold = Hold::default();
    for process in &history.processes {
        let numbers = if inherited { process.made.descriptors.clone() } else { Descriptors::default() };
        if process.exit.is_some() {
            hold_remains(&mut hold, process, &numbers, shared);
        } else if !process.made.id.is_init() && !process.started && !inherited {
            hold.begun.push(process.made.id.clone());
        } else if !history.stopped() {
            hold_process(&mut hold, process, &numbers, history.released, shared);
        }
    }
    hold
}

/// Takes hold of what is kept for the readers of a process that has ended.
fn hold_remains(hold: &mut Hold, process: &ProcessHistory, numbers: &Descriptors, shared: &Shared) {
    let endpoints = &process.made.endpoints;
    let mut streams = Streams::default();
    streams.stdout.reader = inherit_remains(&endpoints.stdout, numbers.stdout);
    streams.stderr.reader = inherit_remains(&endpoints.stderr, numbers.stderr);
    streams.stdout.writer = inherit_remains(&endpoints.stdout, numbers.stdout_sink);
    let relay = match terminal(numbers).filter(|_| streams.stdout.writer.is_some()) {
        Some(master) => Relay::new(master, &mut streams).ok(),
        None => None,
    };
    let keeper = Keeper::resume(endpoints, &mut streams, process.made.descriptors.reader_lock.is_some());
    let remains = Remains { relay, keeper, readers: streams.let_go() };
    hold.leftovers.keep(remains, endpoints.drain, &shared.diary);
}

fn hold_process(hold: &mut Hold, process: &ProcessHistory, numbers: &Descriptors, released: bool, shared: &Shared) {
    let made = &process.made;
    let Some(descriptor) = process_descriptor(made.pid, made.start_time, numbers.pidfd) else {
        hold.lost.push((made.id.clone(), made.pid));
        return;
    };
    let mut streams = Streams::resume(&made.endpoints, made.stream_owner, numbers, process.stdin_closed);
    let relay = terminal(numbers).and_then(|master| Relay::new(master, &mut streams).ok());
    let lookout = Lookout::resume(&made.endpoints, made.descriptors.reader_lock, numbers.pidfd.is_some());
    let has_turned = lookout.as_ref().is_some_and(Lookout::has_turned);
    let mut keeper = Keeper::resume(&made.endpoints, &mut streams, has_turned);
    if made.endpoints.terminal.is_some() && relay.is_none() {
        shared.diary.note(format_args!("the terminal of process {} is lost: it is relayed no more", made.id));
        keeper.iter_mut().for_each(Keeper::break_off);
    }
    let (start, phase) = match (process.started, numbers.report, numbers.gate) {
        (true, ..) => (None, Phase::Running),
        (false, Some(report), Some(gate)) => (inherited_start(report, gate, released), at_gate(released)),
        (false, ..) => (None, Phase::AtGate),
    };
    hold.processes.push(Supervised {
        made: made.clone(),
        descriptor,
        start,
        phase,
        asker: None,
        streams,
        relay,
        keeper,
        lookout,
        inherited: false,
        timed_out: process.timed_out,
    });
}

fn inherited_start(report: RawFd, gate: RawFd, released: bool) -> Option<Start> {
    Some(Start::Inherited { report: sys::claim(report)?, gate: sys::claim(gate)?, released })
}

fn at_gate(released: bool) -> Phase {
    if released { Phase::Released } else { Phase::AtGate }
}

/// The descriptor of a process: the one of that number if it is that, else a new one.
fn process_descriptor(pid: u32, start_time: u64, number: Option<RawFd>) -> Option<OwnedFd> {
    if let Some(number) = number
        && let Some(held) = sys::claim(number)
    {
        let about = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
        // Of one that was reaped, by the witness, it says -1.
        let told = about.lines().find_map(|line| line.strip_prefix("Pid:")).map(str::trim);
        if told.is_some_and(|told| told == pid.to_string() || told == "-1") {
            return Some(held);
        }
        std::mem::forget(held);
    }
    identity::open(pid, start_time).ok().flatten()
}

/// The terminal's master of that number, if it is one.
fn terminal(numbers: &Descriptors) -> Option<OwnedFd> {
    let held = sys::claim(numbers.terminal?)?;
    if rustix::termios::isatty(&held) {
        return Some(held);
    }
    std::mem::forget(held);
    None
}

/// The numbers that stay open: the standard ones, the shared ones, and what was taken hold of.
fn kept_numbers(shared: &Shared, hold: &Hold) -> BTreeSet<RawFd> {
    let mut kept: BTreeSet<RawFd> = (0..=2).chain(shared.numbers()).collect();
    for process in &hold.processes {
        let numbers = process.descriptors();
        let all = [
            numbers.pidfd,
            numbers.stdin,
            numbers.stdin_source,
            numbers.stdout,
            numbers.stdout_sink,
            numbers.stderr,
            numbers.stderr_sink,
            numbers.terminal,
            numbers.reader_lock,
            numbers.gate,
            numbers.report,
        ];
        kept.extend(all.into_iter().flatten());
    }
    kept.extend(hold.leftovers.numbers());
    kept
}

/// Closes every other number.
fn close_all_but(kept: &BTreeSet<RawFd>) {
    let mut first = 0;
    for number in kept {
        let number = number.as_raw_fd() as u32;
        if number > first {
            sys::close_range(first, number - 1);
        }
        first = number + 1;
    }
    sys::close_range(first, u32::MAX);
}
