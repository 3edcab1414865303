//! The walk over segments and records, in order, which yields what there is without reading a byte of it.
//!
//! The data's length is asked for before the index is read: so every byte that is seen to be there has its record. The
//! last record may still change (a beginning without bytes, a loss that grows): it is passed only once something stands
//! behind it. A segment has an end when the next is there, after one look more.

use std::collections::VecDeque;
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::OFlags;
use rustix::io::{Errno, retry_on_intr};

use super::super::directory::{self, Listing};
use super::super::index::{self, RECORDS_AT};
use super::super::record::{LENGTH, Record};
use super::super::state::State;
use super::super::{Channel, Why};
use super::Run;
use crate::{Error, Result};

/// What a cursor comes to.
#[derive(Debug)]
pub(super) enum Step {
    Run(Run),
    Lost(Range<u64>),
    End {
        offset: u64,
        channel: Channel,
        why: Why,
        at: u64,
    },
    /// There is no more now.
    Idle,
    /// The log was removed.
    Gone,
}

/// A place in a log.
#[derive(Debug)]
pub(super) struct Cursor {
    directory: OwnedFd,
    segment: Option<Current>,
    /// The segments behind it that were seen when none was known.
    ahead: VecDeque<u64>,
    /// Offset of what comes next.
    offset: u64,
    state: State,
}

/// The segment that the cursor is in.
#[derive(Debug)]
struct Current {
    first: u64,
    data: OwnedFd,
    index: OwnedFd,
    /// Without it the records mean nothing.
    head: Option<Record>,
    /// Whose the bytes are, and since when.
    run: Option<(Channel, u64)>,
    /// Where in the index `records` begin.
    at: u64,
    /// What was read of the index and not passed yet.
    records: VecDeque<Record>,
    /// Whether the index may have more of which nothing was read.
    more: bool,
    /// Offset of the end of data, asked for before the records were read.
    end: u64,
    /// Whether the next segment was there before.
    sealed: bool,
}

impl Cursor {
    /// At the beginning of `segment`; without one at `offset`, wherever that may be, or at the first that will come.
    pub(super) fn at(directory: OwnedFd, offset: Option<u64>, segment: Option<u64>) -> Result<Self> {
        let offset = segment.or(offset).unwrap_or(0);
        let mut cursor = Self { directory, segment: None, ahead: VecDeque::new(), offset, state: State::default() };
        if let Some(first) = segment {
            cursor.enter(first)?;
        }
        Ok(cursor)
    }

    /// Whether all channels have ended, as far as the cursor has come.
    pub(super) fn is_over(&self) -> bool {
        self.state.is_over()
    }

    /// Comes to the next thing and passes it.
    pub(super) fn step(&mut self) -> Result<Step> {
        loop {
            if let Some(step) = self.within()? {
                return Ok(step);
            }
            let Some(next) = self.next_segment()? else {
                return Ok(if self.is_gone()? { Step::Gone } else { Step::Idle });
            };
            if let Some(open) = &mut self.segment
                && !open.sealed
            {
                open.sealed = true;
                continue;
            }
            if let Some(lost) = self.enter(next)? {
                return Ok(Step::Lost(lost));
            }
        }
    }

    /// Reads at most `most` bytes of the run that was come to last.
    pub(super) fn read(&self, offset: u64, most: usize) -> Result<Vec<u8>> {
        let Some(open) = &self.segment else { return Ok(Vec::new()) };
        let failed = |errno: Errno| Error::ReadSegment { first: open.first, source: errno.into() };
        let mut bytes = vec![0; most];
        let read = retry_on_intr(|| rustix::io::pread(&open.data, &mut bytes, offset - open.first)).map_err(failed)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    fn within(&mut self) -> Result<Option<Step>> {
        let Some(open) = &mut self.segment else { return Ok(None) };
        if let Some(step) = open.step(&mut self.offset, &mut self.state) {
            return Ok(Some(step));
        }
        loop {
            let before = open.at;
            open.look()?;
            let step = open.step(&mut self.offset, &mut self.state);
            if step.is_some() || !open.more || open.at == before {
                return Ok(step);
            }
        }
    }

    /// The segment after the present one, if there is one.
    fn next_segment(&mut self) -> Result<Option<u64>> {
        let after = self.segment.as_ref().map(|open| open.first);
        while self.ahead.front().is_some_and(|&first| after >= Some(first)) {
            self.ahead.pop_front();
        }
        if self.ahead.is_empty() {
            let all = Listing::read(self.directory.as_fd())?.data;
            self.ahead = all.into_iter().filter(|&first| after.is_none_or(|after| first > after)).collect();
        }
        Ok(self.ahead.front().copied())
    }

    /// Goes to the segment `next`, and tells what is missing before it; does nothing if it has just been removed.
    fn enter(&mut self, next: u64) -> Result<Option<Range<u64>>> {
        let Some(open) = Current::enter(&self.directory, next)? else {
            // Then the others that were seen may be gone too.
            self.ahead.clear();
            return Ok(None);
        };
        if let Some(head) = &open.head {
            self.state.follow(head);
        }
        self.segment = Some(open);
        let missing = self.offset..next;
        self.offset = self.offset.max(next);
        Ok((!missing.is_empty()).then_some(missing))
    }

    /// Whether nothing is left of the log; to be asked when nothing is ahead.
    fn is_gone(&self) -> Result<bool> {
        let failed = |errno: Errno| Error::ListLog { source: errno.into() };
        let links = |file: &OwnedFd| rustix::fs::fstat(file).map(|stat| stat.st_nlink).map_err(failed);
        match &self.segment {
            Some(open) => Ok(links(&open.data)? == 0),
            None => Ok(links(&self.directory)? == 0),
        }
    }
}

impl Current {
    /// Opens a segment; `None` when it is not there any more.
    fn enter(place: &OwnedFd, first: u64) -> Result<Option<Self>> {
        let open = |name: String| directory::open(place.as_fd(), &name, OFlags::RDONLY);
        let both = open(directory::data(first)).and_then(|data| Ok((data, open(directory::index(first))?)));
        match both {
            Ok((data, index)) => {
                let (records, head) = (VecDeque::new(), index::head(index.as_fd(), first));
                let (at, end) = (RECORDS_AT, first);
                Ok(Some(Self { first, data, index, head, run: None, at, records, more: true, end, sealed: false }))
            }
            Err(Errno::NOENT | Errno::LOOP) => Ok(None),
            Err(errno) => Err(Error::OpenSegment { first, source: errno.into() }),
        }
    }

    /// Reads on in the index, from the first record that is not passed.
    fn look(&mut self) -> Result<()> {
        let failed = |errno: Errno| Error::ReadSegment { first: self.first, source: errno.into() };
        let size = directory::length(self.data.as_fd()).map_err(failed)?;
        let mut bytes = [0; LOOK * LENGTH];
        let read = retry_on_intr(|| rustix::io::pread(&self.index, &mut bytes, self.at)).map_err(failed)?;
        let (all, _torn) = bytes[..if self.head.is_some() { read } else { 0 }].as_chunks::<LENGTH>();
        self.end = self.first.saturating_add(size);
        self.records.clear();
        self.records.extend(all.iter().map_while(Record::decode));
        self.more = self.records.len() == LOOK;
        Ok(())
    }

    /// The next thing that is known, if it can be passed.
    fn step(&mut self, offset: &mut u64, state: &mut State) -> Option<Step> {
        while let Some(&record) = self.records.front() {
            if record.offset() > *offset {
                return self.bytes(offset, record.offset());
            }
            let is_last = self.records.len() == 1;
            match record {
                Record::Begin { .. } if is_last && *offset >= self.end => return None,
                Record::Begin { channel, at, .. } => self.run = Some((channel, at)),
                Record::Lost { offset: from, count, .. } => {
                    let to = from.saturating_add(count);
                    if to > *offset {
                        return Some(Step::Lost(std::mem::replace(offset, to)..to));
                    }
                    if is_last {
                        return None;
                    }
                }
                _ => {}
            }
            self.pass();
            state.follow(&record);
            if let Record::End { channel, why, at, .. } = record {
                return Some(Step::End { offset: *offset, channel, why, at });
            }
        }
        if self.more { None } else { self.bytes(offset, u64::MAX) }
    }

    fn pass(&mut self) {
        self.records.pop_front();
        self.at += LENGTH as u64;
    }

    /// The bytes that are there before `to`; such that are nobody's cannot be told.
    fn bytes(&self, offset: &mut u64, to: u64) -> Option<Step> {
        let span = *offset..to.min(self.end);
        if span.is_empty() {
            return None;
        }
        *offset = span.end;
        Some(match self.run {
            Some((channel, at)) => Step::Run(Run { span, channel, at }),
            None => Step::Lost(span),
        })
    }
}

/// So many records are read at a time.
const LOOK: usize = 128;
