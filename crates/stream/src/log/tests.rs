//! Kept output as a whole: what a writer leaves, read by an oracle that knows the format and nothing of readers.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};

use super::directory::{self, Listing};
use super::index::Found;
use super::record::Record;
use super::{BOTH, Channel, Limits, Taken, Why, Writer};

mod crashes;
mod reading;
mod writing;

/// A directory with a log, and the two pipes of the process that is kept.
pub(super) struct Bench {
    pub(super) scratch: tempfile::TempDir,
    pub(super) pipes: [(OwnedFd, OwnedFd); 2],
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::in_scratch(tempfile::tempdir().unwrap())
    }

    pub(super) fn in_scratch(scratch: tempfile::TempDir) -> Self {
        let pipe = || pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).unwrap();
        Self { scratch, pipes: [pipe(), pipe()] }
    }

    pub(super) fn directory(&self) -> OwnedFd {
        rustix::fs::open(self.scratch.path(), OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap()
    }

    pub(super) fn writer(&self, limits: Limits) -> Writer {
        Writer::open(self.directory(), limits, &BOTH).unwrap()
    }

    pub(super) fn successor(&self, limits: Limits) -> Writer {
        Writer::resume(self.directory(), limits, &BOTH).unwrap()
    }

    /// The process writes.
    pub(super) fn say(&self, channel: Channel, bytes: &[u8]) {
        assert_eq!(rustix::io::write(&self.pipes[channel as usize].1, bytes).unwrap(), bytes.len());
    }

    /// Everything that is in a channel's pipe is taken.
    pub(super) fn take(&self, writer: &mut Writer, channel: Channel) -> Vec<Taken> {
        let mut all = Vec::new();
        loop {
            match writer.take(channel, &self.pipes[channel as usize].0, 1 << 20).unwrap() {
                Taken::SourceEmpty | Taken::SourceEnded => return all,
                Taken::NoRoom => {
                    all.push(Taken::NoRoom);
                    return all;
                }
                taken => all.push(taken),
            }
        }
    }

    /// The process writes and all of it is taken.
    pub(super) fn keep(&self, writer: &mut Writer, channel: Channel, bytes: &[u8]) {
        self.say(channel, bytes);
        self.take(writer, channel);
        writer.commit().unwrap();
    }

    pub(super) fn told(&self) -> Told {
        Told::read(self.directory())
    }
}

/// What a log says, byte by byte.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Offset of the first byte that is there.
    pub(super) from: u64,
    pub(super) bytes: Vec<(Channel, u8)>,
    /// From where to where bytes are missing.
    pub(super) holes: Vec<(u64, u64)>,
    pub(super) ends: Vec<(Channel, Why)>,
    pub(super) segments: usize,
}

impl Told {
    fn read(place: OwnedFd) -> Self {
        let listing = Listing::read(place.as_fd()).unwrap();
        let mut told = Self { segments: listing.data.len(), ..Self::default() };
        let mut end = None;
        for first in listing.data {
            told.from = if end.is_none() { first } else { told.from };
            if let Some(end) = end.filter(|&end| end < first) {
                told.holes.push((end, first));
            }
            end = Some(told.segment(&place, first));
        }
        told
    }

    /// Reads a segment, and tells the offset of its end.
    fn segment(&mut self, place: &OwnedFd, first: u64) -> u64 {
        let found = Found::load(place.as_fd(), first).unwrap();
        let data = directory::open(place.as_fd(), &directory::data(first), OFlags::RDONLY).unwrap();
        let mut bytes = vec![0; usize::try_from(found.size).unwrap()];
        assert_eq!(rustix::io::pread(&data, &mut bytes, 0).unwrap(), bytes.len());
        for (at, byte) in (first..).zip(bytes) {
            let whose = found.records.iter().rev().find_map(|record| match *record {
                Record::Begin { offset, channel, .. } if offset <= at => Some(channel),
                _ => None,
            });
            self.bytes.push((whose.expect("every byte is somebody's"), byte));
        }
        self.ends.extend(found.records.iter().filter_map(|record| match *record {
            Record::End { channel, why, .. } => Some((channel, why)),
            _ => None,
        }));
        first + found.size
    }

    pub(super) fn of(&self, wanted: Channel) -> Vec<u8> {
        self.bytes.iter().filter(|(channel, _)| *channel == wanted).map(|&(_, byte)| byte).collect()
    }
}

pub(super) fn all(segment: u64) -> Limits {
    Limits { segment, segments: None, drop_when_full: false }
}

pub(super) fn newest(segment: u64, segments: u32) -> Limits {
    Limits { segment, segments: Some(segments), drop_when_full: true }
}
