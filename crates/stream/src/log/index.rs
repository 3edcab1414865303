//! An index as it is found on the disk: its records up to the first that is none.
//!
//! The head must be right; the mark, second, is not looked at. After them a record is taken while its sum is right, its
//! place can be true of the data that is there, and its offset does not go back: what follows the first that fails is a
//! torn tail, and never read.
//!
//! Does not know: whether somebody is writing; who is reads again later.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::OFlags;
use rustix::io::{Errno, retry_on_intr};

use super::directory;
use super::record::{LENGTH, Record};
use crate::{Error, Result};

/// Where the mark is.
pub(super) const MARK_AT: u64 = LENGTH as u64;

/// Where the first record after head and mark is.
pub(super) const RECORDS_AT: u64 = 2 * LENGTH as u64;

/// A segment as it was found.
#[derive(Debug)]
pub(super) struct Found {
    /// Offset of its first byte.
    pub(super) first: u64,
    /// Its bytes.
    pub(super) size: u64,
    /// What its head says.
    pub(super) head: Record,
    /// What is after head and mark, as far as it is right.
    pub(super) records: Vec<Record>,
    /// Length of the index in bytes, with what is not right.
    pub(super) length: u64,
}

impl Found {
    /// Reads a segment's index; its data is asked for its length first, so that every byte of it is accounted for.
    pub(super) fn load(place: BorrowedFd<'_>, first: u64) -> Result<Self> {
        let failed = |errno: Errno| Error::OpenSegment { first, source: errno.into() };
        let data = directory::open(place, &directory::data(first), OFlags::RDONLY).map_err(failed)?;
        let index = directory::open(place, &directory::index(first), OFlags::RDONLY).map_err(failed)?;
        Self::read(data.as_fd(), index.as_fd(), first)
    }

    /// The same of files that are open.
    pub(super) fn read(data: BorrowedFd<'_>, index: BorrowedFd<'_>, first: u64) -> Result<Self> {
        let failed = |errno: Errno| Error::ReadSegment { first, source: errno.into() };
        let size = directory::length(data).map_err(failed)?;
        let bytes = whole(index).map_err(failed)?;
        let (head, records) = parse(&bytes, first, size).ok_or(Error::BadIndex { first })?;
        Ok(Self { first, size, head, records, length: bytes.len() as u64 })
    }

    /// What the head of a segment says, if it can be read.
    pub(super) fn head(place: BorrowedFd<'_>, first: u64) -> Option<Record> {
        let index = directory::open(place, &directory::index(first), OFlags::RDONLY).ok()?;
        head(index.as_fd(), first)
    }

    /// Length in bytes of the part of the index that is right.
    pub(super) fn sound(&self) -> u64 {
        RECORDS_AT + (self.records.len() * LENGTH) as u64
    }

    /// Offset of what comes after it, as far as it knows.
    pub(super) fn end(&self) -> u64 {
        self.first.saturating_add(self.size).saturating_add(self.lost())
    }

    /// How many bytes after its own are known to be lost.
    pub(super) fn lost(&self) -> u64 {
        let count = |record: &Record| match *record {
            Record::Lost { count, .. } => Some(count),
            _ => None,
        };
        self.records.iter().filter_map(count).fold(0, u64::saturating_add)
    }
}

/// What the head of an open index says, if it can be read.
pub(super) fn head(index: BorrowedFd<'_>, first: u64) -> Option<Record> {
    let mut bytes = [0; LENGTH];
    let read = retry_on_intr(|| rustix::io::pread(index, &mut bytes, 0)).ok()?;
    let head = Record::decode(&bytes).filter(|_| read == LENGTH)?;
    matches!(head, Record::Head { offset, .. } if offset == first).then_some(head)
}

/// The head of a segment and its further records, from the bytes of its index.
///
/// `None` when the head is not right. Never more records than the bytes hold.
pub(super) fn parse(bytes: &[u8], first: u64, size: u64) -> Option<(Record, Vec<Record>)> {
    let (all, _torn) = bytes.as_chunks::<LENGTH>();
    let head = all.first().and_then(Record::decode)?;
    if !matches!(head, Record::Head { offset, .. } if offset == first) {
        return None;
    }
    let mut end = Plausible { at: first, written: first.saturating_add(size), lost: false };
    let rest = all.iter().skip(2).map_while(Record::decode);
    Some((head, rest.take_while(|record| end.admits(record)).collect()))
}

/// What may come next.
struct Plausible {
    at: u64,
    written: u64,
    lost: bool,
}

impl Plausible {
    fn admits(&mut self, record: &Record) -> bool {
        let offset = record.offset();
        if offset < self.at || (offset > self.written && !self.lost) {
            return false;
        }
        match *record {
            Record::Head { .. } | Record::Mark { .. } => return false,
            Record::Begin { .. } if self.lost => return false,
            Record::Lost { count, .. } => {
                self.lost = true;
                self.at = offset.saturating_add(count);
                return true;
            }
            _ => {}
        }
        self.at = offset;
        true
    }
}

/// Reads a file from its beginning; an index is bounded by its writer.
fn whole(file: BorrowedFd<'_>) -> rustix::io::Result<Vec<u8>> {
    let length = directory::length(file)?.min(LONGEST);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let mut filled = 0;
    while filled < bytes.len() {
        match retry_on_intr(|| rustix::io::pread(file, &mut bytes[filled..], filled as u64))? {
            0 => break,
            n => filled += n,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// No index is read further than this, whoever made it.
const LONGEST: u64 = 256 << 20;
