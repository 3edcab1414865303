//! How a writer comes to a log: a new one, or one of a writer that has gone or died.
//!
//! What a death or a power cut can leave is put right first: files of half a segment, a torn end of the newest index. A
//! newest segment that is unreadable is left to readers as lost, and the next begins behind it. A disk that cannot be
//! written to keeps nobody from opening.
//!
//! Keeps: `a_torn_index_is_cut_off_and_said`, `foreign_files_are_let_be`.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

use super::super::directory::{self, Listing};
use super::super::disk;
use super::super::index::Found;
use super::super::segment::Segment;
use super::super::state::{Channels, State};
use super::super::{Channel, Limits};
use super::{Older, Repaired, Writer, weight};
use crate::{Error, Result};

impl Writer {
    /// Opens the log in `directory` for a run whose outputs are `channels`; what is there already is continued.
    ///
    /// Once it returned, none of these has ended, and who follows waits until all of them have.
    ///
    /// # Errors
    /// `ListLog`, `ReadSegment`. A disk that takes nothing is no error: see [`trouble`](Self::trouble).
    pub fn open(directory: OwnedFd, limits: Limits, channels: &[Channel]) -> Result<Self> {
        let mut writer = Self::resume(directory, limits, channels)?;
        writer.state = State::started(Channels::of(channels));
        writer.unsaid = true;
        writer.settle();
        Ok(writer)
    }

    /// Goes on for a writer that has died in the middle of a run; should it have died before it wrote anything, the
    /// outputs are `channels`.
    ///
    /// # Errors
    /// `ListLog`, `ReadSegment`. A disk that takes nothing is no error: see [`trouble`](Self::trouble).
    pub fn resume(directory: OwnedFd, limits: Limits, channels: &[Channel]) -> Result<Self> {
        let limits = Limits { segment: limits.segment.max(1), ..limits };
        let listing = Listing::read(directory.as_fd())?;
        let mut repaired = Repaired::default();
        clear_strays(directory.as_fd(), &listing, &mut repaired);
        let state = State::started(Channels::of(channels));
        let mut writer = Self {
            directory,
            limits,
            segment: None,
            older: VecDeque::new(),
            offset: 0,
            state,
            unsaid: true,
            retry: None,
            trouble: None,
            repaired: None,
            unmarked: false,
        };
        let mut firsts = listing.data;
        if let Some(newest) = firsts.pop() {
            writer.go_on(newest, &mut repaired)?;
        }
        writer.older = firsts.iter().map(|&first| older(writer.directory.as_fd(), first)).collect();
        // The dead may have kept bytes that they woke nobody for.
        writer.unmarked = true;
        writer.repaired = (repaired != Repaired::default()).then_some(repaired);
        writer.settle();
        Ok(writer)
    }

    /// Continues the newest segment.
    fn go_on(&mut self, first: u64, repaired: &mut Repaired) -> Result<()> {
        let found = match Found::load(self.directory.as_fd(), first) {
            Ok(found) => found,
            Err(error) if is_broken(&error) => return self.begin_behind(first, error, repaired),
            Err(error) => return Err(error),
        };
        self.state.follow(&found.head);
        found.records.iter().for_each(|record| self.state.follow(record));
        self.unsaid = false;
        self.offset = found.end();
        repaired.cut = found.length.saturating_sub(found.sound());
        match Segment::reopen(self.directory.as_fd(), &found) {
            Ok(segment) => self.segment = Some(segment),
            Err(error) => self.have(error),
        }
        Ok(())
    }

    /// Leaves the newest segment, which cannot be read, to readers as lost.
    fn begin_behind(&mut self, first: u64, error: Error, repaired: &mut Repaired) -> Result<()> {
        let failed = |errno: Errno| Error::OpenSegment { first, source: errno.into() };
        let size = directory::size(self.directory.as_fd(), &directory::data(first)).map_err(failed)?;
        self.offset = first.saturating_add(size);
        repaired.unreadable = true;
        if size == 0 {
            // Its name is the next one's. Should it stay, making that fails and says so.
            let _ = disk::remove(self.directory.as_fd(), &directory::data(first));
            let _ = disk::remove(self.directory.as_fd(), &directory::index(first));
        }
        self.trouble = Some(error);
        Ok(())
    }

    /// Has a segment that says what is true, if the disk lets it.
    fn settle(&mut self) {
        if !self.may_try() {
            return;
        }
        let settled = match self.segment {
            None => self.rotate(),
            Some(_) if self.unsaid => self.say_state(),
            Some(_) => Ok(()),
        };
        if let Err(error) = settled.and_then(|()| self.commit()) {
            self.have(error);
        }
    }
}

/// Removes what a death between two files of a segment has left.
fn clear_strays(place: BorrowedFd<'_>, listing: &Listing, repaired: &mut Repaired) {
    let without_data = listing.index.iter().filter(|first| listing.data.binary_search(first).is_err());
    for &first in without_data {
        if disk::remove(place, &directory::index(first)).is_ok() {
            repaired.strays += 1;
        }
    }
}

/// Whether it is the segment that is not right, and not the moment at which it is opened.
fn is_broken(error: &Error) -> bool {
    let missing = |source: &io::Error| matches!(Errno::from_io_error(source), Some(Errno::NOENT | Errno::LOOP));
    match error {
        Error::BadIndex { .. } => true,
        Error::OpenSegment { source, .. } => missing(source),
        _ => false,
    }
}

fn older(place: BorrowedFd<'_>, first: u64) -> Older {
    let length = |name: String| directory::size(place, &name).unwrap_or(0);
    Older { first, weight: weight(length(directory::data(first)), length(directory::index(first))) }
}
