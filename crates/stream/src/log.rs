//! Kept output: what one process wrote, on disk, for one writer and any number of readers.
//!
//! A directory holds *segments*. `FIRST.data` has the raw bytes of both outputs in the order they were taken, FIRST
//! being the offset of the first of them among all bytes of that process for ever (20 digits); `FIRST.index` says in
//! records of 32 bytes whose they are, when they came, what was lost and what has ended (`record`). A hole between the
//! end of a segment and the name of the next is bytes that were dropped. The [`Writer`] moves bytes by one splice from a
//! pipe to the page cache, so there is no moment at which its death loses or doubles one; a [`Reader`] holds nothing
//! that the writer would wait for.
//!
//! Keeps: `a_writer_killed_at_any_step_loses_and_doubles_nothing`, `whatever_is_taken_is_read_as_the_model_says`.
//! Does not know: containers, runs, formats of lines; who may write (one at a time: the caller sees to it).

use std::time::{Duration, SystemTime};

pub use backwards::tail;
pub use reader::{From, Next, Piece, Read, Reader};
pub use watch::{clear, watch};
pub use writer::{Repaired, Taken, Writer};

mod backwards;
mod directory;
mod disk;
mod index;
mod reader;
mod record;
mod segment;
mod state;
mod watch;
mod writer;

/// How much is kept, and what happens when the disk has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The length in bytes at which a segment is followed by the next; at least 1. Its index ends it at that length
    /// too, though not below 64 KiB.
    pub segment: u64,
    /// How many full segments are kept, the newest among them; `None` for all. At least 1.
    pub segments: Option<u32>,
    /// Whether bytes for which there is no room are thrown away and counted; else they stay in the pipe.
    pub drop_when_full: bool,
}

/// Which of its two outputs a process has written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Its stdout, or its terminal.
    Stdout,
    /// Its stderr.
    Stderr,
}

/// Why an output has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// Everybody who could write has closed it.
    Closed,
    /// Its process has ended and its drain was over.
    Drained,
    /// Who relayed it died with everything that held it open.
    Broken,
}

const BOTH: [Channel; 2] = [Channel::Stdout, Channel::Stderr];

/// Nanoseconds since 1970, which is how times are kept; 0 for any before.
fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn time(nanoseconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

#[cfg(test)]
mod tests;
