//! Logs: the kept output of a process, for any number of readers from any offset.
//!
//! Asked by a builder, read as pieces (bytes with offset, time and output; what is lost; ends) or as lines. A read
//! takes no lock and holds up nobody: it is of the creation that has the name when it is opened, and a follower's
//! end is the log's own.
//!
//! Decided: whoever reads says where it is by offsets, which stay good for as long as the container is there.
//! Keeps: "output"; `testing/conformance/kept.rs`.

mod lines;
mod reader;
mod search;

use std::fmt;
use std::sync::Arc;

pub use lines::{LONGEST_LINE, LogEntry, LogLine, LogLines};
pub(super) use reader::LogReader;

use super::tasks::within;
use super::{Client, Shared};
use crate::error::{Error, ErrorKind, Result};
use crate::id::ProcessRef;
use crate::ports::process_io::{LogSource, OutputKind, Piece, ReadFrom, ReadLog};
use search::Search;

impl Client {
    /// The kept output of a process: from its start, what there is by now, of both outputs, unless told otherwise.
    /// Nothing is opened yet.
    pub fn logs(&self, process: &ProcessRef) -> Logs {
        Logs { shared: Arc::clone(&self.shared), process: process.clone(), read: ReadLog::default() }
    }
}

/// How the kept output of a process is to be read.
#[must_use = "nothing is read before it is opened"]
pub struct Logs {
    shared: Arc<Shared>,
    process: ProcessRef,
    read: ReadLog,
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logs").field("process", &self.process).field("read", &self.read).finish_non_exhaustive()
    }
}

impl Logs {
    /// From there.
    pub fn from(mut self, from: ReadFrom) -> Self {
        self.read.from = from;
        self
    }

    /// Waits for more, until the process has ended and all it wrote is read.
    pub fn follow(mut self) -> Self {
        self.read.follow = true;
        self
    }

    /// Only this output.
    pub fn only(mut self, kind: OutputKind) -> Self {
        self.read.only = Some(kind);
        self
    }

    /// Opens it.
    ///
    /// # Errors
    /// `NotFound` when there is no such container, or no output of that process is kept; `Unsupported` where none can
    /// be.
    pub async fn open(self) -> Result<LogStream> {
        let Logs { shared, process, read } = self;
        let source = within("logs", &process.container, shared.log(&process, read)).await;
        let source = source.map_err(|e| e.of(&process.process))?;
        Ok(LogStream { source, process })
    }

    /// Follows it until `times` lines contain `pattern`. A line counts as soon as the pattern is in it, also before
    /// its end is written; the lines of the two outputs are told apart.
    ///
    /// # Errors
    /// `NotFound` when the output ended before that, and as [`Logs::open`]; `InvalidArgument` when the pattern is
    /// empty or contains a line's end.
    ///
    /// # Cancellation
    /// Leaves no trace.
    pub async fn wait_for(self, pattern: impl AsRef<[u8]>, times: usize) -> Result<()> {
        let process = self.process.clone();
        let searched = self.search(pattern.as_ref(), times).await;
        searched.map_err(|e| e.during("logs").on(&process.container).of(&process.process))
    }

    async fn search(self, pattern: &[u8], times: usize) -> Result<()> {
        let mut search = Search::new(pattern)?;
        let mut stream = self.follow().open().await?;
        while search.found() < times {
            match stream.next().await? {
                Some(piece) => search.take(&piece),
                None => return Err(too_few(search.found(), times)),
            }
        }
        Ok(())
    }
}

fn too_few(found: usize, times: usize) -> Error {
    Error::new(ErrorKind::NotFound, format!("its output has ended; {found} of {times} lines contain what was wanted"))
}

/// Kept output that is being read. Dropping it ends the read.
#[derive(Debug)]
pub struct LogStream {
    source: Box<dyn LogSource>,
    process: ProcessRef,
}

impl LogStream {
    /// The next piece, or `None` when there is no more.
    ///
    /// # Errors
    /// `System` when what is kept cannot be read.
    ///
    /// # Cancellation
    /// Safe: a dropped call loses nothing.
    pub async fn next(&mut self) -> Result<Option<Piece>> {
        let piece = self.source.next().await;
        piece.map_err(|e| e.during("logs").on(&self.process.container).of(&self.process.process))
    }

    /// The same, line by line.
    pub fn lines(self) -> LogLines {
        LogLines::new(self)
    }
}

impl Shared {
    /// Opens the kept output of a process of the container that has the name now.
    pub(super) async fn log(&self, process: &ProcessRef, read: ReadLog) -> Result<Box<dyn LogSource>> {
        let status = self.runtime.state(&process.container).await?;
        self.io.log(process, status.instance, read).await
    }
}
