//! What a journal says: its records, and where they end.
//!
//! Records are read from the start up to the first thing that is none. What comes after that is not believed, even if
//! it looks like a record: the order of records is part of what they say, and behind a hole it is not known.

use std::ffi::OsStr;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::OFlags;

use crate::dir::{Dir, read_all, single};
use crate::error::Error;
use crate::frame;

/// The most bytes of a journal that are read: 256 MiB. A journal is to be rewritten long before.
const MAX_JOURNAL: u64 = 256 * 1024 * 1024;

/// What was read from a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The payloads of its records, in the order in which they were appended.
    pub records: Vec<Vec<u8>>,
    /// What stands behind the last record, if anything does.
    pub cut: Option<Cut>,
    /// Where the last record ends, in bytes.
    pub(super) length: u64,
}

/// The end of a journal that is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Where it begins, in bytes from the start.
    pub offset: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// What it looks like.
    pub why: CutReason,
}

/// What the end of a journal that is no record looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CutReason {
    /// A record without its end: its write was interrupted, or goes on just now.
    Torn,
    /// Nothing but zeros: the length reached the disk and the bytes did not.
    Zeros,
    /// A line whose sum is not that of its contents.
    Garbage,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.why {
            CutReason::Torn => "a torn record",
            CutReason::Zeros => "zeros",
            CutReason::Garbage => "a damaged record",
        };
        write!(f, "{what} at offset {}, {} bytes to the end", self.offset, self.bytes)
    }
}

/// Reads the journal `name` without repairing it: for those who look while somebody else writes.
///
/// A [`CutReason::Torn`] tail may be a record that is being written just now.
///
/// # Errors
/// [`Error::Open`] ([`Error::is_not_found`] where missing), [`Error::WrongKind`] or [`Error::Foreign`] when it is not a
/// file of ours, [`Error::Read`].
pub fn read(dir: &Dir, name: impl AsRef<OsStr>) -> Result<Replay, Error> {
    let name = single(name.as_ref())?;
    let file = dir.open_own_file(name, OFlags::RDONLY)?;
    of_file(file.as_fd(), &dir.at(name))
}

/// Reads the journal in `file` from its start.
pub(super) fn of_file(file: BorrowedFd<'_>, path: &Path) -> Result<Replay, Error> {
    Ok(of_bytes(&read_all(file, path, MAX_JOURNAL)?))
}

pub(super) fn of_bytes(bytes: &[u8]) -> Replay {
    let mut records = Vec::new();
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let Some(payload) = frame::decode(&rest[..end]) else { break };
        records.push(payload.to_vec());
        rest = &rest[end + 1..];
    }
    let offset = (bytes.len() - rest.len()) as u64;
    let cut = (!rest.is_empty()).then(|| Cut { offset, bytes: rest.len() as u64, why: reason(rest) });
    Replay { records, cut, length: offset }
}

fn reason(tail: &[u8]) -> CutReason {
    if tail.iter().all(|byte| *byte == 0) {
        CutReason::Zeros
    } else if tail.contains(&b'\n') {
        CutReason::Garbage
    } else {
        CutReason::Torn
    }
}
