//! What a virtual process does: a script of the test's, or a verb of the probe program.
//!
//! A behaviour runs in its [`Surroundings`] and ends with an [`Ending`]; it knows no container and no runtime, so
//! that the machine decides about pids, signals without a handler, and what an end means.
//!
//! Imitates: exit codes, faults, signal handlers, blocking streams, terminals' sizes and line ends, children that
//! stay behind; not: file systems, echo and editing of a terminal, processor time.

mod surroundings;
mod verb;

use std::time::Duration;

pub(super) use surroundings::{Identity, Streams, Surroundings};
pub(super) use verb::Verb;

use crate::signal::Signal;
use crate::status::ExitStatus;

/// A scripted program: what it writes, when, and how it ends. Without an ending step it exits with 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Print(Vec<u8>),
    Complain(Vec<u8>),
    Wait(Duration),
    OutOfMemory,
    Exit(ExitStatus),
}

impl Program {
    /// One that does nothing yet.
    pub fn new() -> Self {
        Program::default()
    }

    /// Then it writes to stdout.
    #[must_use]
    pub fn prints(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.then(Step::Print(bytes.into()))
    }

    /// Then it writes to stderr.
    #[must_use]
    pub fn complains(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.then(Step::Complain(bytes.into()))
    }

    /// Then it waits, by tokio's clock.
    #[must_use]
    pub fn waits(self, duration: Duration) -> Self {
        self.then(Step::Wait(duration))
    }

    /// Then the kernel kills it for want of memory.
    #[must_use]
    pub fn runs_out_of_memory(self) -> Self {
        self.then(Step::OutOfMemory)
    }

    /// Then it ends so.
    #[must_use]
    pub fn ends(self, status: ExitStatus) -> Self {
        self.then(Step::Exit(status))
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    async fn run(&self, surroundings: &mut Surroundings) -> Ending {
        for step in &self.steps {
            match step {
                Step::Print(bytes) => surroundings.print(bytes).await,
                Step::Complain(bytes) => surroundings.complain(bytes).await,
                Step::Wait(duration) => tokio::time::sleep(*duration).await,
                Step::OutOfMemory => return Ending { oom: true, ..Ending::with(ExitStatus::Signal(Signal::KILL)) },
                Step::Exit(status) => return Ending::with(*status),
            }
        }
        Ending::code(0)
    }
}

/// What a process runs.
#[derive(Debug, Clone)]
pub(super) enum Behaviour {
    /// A test's script.
    Script(Program),
    /// A verb of the probe.
    Verb(Verb),
}

impl Behaviour {
    /// Whether it has a handler for that signal.
    pub(super) fn handles(&self, signal: Signal) -> bool {
        matches!(self, Behaviour::Verb(verb) if verb.handles(signal))
    }

    /// The processes that it starts before all else.
    pub(super) fn companions(&self) -> Vec<Verb> {
        match self {
            Behaviour::Verb(Verb::Brood) => vec![Verb::Sleep],
            _ => Vec::new(),
        }
    }

    /// Runs it to its end.
    pub(super) async fn run(self, mut surroundings: Surroundings) -> Ending {
        match self {
            Behaviour::Script(program) => program.run(&mut surroundings).await,
            Behaviour::Verb(verb) => verb.run(&mut surroundings).await,
        }
    }
}

/// How a behaviour ended.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) status: ExitStatus,
    pub(super) oom: bool,
    /// Processes that it left running, with its streams.
    pub(super) children: Vec<Verb>,
}

impl Ending {
    pub(super) fn with(status: ExitStatus) -> Self {
        Ending { status, oom: false, children: Vec::new() }
    }

    pub(super) fn code(code: u8) -> Self {
        Ending::with(ExitStatus::Code(code))
    }
}
