//! One process under supervision: from its making until its exit is told.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use libcontainerd_core::ProcessId;
use libcontainerd_core::stdio::{Endpoints, TerminalSize};
use libcontainerd_engine::{self as engine, Report, Spawned, Stage};
use rustix::net::SendFlags;

use super::clients::ClientKey;
use super::keeping::Keeper;
use super::relay::Relay;
use super::streams::Streams;
use super::unread::Lookout;
use crate::fault::Fault;
use crate::identity;
use crate::record::{self, Bounds, Descriptors};
use crate::wire::Failure;

/// A process that has not been told to have ended.
#[derive(Debug)]
pub(super) struct Supervised {
    /// What the journal says of it, or will.
    pub(super) made: record::Process,
    /// The process itself.
    pub(super) descriptor: OwnedFd,
    /// How its start goes, until it has started.
    pub(super) start: Option<Start>,
    /// Where it is in its life.
    pub(super) phase: Phase,
    /// Who waits for it to start.
    pub(super) asker: Option<ClientKey>,
    /// Our ends of its streams.
    pub(super) streams: Streams,
    /// Its terminal, once it has one.
    pub(super) relay: Option<Relay>,
    /// What moves its output into its log, where that is kept.
    pub(super) keeper: Option<Keeper>,
    /// What looks after live output that nobody reads, where that is not to wait.
    pub(super) lookout: Option<Lookout>,
    /// Whether it is the witness's child, and how it ends comes from there.
    pub(super) inherited: bool,
    /// Whether it was killed because its time was up.
    pub(super) timed_out: bool,
}

/// Where a process is in its life.
#[derive(Debug)]
pub(super) enum Phase {
    /// It sets itself up; nobody has heard of it.
    Making,
    /// It waits at the gate.
    AtGate,
    /// It was let go on to its program.
    Released,
    /// It runs its program.
    Running,
    /// It will never run its program, and is about to end.
    Failed(Failure),
}

/// How the start of a process goes.
#[derive(Debug)]
pub(super) enum Start {
    /// Of a process that we have made.
    Own(Box<Spawned>),
    /// Of a process that a dead monitor of ours has made, and that was at the gate or just past it.
    Inherited {
        /// Where its reports come from.
        report: OwnedFd,
        /// Its gate.
        gate: OwnedFd,
        /// Whether it was let through.
        released: bool,
    },
}

impl Supervised {
    /// What the journal will say of a process that is not made yet.
    pub(super) fn plan(
        id: ProcessId,
        number: u64,
        stream_owner: u32,
        process: &oci_spec::runtime::Process,
        endpoints: Endpoints,
    ) -> record::Process {
        let args = process.args().clone().unwrap_or_default();
        let descriptors = Descriptors::default();
        let bounds = Bounds::default();
        record::Process { id, number, pid: 0, start_time: 0, stream_owner, args, endpoints, descriptors, bounds }
    }

    /// A process that was just made as planned; `asker` waits for it to start.
    ///
    /// # Errors
    /// `System`; the process ends, since its gate closes.
    pub(super) fn new(
        mut made: record::Process,
        spawned: Spawned,
        (streams, keeper): (Streams, Option<Keeper>),
        asker: ClientKey,
    ) -> Result<Supervised, Fault> {
        made.pid = spawned.pid;
        // It is a child of ours, so that its pid is its own until we reap it.
        made.start_time = identity::stat(spawned.pid).map_err(Fault::system("look at the new process"))?.start_time;
        let descriptor = spawned.pidfd.try_clone().map_err(Fault::system("duplicate a descriptor"))?;
        let lookout = Lookout::over(&made.endpoints);
        Ok(Supervised {
            made,
            descriptor,
            start: Some(Start::Own(Box::new(spawned))),
            phase: Phase::Making,
            asker: Some(asker),
            streams,
            relay: None,
            keeper,
            lookout,
            inherited: false,
            timed_out: false,
        })
    }

    /// Its name.
    pub(super) fn id(&self) -> &ProcessId {
        &self.made.id
    }

    /// Names it among the processes of all times of its container: 0 is init.
    pub(super) fn number(&self) -> u64 {
        self.made.number
    }

    /// Whether it has a terminal of its own.
    pub(super) fn has_terminal(&self) -> bool {
        self.made.endpoints.terminal.is_some()
    }

    /// Whether it is on its way to its program and who asked for that was lost with a dead monitor.
    pub(super) fn goes_on_for_nobody(&self) -> bool {
        matches!(self.phase, Phase::Released) && self.asker.is_none()
    }

    /// The numbers that a successor needs.
    pub(super) fn descriptors(&self) -> Descriptors {
        let mut numbers = Descriptors { pidfd: Some(self.descriptor.as_raw_fd()), ..Descriptors::default() };
        self.streams.write_down(&mut numbers);
        if let Some(relay) = &self.relay {
            let (master, source, sink) = relay.numbers();
            numbers.terminal = Some(master);
            numbers.stdin_source = source;
            numbers.stdout_sink = Some(sink);
        }
        if let Some(keeper) = &self.keeper {
            keeper.write_down(&mut numbers);
        }
        numbers.reader_lock = self.lookout.as_ref().and_then(Lookout::held);
        if let Some(start) = &self.start {
            numbers.report = Some(start.report().as_raw_fd());
            numbers.gate = Some(start.gate().as_raw_fd());
        }
        numbers
    }

    /// Sets the size of its terminal, now or, before it has one, for the start.
    pub(super) fn resize(&mut self, size: TerminalSize) -> rustix::io::Result<()> {
        self.made.endpoints.terminal = Some(size);
        self.relay.as_ref().map_or(Ok(()), |relay| relay.resize(size))
    }
}

impl Start {
    /// Where reports come from, to wait at.
    pub(super) fn report(&self) -> BorrowedFd<'_> {
        match self {
            Start::Own(spawned) => spawned.report.as_fd(),
            Start::Inherited { report, .. } => report.as_fd(),
        }
    }

    fn gate(&self) -> BorrowedFd<'_> {
        match self {
            Start::Own(spawned) => spawned.gate.as_fd(),
            Start::Inherited { gate, .. } => gate.as_fd(),
        }
    }

    /// Takes the next report, if there is one.
    ///
    /// # Errors
    /// The engine's.
    pub(super) fn next(&mut self, process: &OwnedFd) -> Result<Option<Report>, engine::Error> {
        match self {
            Start::Own(spawned) => spawned.next_report(),
            Start::Inherited { report, released, .. } => Ok(inherited_report(report, process, *released)),
        }
    }

    /// Lets the process go on to its program.
    ///
    /// # Errors
    /// The engine's.
    pub(super) fn open_gate(&mut self) -> Result<(), engine::Error> {
        match self {
            Start::Own(spawned) => spawned.open_gate(),
            Start::Inherited { gate, released, .. } => {
                *released = true;
                // That it is gone already is what its report tells.
                let _ = rustix::net::send(gate, &[1], SendFlags::NOSIGNAL);
                Ok(())
            }
        }
    }
}

/// The end of the pipe is a program that runs, unless the process died before it was let through; bytes are a failure.
fn inherited_report(report: &OwnedFd, process: &OwnedFd, released: bool) -> Option<Report> {
    match rustix::io::read(report, &mut [0; 4096]) {
        Ok(0) if !released && has_ended(process) => Some(died(Stage::Died)),
        Ok(0) => Some(Report::Running),
        Ok(_) => Some(died(Stage::Exec)),
        Err(_) => None,
    }
}

fn has_ended(process: &OwnedFd) -> bool {
    libcontainerd_stream::drain::is_readable(process).unwrap_or(false)
}

fn died(stage: Stage) -> Report {
    Report::Failed(engine::StartFailure { stage, errno: 0, path: None })
}
