//! The port `ProcessIo`: the streams of a process, between the runtime and the embedding program.
//!
//! `prepare` makes the runtime's ends, `open` gives the program's. A stream is an ordinary asynchronous reader or
//! writer that its adapter can recognise again, so that `copy` takes the fastest road between two of them.

use std::any::Any;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::{Error, ErrorKind, Result};
use crate::id::{Instance, ProcessRef};
use crate::ports::runtime::{Sweep, Swept};
use crate::stdio::{Endpoints, Stdio};

/// What a process writes, for the program to read. End-of-file comes after the last byte.
pub trait OutputStream: AsyncRead + fmt::Debug + Send + Sync + Unpin {
    /// Itself, for its adapter to recognise.
    fn as_any(&mut self) -> &mut dyn Any;

    /// What its end-of-file means, once that was read; `None` before, and where nobody can tell.
    fn end(&self) -> Option<EndOfOutput> {
        None
    }
}

/// What a process reads, for the program to write.
///
/// Shutting it down closes the process's stdin, once it is started. Dropping it does not: the program may go and
/// another may come back to it.
pub trait InputStream: AsyncWrite + fmt::Debug + Send + Sync + Unpin {
    /// Itself, for its adapter to recognise.
    fn as_any(&mut self) -> &mut dyn Any;
}

/// The program's ends of the streams of one process; what was placed elsewhere is `None`.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Streams {
    /// To its stdin, or its terminal.
    pub stdin: Option<Box<dyn InputStream>>,
    /// From its stdout, or its terminal.
    pub stdout: Option<Box<dyn OutputStream>>,
    /// From its stderr.
    pub stderr: Option<Box<dyn OutputStream>>,
}

impl Streams {
    /// Streams with these ends.
    pub fn new(
        stdin: Option<Box<dyn InputStream>>,
        stdout: Option<Box<dyn OutputStream>>,
        stderr: Option<Box<dyn OutputStream>>,
    ) -> Self {
        Streams { stdin, stdout, stderr }
    }
}

/// What the streams of a process and the core tell each other of it, while the program has them.
///
/// The core implements it: a wish to close goes on to the runtime, exactly once and never before the process runs.
#[async_trait]
pub trait ProcessLink: fmt::Debug + Send + Sync {
    /// The program has written its last byte to stdin, and all of them have left the stream. Repeating it does nothing.
    fn close(&self);

    /// Waits until the process has ended. From then on its output is drained as [`Stdio::drain`] says, and then ends
    /// for the program even if children of the process hold it open.
    ///
    /// # Cancellation
    /// Safe.
    async fn ended(&self);
}

/// Whose streams.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct IoRequest {
    /// Of which process.
    pub process: ProcessRef,
    /// Below which directory (the container's bundle), absolute.
    pub directory: PathBuf,
    /// Where each stream goes.
    pub stdio: Stdio,
    /// The host's uid that owns the streams beside ourselves: known once the process was made, and only then.
    ///
    /// Whoever opens the streams of such a process sees the end of what it has written, even if that came before.
    pub owner: Option<u32>,
    /// Which creation of its container: kept output is found by it. Known wherever output is kept.
    pub instance: Option<Instance>,
}

impl IoRequest {
    /// The streams of `process`, placed as `stdio` says, below `directory`.
    pub fn new(process: ProcessRef, directory: PathBuf, stdio: Stdio) -> Self {
        IoRequest { process, directory, stdio, owner: None, instance: None }
    }
}

/// Which of its two outputs a process has written to; with a terminal all is stdout's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputKind {
    /// Its stdout, or its terminal.
    Stdout,
    /// Its stderr.
    Stderr,
}

/// From where kept output is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadFrom {
    /// The first byte. What is no longer kept is said to be lost, up to the oldest that is.
    #[default]
    Start,
    /// What comes from now on.
    Now,
    /// This offset. One that is no longer kept is said to be lost up to the oldest that is; one that is not written yet
    /// is waited for.
    Offset(u64),
    /// The first byte that was kept at or after this time.
    Time(SystemTime),
    /// The last so many lines, of both outputs or of the one asked for.
    Lines(u64),
}

/// How kept output is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadLog {
    /// From where.
    pub from: ReadFrom,
    /// Whether to wait for more, until the process has ended and all it wrote is read.
    pub follow: bool,
    /// Only this output.
    pub only: Option<OutputKind>,
}

/// The next thing that kept output has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Piece {
    /// Bytes of one output.
    Bytes {
        /// Offset of the first of them among all bytes of this process's output.
        offset: u64,
        /// Which output.
        kind: OutputKind,
        /// When they were kept.
        at: SystemTime,
        /// They.
        bytes: Bytes,
    },
    /// Bytes that are not there: older than what is kept, or dropped for want of room.
    Lost {
        /// Offset of the first of them.
        from: u64,
        /// Offset of the first that is there again.
        to: u64,
    },
    /// One output has ended.
    End {
        /// Which output.
        kind: OutputKind,
        /// Why.
        why: EndOfOutput,
        /// When.
        at: SystemTime,
    },
}

/// What the end of an output means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EndOfOutput {
    /// Everybody who could write has closed it.
    Closed,
    /// The process has ended and its drain was over; somebody whom it left behind may still have written.
    Drained,
    /// Who relayed it died with everything that held it open.
    Broken,
}

/// A reader of kept output. Dropping it ends it.
#[async_trait]
pub trait LogSource: fmt::Debug + Send {
    /// The next piece, or `None` when there is no more: all outputs have ended or, without `follow`, what was there
    /// when it was opened is read.
    ///
    /// # Errors
    /// `System` when what is kept cannot be read.
    ///
    /// # Cancellation
    /// Safe: a dropped call loses nothing.
    async fn next(&mut self) -> Result<Option<Piece>>;
}

/// Makes, opens, discards and removes the streams of processes.
///
/// # Implementers
/// Called concurrently for different processes; for one process in the order prepare, open, …, remove. No call may
/// block a thread on a peer.
#[async_trait]
pub trait ProcessIo: fmt::Debug + Send + Sync {
    /// Makes the runtime's ends.
    ///
    /// # Errors
    /// `AlreadyExists` when streams of that name are there; after any error nothing is left.
    async fn prepare(&self, request: &IoRequest) -> Result<Endpoints>;

    /// Opens the program's ends, at once: the first read or write waits for the runtime.
    ///
    /// # Errors
    /// `NotFound` when they are not there; `WrongState` naming the reader when another program reads them;
    /// `PermissionDenied` when what is there is not what was made.
    async fn open(&self, request: &IoRequest, link: Arc<dyn ProcessLink>) -> Result<Streams>;

    /// Reads and throws away what the process writes, for at most `limit`, so that it can end.
    async fn discard(&self, request: &IoRequest, limit: Duration) -> Result<()>;

    /// Removes the streams; missing ones are fine. Those of an init whose instance nobody knows, of a create that was
    /// killed, go with the output that was to be kept.
    async fn remove(&self, request: &IoRequest) -> Result<()>;

    /// Opens the kept output of a process for reading. Takes no lock; any number may read.
    ///
    /// # Errors
    /// `NotFound` when none was kept; `Unsupported` when these streams keep none.
    async fn log(&self, process: &ProcessRef, instance: Instance, read: ReadLog) -> Result<Box<dyn LogSource>> {
        let _ = (instance, read);
        let error = Error::new(ErrorKind::Unsupported, "these streams keep no output");
        Err(error.on(&process.container).of(&process.process))
    }

    /// Removes all kept output of one creation of a container; none is fine.
    async fn forget(&self, instance: Instance) -> Result<()> {
        let _ = instance;
        Ok(())
    }

    /// Finds kept output that belongs to none of the `living` and is older than a minute, and removes it unless it is
    /// only to be found.
    async fn sweep(&self, living: &[Instance], how: Sweep) -> Result<Vec<Swept>> {
        let _ = (living, how);
        Ok(Vec::new())
    }

    /// Moves bytes until end-of-file or until the sink is closed by its reader, and says how many.
    ///
    /// # Errors
    /// `System` when a side fails otherwise.
    ///
    /// # Cancellation
    /// Bytes that were read and not yet written are lost to the streams: drop it only to give up the copy.
    async fn copy(&self, from: &mut dyn OutputStream, to: &mut dyn InputStream) -> Result<u64> {
        copy_plainly(from, to).await
    }
}

/// The road that any two streams have: read and write.
///
/// # Errors
/// `System` when a side fails.
///
/// # Cancellation
/// As [`ProcessIo::copy`].
pub async fn copy_plainly(from: &mut dyn OutputStream, to: &mut dyn InputStream) -> Result<u64> {
    let mut from = tokio::io::BufReader::with_capacity(64 * 1024, from);
    let mut to = to;
    match tokio::io::copy_buf(&mut from, &mut to).await {
        Ok(bytes) => Ok(bytes),
        Err(e) => Err(Error::new(ErrorKind::System, "bytes could not be copied").because(e)),
    }
}
