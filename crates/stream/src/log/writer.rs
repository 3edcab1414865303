//! The one who writes kept output.
//!
//! Before bytes are moved it is written down whose they are; then one splice takes them from the pipe into the page
//! cache. So a writer that is killed leaves either a run without bytes or bytes that are attributed rightly, and the rest
//! in the pipe: the data's length is the truth. What the disk has no room for stays in the pipe or is dropped and counted,
//! as the limits say, and the disk is tried again after a second. Nothing here waits, and no failure of the disk is an
//! error of [`take`](Writer::take): it is told by [`trouble`](Writer::trouble).
//!
//! Keeps: `a_writer_killed_at_any_step_loses_and_doubles_nothing`, `a_full_disk_drops_and_counts_and_goes_on`,
//! `a_full_disk_leaves_the_bytes_in_the_pipe_where_none_may_be_lost`.

use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant, SystemTime};

use rustix::io::Errno;

use super::segment::Segment;
use super::state::State;
use super::{Channel, Limits, Why, directory, disk, nanoseconds};
use crate::drain::has_lost_its_writers;
use crate::{Error, Result};

mod open;

/// What became of a source's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// So many bytes (at least one) are kept.
    Moved(usize),
    /// So many bytes (at least one) were thrown away, because the disk has no room for them.
    Dropped(usize),
    /// The source has nothing now, though it may later.
    SourceEmpty,
    /// The source has ended, and everything that it gave was taken.
    SourceEnded,
    /// The bytes are where they were, because the disk has no room for them: to be tried again after a while.
    NoRoom,
}

/// What was not right with a log that was continued, and was put right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Length in bytes of what was cut off an index.
    pub cut: u64,
    /// How many files were removed that belonged to no segment.
    pub strays: usize,
    /// Whether the newest segment had to be left as it is, unreadable.
    pub unreadable: bool,
}

/// The writer of one process's kept output, of which there is one at a time.
///
/// Dropping it, or killing its process, ends nothing: the next [`open`](Self::open) or [`resume`](Self::resume) goes on.
#[derive(Debug)]
pub struct Writer {
    directory: OwnedFd,
    limits: Limits,
    /// None while the disk could not be used for one.
    segment: Option<Segment>,
    older: VecDeque<Older>,
    /// Offset of the next byte, with those that are lost.
    offset: u64,
    state: State,
    /// Whether the disk says something else of the state.
    unsaid: bool,
    /// When the disk is tried again.
    retry: Option<Instant>,
    trouble: Option<Error>,
    repaired: Option<Repaired>,
    /// Whether something was written that readers were not woken for.
    unmarked: bool,
}

/// A segment that is followed by another.
#[derive(Debug)]
struct Older {
    first: u64,
    /// What it counts of what may be kept, in bytes.
    weight: u64,
}

impl Writer {
    /// Moves at most `budget` bytes (at least one) from a pipe of which no one else reads.
    ///
    /// Once it returned `Moved`, the bytes are kept, and readers see them; [`commit`](Self::commit) wakes them. A channel
    /// that had ended is open again.
    ///
    /// # Errors
    /// `Examine`, `Read` when the source fails. The disk's failures are no errors, but `NoRoom` or `Dropped`.
    pub fn take(&mut self, channel: Channel, from: &impl AsFd, budget: usize) -> Result<Taken> {
        let from = from.as_fd();
        let present = rustix::io::ioctl_fionread(from).map_err(|errno| Error::Examine { source: errno.into() })?;
        if present == 0 {
            return Ok(if has_lost_its_writers(from)? { Taken::SourceEnded } else { Taken::SourceEmpty });
        }
        let budget = usize::try_from(present).unwrap_or(usize::MAX).min(budget.max(1));
        if self.may_try() {
            match self.keep(channel, from, budget) {
                Ok(0) => return Ok(Taken::SourceEmpty),
                Ok(moved) => return Ok(Taken::Moved(moved)),
                Err(error) => self.have(error),
            }
        }
        if self.limits.drop_when_full { self.lose(from, budget) } else { Ok(Taken::NoRoom) }
    }

    /// Wakes who follows; called once after a turn's bytes.
    ///
    /// # Errors
    /// `WriteIndex`; what was taken is there all the same.
    pub fn commit(&mut self) -> Result<()> {
        if self.unsaid && self.may_try() {
            self.say_state().inspect_err(|_| self.retry = Some(Instant::now() + TRY_AGAIN))?;
        }
        if !std::mem::take(&mut self.unmarked) {
            return Ok(());
        }
        self.segment.as_ref().map_or(Ok(()), |segment| segment.mark(now()))
    }

    /// Writes down that a channel has ended, once, and wakes who follows.
    ///
    /// # Errors
    /// `WriteIndex`; it is written as soon as the disk allows, while this writer lives.
    pub fn end(&mut self, channel: Channel, why: Why) -> Result<()> {
        if self.state.ended.has(channel) {
            return Ok(());
        }
        self.state.end(channel);
        let said = self.segment.as_mut().map(|segment| segment.finish(channel, why, now()));
        self.unsaid |= !matches!(said, Some(Ok(())));
        self.unmarked = true;
        said.unwrap_or(Ok(()))?;
        self.commit()
    }

    /// Tells whether a channel has ended and nothing of it was taken since.
    pub fn ended(&self, channel: Channel) -> bool {
        self.state.ended.has(channel)
    }

    /// Tells whether the disk says which outputs there are and which of them have ended, as readers must know.
    pub fn is_settled(&self) -> bool {
        !self.unsaid
    }

    /// The descriptors that it holds.
    pub fn numbers(&self) -> Vec<RawFd> {
        let files = self.segment.iter().flat_map(Segment::numbers);
        std::iter::once(self.directory.as_raw_fd()).chain(files).collect()
    }

    /// Offset of the next byte, which is the number of bytes that there ever were.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes the failure of the disk that was met last, if there was one since this was last asked.
    pub fn trouble(&mut self) -> Option<Error> {
        self.trouble.take()
    }

    /// Tells what was put right when the log was opened, if anything.
    pub fn repaired(&self) -> Option<Repaired> {
        self.repaired
    }

    fn keep(&mut self, channel: Channel, from: BorrowedFd<'_>, budget: usize) -> Result<usize> {
        let most_of_a_segment = self.limits.segment;
        if self.unsaid {
            self.say_state()?;
        }
        let segment = self.writable()?;
        segment.begin(channel, now())?;
        let room = most_of_a_segment.saturating_sub(segment.size());
        let len = budget.min(usize::try_from(room).unwrap_or(usize::MAX)).max(1);
        let moved = match segment.take(from, len) {
            Ok(moved) => moved,
            // Somebody else has read from the pipe.
            Err(Errno::AGAIN) => 0,
            Err(errno) => return Err(Error::WriteSegment { first: segment.first(), source: errno.into() }),
        };
        self.offset = segment.end();
        self.state.begin(channel);
        self.retry = None;
        self.unmarked = true;
        Ok(moved)
    }

    /// The segment that the next byte goes into, which is a new one where the present one is full.
    fn writable(&mut self) -> Result<&mut Segment> {
        let (limits, offset) = (self.limits, self.offset);
        let fits = |segment: &Segment| offset == segment.first() + segment.size() && !is_full(segment, limits);
        if !self.segment.as_ref().is_some_and(fits) {
            self.rotate()?;
        }
        let first = self.offset;
        self.segment.as_mut().ok_or(Error::MakeSegment { first, source: Errno::NOENT.into() })
    }

    fn rotate(&mut self) -> Result<()> {
        let next = Segment::create(self.directory.as_fd(), self.offset, now(), self.state)?;
        self.unsaid = false;
        if let Some(full) = self.segment.replace(next) {
            // Who follows it must look for the next; should this fail the next commit wakes them.
            let _ = full.mark(now());
            let weight = weight(full.size(), full.index_length());
            self.older.push_back(Older { first: full.first(), weight });
        }
        self.trim();
        Ok(())
    }

    /// Removes the oldest segments as long as there is enough without them.
    fn trim(&mut self) {
        let Some(segments) = self.limits.segments else { return };
        let enough = self.limits.segment.saturating_mul(u64::from(segments.max(1) - 1));
        let mut kept = self.older.iter().fold(0, |sum: u64, older| sum.saturating_add(older.weight));
        while let Some(oldest) = self.older.front() {
            kept = kept.saturating_sub(oldest.weight);
            if kept < enough {
                return;
            }
            // Data first: without it there is no segment. What cannot be removed is tried again by the next who opens.
            let _ = disk::remove(self.directory.as_fd(), &directory::data(oldest.first));
            let _ = disk::remove(self.directory.as_fd(), &directory::index(oldest.first));
            self.older.pop_front();
        }
    }

    fn say_state(&mut self) -> Result<()> {
        // Where there is no segment the head of the next says it.
        if let Some(segment) = &mut self.segment {
            segment.start(self.state, now())?;
            self.unsaid = false;
            self.unmarked = true;
        }
        Ok(())
    }

    /// Throws away what cannot be kept, and counts it.
    fn lose(&mut self, from: BorrowedFd<'_>, budget: usize) -> Result<Taken> {
        let lost = match disk::throw_away(from, budget) {
            Ok(0) | Err(Errno::AGAIN) => return Ok(Taken::SourceEmpty),
            Ok(lost) => lost,
            Err(errno) => return Err(Error::Read { source: errno.into() }),
        };
        self.offset = self.offset.saturating_add(lost as u64);
        if let Some(segment) = &mut self.segment {
            // Should it fail, the name of the next segment says it.
            let _ = segment.lose(lost as u64, now());
        }
        self.unmarked = true;
        Ok(Taken::Dropped(lost))
    }

    /// Ends the pause after a failure.
    #[cfg(test)]
    pub(super) fn try_now(&mut self) {
        self.retry = None;
    }

    fn may_try(&self) -> bool {
        self.retry.is_none_or(|retry| retry <= Instant::now())
    }

    /// Takes note of a failure of the disk.
    fn have(&mut self, error: Error) {
        self.retry = Some(Instant::now() + TRY_AGAIN);
        self.trouble = Some(error);
    }
}

/// The disk that has failed is left alone for so long.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// An index below this length in bytes never ends its segment, nor counts.
const INDEX_LEAST: u64 = 64 << 10;

/// An index of this length in bytes ends its segment, however long that may be.
const INDEX_MOST: u64 = 64 << 20;

fn is_full(segment: &Segment, limits: Limits) -> bool {
    let longest_index = limits.segment.clamp(INDEX_LEAST, INDEX_MOST);
    // One without bytes has no successor, which would have its name.
    segment.size() > 0 && (segment.size() >= limits.segment || segment.index_length() >= longest_index)
}

/// An index that is longer than its data counts for it.
fn weight(data: u64, index: u64) -> u64 {
    if index < INDEX_LEAST { data } else { data.max(index) }
}

fn now() -> u64 {
    nanoseconds(SystemTime::now())
}
