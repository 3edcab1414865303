//! Where the bytes of a process go: the caller's choice, made before start.
//!
//! The choice is a [`Stdio`]; the adapter of streams turns it into [`Endpoints`], which the runtime opens. The types
//! leave no way to start a process without it.
//!
//! Keeps: "output" and "input" of ARCHITECTURE.md's promises, with the runtimes.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Where one stream of a process goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Place {
    /// Nowhere: /dev/null.
    #[default]
    Null,
    /// To the embedding program, live, one reader at a time.
    Stream,
}

/// The size of a terminal, in character cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSize {
    /// Width.
    pub columns: u16,
    /// Height.
    pub rows: u16,
}

impl Default for TerminalSize {
    fn default() -> Self {
        TerminalSize { columns: 80, rows: 24 }
    }
}

/// How long the streams of a process that has exited are still read, when children of it hold them open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Drain {
    /// Until what is in the pipe is read and it was quiet for 100 ms, at most 10 s.
    #[default]
    Quiet,
    /// Until every writer has closed it, however long that takes.
    UntilEof,
    /// At most so long.
    For(Duration),
    /// What is in the pipe when the process exits, and nothing after.
    None,
}

/// The streams of one process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stdio {
    /// What it reads.
    pub stdin: Place,
    /// What it writes.
    pub stdout: Place,
    /// Where it complains; with a terminal that is stdout's place.
    pub stderr: Place,
    /// A terminal of this size of its own, instead of three streams.
    pub terminal: Option<TerminalSize>,
    /// How long its streams are read after its exit.
    pub drain: Drain,
}

impl Stdio {
    /// Nothing in, nothing out.
    pub fn null() -> Self {
        Stdio::default()
    }

    /// Output live to the caller, nothing in.
    pub fn output() -> Self {
        Stdio { stdout: Place::Stream, stderr: Place::Stream, ..Stdio::default() }
    }

    /// Input and output live from and to the caller.
    pub fn piped() -> Self {
        Stdio { stdin: Place::Stream, ..Stdio::output() }
    }

    /// A terminal whose both directions are live.
    pub fn terminal(size: TerminalSize) -> Self {
        Stdio {
            stdin: Place::Stream,
            stdout: Place::Stream,
            stderr: Place::Null,
            terminal: Some(size),
            drain: Drain::default(),
        }
    }

    /// The same with another drain.
    #[must_use]
    pub fn drained(mut self, drain: Drain) -> Self {
        self.drain = drain;
        self
    }

    /// The same with stdin at `place`.
    #[must_use]
    pub fn with_stdin(mut self, place: Place) -> Self {
        self.stdin = place;
        self
    }
}

/// The runtime's end of one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Endpoint {
    /// /dev/null.
    #[default]
    Null,
    /// A named pipe at this absolute path, which exists.
    Fifo(PathBuf),
    /// A stream of the in-memory runtime, by its name.
    Memory(String),
}

/// The runtime's ends of the streams of one process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Endpoints {
    /// Where it reads from.
    pub stdin: Endpoint,
    /// Where it writes to.
    pub stdout: Endpoint,
    /// Where it complains to; `Null` with a terminal.
    pub stderr: Endpoint,
    /// A terminal of this size, between the program and stdin and stdout.
    pub terminal: Option<TerminalSize>,
    /// How long the streams are read after its exit.
    pub drain: Drain,
}

impl Endpoints {
    /// The ends of a process's three streams.
    pub fn new(stdin: Endpoint, stdout: Endpoint, stderr: Endpoint, stdio: &Stdio) -> Self {
        Endpoints { stdin, stdout, stderr, terminal: stdio.terminal, drain: stdio.drain }
    }
    /// The places that these are the ends of.
    pub fn stdio(&self) -> Stdio {
        let place = |end: &Endpoint| if *end == Endpoint::Null { Place::Null } else { Place::Stream };
        Stdio {
            stdin: place(&self.stdin),
            stdout: place(&self.stdout),
            stderr: place(&self.stderr),
            terminal: self.terminal,
            drain: self.drain,
        }
    }
}
