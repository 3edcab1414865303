//! The one road for bytes: a transfer from one descriptor to another, in steps.
//!
//! Where either side is a pipe the bytes are spliced and never enter this process; else, and wherever the kernel refuses
//! to splice (a file opened for appending, some devices), they are copied through a buffer. A pipe of our own between
//! two sides that are none was decided against: two splices of small parts cost more than one copy.
//! A step never waits on a side that is non-blocking; splicing does not wait on a pipe in any case.
//!
//! Keeps: no byte is lost or doubled over partial writes: `no_chunking_loses_doubles_or_reorders_a_byte`.
//! Keeps: a closed sink is a result, never a signal: `a_closed_sink_is_told_even_where_sigpipe_kills`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{FileType, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::pipe::{SpliceFlags, splice};

use crate::drain::{has_lost_its_writers, is_readable, is_writable};
use crate::sys::without_sigpipe;
use crate::{Error, Result};
use held::Held;

mod held;

/// What one step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many bytes (at least one) went into the sink.
    Moved(usize),
    /// The source has nothing now, though it may later; nothing is held back.
    SourceEmpty,
    /// The sink takes nothing now, though it may later.
    SinkFull,
    /// The source has ended, and the sink has all that it gave.
    End,
    /// Nobody will ever read from the sink again.
    SinkClosed,
}

/// A transfer between two descriptors, which are passed to each step and owned by the caller.
///
/// Dropping it loses the bytes that it holds (see [`held`](Self::held)), and nothing else.
#[derive(Debug)]
pub struct Transfer {
    road: Road,
    source: Side,
    sink: Side,
    held: Held,
}

impl Transfer {
    /// Chooses the road between two descriptors by what they are.
    ///
    /// Descriptors that cannot be asked are copied between; the first step then tells what is wrong with them.
    pub fn between(from: &impl AsFd, to: &impl AsFd) -> Self {
        let (source, sink) = (Side::of(from.as_fd()), Side::of(to.as_fd()));
        let appends = rustix::fs::fcntl_getfl(to).is_ok_and(|flags| flags.contains(OFlags::APPEND));
        let road = if (source == Side::Pipe || sink == Side::Pipe) && !appends { Road::Splice } else { Road::Copy };
        Self { road, source, sink, held: Held::default() }
    }

    /// Copies between two descriptors, even where splice would do.
    ///
    /// For sides that block and are not pipes: a copy asks each for no more than it is ready for, a splice would wait.
    pub fn copying(from: &impl AsFd, to: &impl AsFd) -> Self {
        Self { road: Road::Copy, ..Self::between(from, to) }
    }

    /// Tells how many bytes were taken from the source and are not yet in the sink.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Tells whether bytes are spliced, as far as is known before the next step.
    pub fn splices(&self) -> bool {
        matches!(self.road, Road::Splice)
    }

    /// Moves at most `budget` bytes (at least one) from `from` to `to`, the two that the transfer was made for.
    ///
    /// # Errors
    /// `Read`, `Write`, `Examine`. What was held is still held.
    pub fn step(&mut self, from: &impl AsFd, to: &impl AsFd, budget: usize) -> Result<Step> {
        let (from, to, budget) = (from.as_fd(), to.as_fd(), budget.max(1));
        if !self.held.is_empty() {
            return self.pour(to, budget);
        }
        match self.road {
            Road::Splice => self.splice(from, to, budget),
            Road::Copy => self.copy(from, to, budget),
        }
    }

    fn splice(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, budget: usize) -> Result<Step> {
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        let len = budget.min(MOST_SPLICED);
        let done = without_sigpipe(|| retry_on_intr(|| splice(from, None, to, None, len, flags)));
        match done {
            Ok(0) => self.nothing_read(from),
            Ok(n) => Ok(Step::Moved(n)),
            Err(Errno::PIPE) => Ok(Step::SinkClosed),
            Err(Errno::AGAIN) => self.find_who_is_not_ready(from, to, budget),
            Err(Errno::INVAL) => {
                self.road = Road::Copy;
                self.copy(from, to, budget)
            }
            // One side is a pipe, and a pipe fails in no other way: so the other side has failed.
            Err(errno) if self.source == Side::Pipe => self.sink.write_failed(errno),
            Err(errno) => self.source.read_failed(errno),
        }
    }

    /// Splice says only that one of the two was not ready.
    fn find_who_is_not_ready(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, budget: usize) -> Result<Step> {
        if !is_readable(from)? {
            return Ok(Step::SourceEmpty);
        }
        if !is_writable(to)? {
            return Ok(Step::SinkFull);
        }
        // It has become ready since, or it is ready for less than splice wants: a copy tells the two apart.
        self.copy(from, to, budget)
    }

    fn copy(&mut self, from: BorrowedFd<'_>, to: BorrowedFd<'_>, budget: usize) -> Result<Step> {
        match retry_on_intr(|| self.held.fill(from, budget)) {
            Ok(0) => self.nothing_read(from),
            Ok(_) => self.pour(to, budget),
            Err(Errno::AGAIN) => Ok(Step::SourceEmpty),
            Err(errno) => self.source.read_failed(errno),
        }
    }

    fn pour(&mut self, to: BorrowedFd<'_>, budget: usize) -> Result<Step> {
        match without_sigpipe(|| retry_on_intr(|| self.held.pour(to, budget))) {
            Ok(0) | Err(Errno::AGAIN) => Ok(Step::SinkFull),
            Ok(n) => Ok(Step::Moved(n)),
            Err(errno) => self.sink.write_failed(errno),
        }
    }

    /// A read of nothing is an end, but for a FIFO to which no writer has come yet.
    fn nothing_read(&self, from: BorrowedFd<'_>) -> Result<Step> {
        if self.source == Side::Pipe && !has_lost_its_writers(from)? {
            return Ok(Step::SourceEmpty);
        }
        Ok(Step::End)
    }
}

/// Writes once, as far as the sink takes it, without a signal where nobody reads: how many bytes went.
///
/// # Errors
/// Those of write(2), `BrokenPipe` and `WouldBlock` among them.
pub fn write(to: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(without_sigpipe(|| retry_on_intr(|| rustix::io::write(to.as_fd(), bytes)))?)
}

/// The most that one splice is asked for: more than any pipe holds, less than any file system minds.
const MOST_SPLICED: usize = 16 << 20;

#[derive(Debug, Clone, Copy)]
enum Road {
    Splice,
    Copy,
}

/// What a descriptor is, as far as its ways to fail differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Pipe,
    Terminal,
    Other,
}

impl Side {
    fn of(fd: BorrowedFd<'_>) -> Self {
        let Ok(stat) = rustix::fs::fstat(fd) else {
            return Self::Other;
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Fifo => Self::Pipe,
            FileType::CharacterDevice if rustix::termios::isatty(fd) => Self::Terminal,
            _ => Self::Other,
        }
    }

    /// A terminal ends with EIO once its other side is closed.
    fn read_failed(self, errno: Errno) -> Result<Step> {
        match (self, errno) {
            (Self::Terminal, Errno::IO) => Ok(Step::End),
            _ => Err(Error::Read { source: errno.into() }),
        }
    }

    fn write_failed(self, errno: Errno) -> Result<Step> {
        match (self, errno) {
            (_, Errno::PIPE | Errno::CONNRESET) | (Self::Terminal, Errno::IO) => Ok(Step::SinkClosed),
            _ => Err(Error::Write { source: errno.into() }),
        }
    }
}

#[cfg(test)]
mod tests;
