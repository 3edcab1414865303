//! Where a reader begins.
//!
//! Each way to say it comes to a segment to enter and to the first offset that is wanted of each channel. A segment that
//! is removed in between makes it begin again with those that are left.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::super::backwards;
use super::super::directory::{self, Listing};
use super::super::index::Found;
use super::super::record::Record;
use super::{Cursor, From, Read, Reader, Wanted, nanoseconds};
use crate::{Error, Result};

/// Opens a reader.
pub(super) fn open(directory: OwnedFd, read: Read) -> Result<Reader> {
    let place = directory.as_fd();
    let (mut wanted, mut since) = (Wanted::default(), None);
    match read.from {
        From::Lines(count) => {
            let [stdout, stderr] = backwards::last_lines(place, count, read.only)?;
            wanted = Wanted { stdout, stderr };
        }
        From::Offset(offset) => wanted = Wanted::all_from(offset),
        From::Time(time) => since = Some(nanoseconds(time)),
        From::Start | From::Now => {}
    }
    // After the lines were counted, so that all of them are before the end.
    let listing = Listing::read(place)?;
    let end = end(place, &listing)?;
    if read.from == From::Now {
        wanted = Wanted::all_from(end);
    }
    let segment = match since {
        Some(since) => last_made_before(place, &listing, since),
        None => listing.data.iter().rev().copied().find(|&first| first <= wanted.least()),
    };
    let (segment, begins) = match read.from {
        // What is older than the oldest is to be said.
        From::Offset(offset) => (segment, Some(offset)),
        _ => (segment.or(listing.data.first().copied()), None),
    };
    let until = (!read.follow).then_some(end);
    let cursor = Cursor::at(directory, begins, segment)?;
    Ok(Reader { cursor, only: read.only, wanted, since, until, run: None })
}

/// Offset of the end of a log: of the next byte that will come.
fn end(place: BorrowedFd<'_>, listing: &Listing) -> Result<u64> {
    let Some(&first) = listing.data.last() else { return Ok(0) };
    match Found::load(place, first) {
        Ok(found) => Ok(found.end()),
        Err(Error::BadIndex { .. } | Error::OpenSegment { .. }) => {
            let size = directory::size(place, &directory::data(first)).unwrap_or(0);
            Ok(first.saturating_add(size))
        }
        Err(error) => Err(error),
    }
}

/// The newest segment that was made before a time: the older ones have nothing from after it.
fn last_made_before(place: BorrowedFd<'_>, listing: &Listing, time: u64) -> Option<u64> {
    let made = |first: u64| match Found::head(place, first) {
        Some(Record::Head { at, .. }) => at,
        _ => u64::MAX,
    };
    listing.data.iter().rev().copied().find(|&first| made(first) < time)
}
