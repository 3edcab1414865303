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
    /// Into the container's kept output, for any number of readers from any offset. Not for stdin.
    Kept,
    /// To whatever this descriptor of the calling program is, which must stay open until the process is started: a
    /// pipe, a file or a socket. A terminal is refused: it could be typed into from inside.
    Descriptor(i32),
}

/// How output is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Keep {
    /// The length in bytes at which a segment is followed by the next.
    pub segment: u64,
    /// How many segments are kept, the newest among them; `None` for all of them.
    pub segments: Option<u32>,
    /// What happens to output that the disk has no room for.
    pub when_full: WhenFull,
}

impl Keep {
    /// All output, however much it is; who writes it waits while the disk is full.
    pub fn unbounded() -> Self {
        Keep { segments: None, when_full: WhenFull::Block, ..Keep::default() }
    }

    /// At most `segments` segments of `segment` bytes, of which the oldest makes room.
    pub fn bounded(segment: u64, segments: u32) -> Self {
        Keep { segment, segments: Some(segments), when_full: WhenFull::Drop }
    }
}

impl Default for Keep {
    /// At most 64 MiB in segments of 16.
    fn default() -> Self {
        Keep::bounded(16 << 20, 4)
    }
}

/// What happens to output that is to be kept while the disk is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WhenFull {
    /// It is thrown away, and a mark says how much.
    Drop,
    /// Who writes it waits until there is room.
    Block,
}

/// What happens to live output when its reader is gone and the pipe is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Unread {
    /// Who writes it waits for the next reader.
    #[default]
    Block,
    /// It is thrown away until there is a reader again.
    Discard,
    /// It goes into the container's kept output from then on.
    Keep,
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
    /// How output is kept, where it is.
    #[serde(default)]
    pub keep: Keep,
    /// What happens to live output that nobody reads.
    #[serde(default)]
    pub unread: Unread,
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

    /// Output kept on disk, nothing in.
    pub fn kept(keep: Keep) -> Self {
        Stdio { stdout: Place::Kept, stderr: Place::Kept, keep, ..Stdio::default() }
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
            ..Stdio::default()
        }
    }

    /// Whether any output is, or may come to be, kept.
    pub fn keeps(&self) -> bool {
        self.unread == Unread::Keep || self.stdout == Place::Kept || self.stderr == Place::Kept
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
    /// A named pipe at this absolute path, which exists, and which the runtime itself reads into [`Endpoints::log`].
    Kept(PathBuf),
    /// This descriptor of the calling program, open until the call returns.
    Descriptor(i32),
    /// A stream of the in-memory runtime, by its name.
    Memory(String),
}

/// Where the runtime keeps the output of one process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Log {
    /// A directory of this process's own, absolute, which exists.
    pub directory: PathBuf,
    /// How much of it, and what if there is no room.
    pub keep: Keep,
}

impl Log {
    /// Output kept in `directory` as `keep` says.
    pub fn new(directory: PathBuf, keep: Keep) -> Self {
        Log { directory, keep }
    }
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
    /// Where output is kept, if any is or may come to be.
    #[serde(default)]
    pub log: Option<Log>,
    /// What happens to live output that nobody reads.
    #[serde(default)]
    pub unread: Unread,
    /// The file, absolute, of which the one reader of live output holds an exclusive lock (`flock`) while it reads: how
    /// the runtime knows whether somebody does, where it has to know.
    #[serde(default)]
    pub reader_lock: Option<PathBuf>,
}

impl Endpoints {
    /// The ends of a process's three streams.
    pub fn new(stdin: Endpoint, stdout: Endpoint, stderr: Endpoint, stdio: &Stdio) -> Self {
        let (terminal, drain, unread) = (stdio.terminal, stdio.drain, stdio.unread);
        Endpoints { stdin, stdout, stderr, terminal, drain, log: None, unread, reader_lock: None }
    }

    /// The same, with live output read under the lock of that file.
    #[must_use]
    pub fn read_under(mut self, lock: PathBuf) -> Self {
        self.reader_lock = Some(lock);
        self
    }

    /// The same, with output kept in `log`.
    #[must_use]
    pub fn kept_in(mut self, log: Option<Log>) -> Self {
        self.log = log;
        self
    }

    /// The places that these are the ends of.
    pub fn stdio(&self) -> Stdio {
        let place = |end: &Endpoint| match end {
            Endpoint::Null => Place::Null,
            Endpoint::Kept(_) => Place::Kept,
            Endpoint::Descriptor(number) => Place::Descriptor(*number),
            Endpoint::Fifo(_) | Endpoint::Memory(_) => Place::Stream,
        };
        Stdio {
            stdin: place(&self.stdin),
            stdout: place(&self.stdout),
            stderr: place(&self.stderr),
            terminal: self.terminal,
            drain: self.drain,
            keep: self.log.as_ref().map(|log| log.keep).unwrap_or_default(),
            unread: self.unread,
        }
    }
}
