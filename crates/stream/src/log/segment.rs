//! The segment that is being written.
//!
//! Its index always has room reserved for a few records more than there are, so that what is lost and what has ended
//! can be said on a full disk. The last record is overwritten where it stands for nothing yet (a beginning without
//! bytes) or grows (a loss); everything else is appended, and what readers were told stays true.
//!
//! Does not know: limits, policies, other segments.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::index::{Found, MARK_AT, RECORDS_AT};
use super::record::{LENGTH, Record};
use super::state::State;
use super::{Channel, Why, directory, disk};
use crate::{Error, Result};

/// An open segment and what is in it.
#[derive(Debug)]
pub(super) struct Segment {
    first: u64,
    data: OwnedFd,
    index: OwnedFd,
    /// Bytes of data.
    size: u64,
    /// Bytes of index.
    used: u64,
    /// Up to where the index has room for certain.
    reserved: u64,
    /// Bytes that are lost after those of data.
    lost: u64,
    /// How many of them the index says.
    said: u64,
    /// The last record, if there is one after head and mark.
    last: Option<Record>,
}

impl Segment {
    /// Makes a new segment, for which there is room for a start; where that fails nothing is left.
    pub(super) fn create(place: BorrowedFd<'_>, first: u64, at: u64, state: State) -> Result<Self> {
        Self::make(place, first, at, state).map_err(|errno| {
            // The first error is the one to tell; what is left is cleared by the next who opens the log.
            let _ = disk::remove(place, &directory::data(first));
            let _ = disk::remove(place, &directory::index(first));
            Error::MakeSegment { first, source: errno.into() }
        })
    }

    fn make(place: BorrowedFd<'_>, first: u64, at: u64, state: State) -> rustix::io::Result<Self> {
        let index = disk::create(place, &directory::index(first))?;
        disk::reserve(index.as_fd(), 0, PAGE)?;
        let mut start = [0; 2 * LENGTH];
        start[..LENGTH].copy_from_slice(&Record::Head { offset: first, at, state }.encode());
        start[LENGTH..].copy_from_slice(&Record::Mark { offset: first, at }.encode());
        disk::write_at(index.as_fd(), &start, 0)?;
        // Last, because a segment is there as soon as it has data.
        let data = disk::create(place, &directory::data(first))?;
        disk::reserve(data.as_fd(), 0, DATA_ROOM)?;
        Ok(Self { first, data, index, size: 0, used: RECORDS_AT, reserved: PAGE, lost: 0, said: 0, last: None })
    }

    /// Opens a segment that was found, to go on with it; what is not right at the end of its index is cut off.
    pub(super) fn reopen(place: BorrowedFd<'_>, found: &Found) -> Result<Self> {
        let first = found.first;
        let open = |name: String| directory::open(place, &name, OFlags::RDWR);
        let failed = |errno: Errno| Error::OpenSegment { first, source: errno.into() };
        let data = open(directory::data(first)).map_err(failed)?;
        let index = open(directory::index(first)).map_err(failed)?;
        let used = found.sound();
        if found.length > used {
            disk::cut(index.as_fd(), used).map_err(|errno| Error::WriteIndex { first, source: errno.into() })?;
        }
        // What was reserved before still is, if nothing was cut off; it is asked for again before it is relied on.
        let (size, lost, last) = (found.size, found.lost(), found.records.last().copied());
        Ok(Self { first, data, index, size, used, reserved: used, lost, said: lost, last })
    }

    pub(super) fn first(&self) -> u64 {
        self.first
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn index_length(&self) -> u64 {
        self.used
    }

    /// Offset of the next byte that comes.
    pub(super) fn end(&self) -> u64 {
        self.first.saturating_add(self.size).saturating_add(self.lost)
    }

    pub(super) fn numbers(&self) -> [RawFd; 2] {
        [self.data.as_raw_fd(), self.index.as_raw_fd()]
    }

    /// Sees to it that the bytes that come next are this channel's.
    pub(super) fn begin(&mut self, channel: Channel, at: u64) -> Result<()> {
        let offset = self.end();
        match self.last {
            Some(Record::Begin { channel: same, at: before, .. })
                if same == channel && at.wrapping_sub(before) < RUN =>
            {
                Ok(())
            }
            Some(Record::Begin { offset: nothing_since, .. }) if nothing_since == offset => {
                self.replace(Record::Begin { offset, at, channel })
            }
            _ => {
                self.make_room()?;
                self.append(Record::Begin { offset, at, channel })
            }
        }
    }

    /// Moves at most `len` bytes from a pipe to the end of the data: how many. 0 means that the pipe has none.
    pub(super) fn take(&mut self, pipe: BorrowedFd<'_>, len: usize) -> rustix::io::Result<usize> {
        let moved = disk::splice_at(pipe, self.data.as_fd(), self.size, len)?;
        self.size += moved as u64;
        Ok(moved)
    }

    /// Writes down that so many bytes more are lost. They are counted even where that fails, and said with the next.
    pub(super) fn lose(&mut self, more: u64, at: u64) -> Result<()> {
        self.lost = self.lost.saturating_add(more);
        match self.last {
            Some(Record::Lost { offset, at, .. }) => {
                self.replace(Record::Lost { offset, at, count: self.end().saturating_sub(offset) })?;
            }
            _ => {
                let offset = self.said_end();
                self.append(Record::Lost { offset, at, count: self.lost.saturating_sub(self.said) })?;
            }
        }
        self.said = self.lost;
        Ok(())
    }

    pub(super) fn finish(&mut self, channel: Channel, why: Why, at: u64) -> Result<()> {
        self.append(Record::End { offset: self.said_end(), at, channel, why })
    }

    pub(super) fn start(&mut self, state: State, at: u64) -> Result<()> {
        self.make_room()?;
        self.append(Record::Start { offset: self.said_end(), at, state })
    }

    /// The end as far as readers of the index can know it.
    fn said_end(&self) -> u64 {
        self.first.saturating_add(self.size).saturating_add(self.said)
    }

    /// Says that everything up to here is there: wakes who watches the index.
    pub(super) fn mark(&self, at: u64) -> Result<()> {
        self.write(Record::Mark { offset: self.end(), at }, MARK_AT)
    }

    /// Sees to it that one record more leaves room for those that must always be possible.
    fn make_room(&mut self) -> Result<()> {
        if self.used + LENGTH as u64 + ALWAYS <= self.reserved {
            return Ok(());
        }
        disk::reserve(self.index.as_fd(), self.used, INDEX_ROOM).map_err(|errno| self.unwritten(errno))?;
        self.reserved = self.used + INDEX_ROOM;
        Ok(())
    }

    fn append(&mut self, record: Record) -> Result<()> {
        self.write(record, self.used)?;
        self.used += LENGTH as u64;
        self.last = Some(record);
        Ok(())
    }

    fn replace(&mut self, record: Record) -> Result<()> {
        self.write(record, self.used - LENGTH as u64)?;
        self.last = Some(record);
        Ok(())
    }

    fn write(&self, record: Record, at: u64) -> Result<()> {
        disk::write_at(self.index.as_fd(), &record.encode(), at).map_err(|errno| self.unwritten(errno))
    }

    fn unwritten(&self, errno: Errno) -> Error {
        Error::WriteIndex { first: self.first, source: errno.into() }
    }
}

/// So long a run of bytes of one channel goes by one time, in nanoseconds.
const RUN: u64 = 1_000_000;

/// Room in an index that only losses and ends may use: eight records.
const ALWAYS: u64 = 8 * LENGTH as u64;

/// Room that a new index has from the beginning: what a file takes up anyway.
const PAGE: u64 = 4096;

/// Room that is reserved at a time in an index that grows.
const INDEX_ROOM: u64 = 64 << 10;

/// Room for bytes without which a segment is not begun: else a disk that is almost full would get one each second.
const DATA_ROOM: u64 = 64 << 10;
