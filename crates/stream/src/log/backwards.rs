//! Kept output from its end: where its last lines begin, and its last bytes.
//!
//! The runs of bytes are walked from the newest to the oldest, over segments, and only those of wanted channels are read.
//! What is removed meanwhile ends the walk.

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::OFlags;
use rustix::io::{Errno, retry_on_intr};

use super::directory::{self, Listing};
use super::index::Found;
use super::record::Record;
use super::state::Channels;
use super::{BOTH, Channel};
use crate::{Error, Result};

/// The last at most `bytes` bytes of one channel, in order.
///
/// # Errors
/// `ListLog`, `ReadSegment`.
pub fn tail(directory: impl AsFd, channel: Channel, bytes: usize) -> Result<Vec<u8>> {
    let mut walk = Walk::begin(directory.as_fd())?;
    let (mut blocks, mut missing) = (Vec::new(), bytes);
    while missing > 0
        && let Some(mut block) = walk.next(Channels::of(&[channel]))?
    {
        block.bytes.drain(..block.bytes.len().saturating_sub(missing));
        missing -= block.bytes.len();
        blocks.push(block.bytes);
    }
    blocks.reverse();
    Ok(blocks.concat())
}

/// The offset of each channel (stdout, stderr) from which on its bytes are among the last `count` lines.
///
/// Lines are counted by where they are complete; bytes after the last end of line are one. For a channel that has none
/// of them it is the end of the log.
pub(super) fn last_lines(place: BorrowedFd<'_>, count: u64, only: Option<Channel>) -> Result<[u64; 2]> {
    let mut walk = Walk::begin(place)?;
    let mut lines = BOTH.map(|channel| Lines {
        from: walk.end,
        stage: if only.is_none_or(|only| only == channel) { Stage::Unseen } else { Stage::Done },
    });
    let mut left = count;
    loop {
        let wanted = BOTH.into_iter().filter(|&channel| !lines[channel as usize].is_done(left));
        let wanted = wanted.fold(Channels::default(), Channels::with);
        let Some(block) = walk.next(wanted)? else {
            return Ok(lines.map(|lines| lines.from));
        };
        let lines = &mut lines[block.channel as usize];
        let past = block.offset + block.bytes.len() as u64;
        for (back, &byte) in (1..).zip(block.bytes.iter().rev()) {
            lines.take(past - back, byte, &mut left);
        }
    }
}

/// The lines of one channel, from the last.
#[derive(Debug)]
struct Lines {
    from: u64,
    stage: Stage,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// No byte was seen yet.
    Unseen,
    /// The line that is being walked over is wanted.
    Within,
    /// All that is wanted was found.
    Done,
}

impl Lines {
    fn is_done(&self, left: u64) -> bool {
        self.stage == Stage::Done || (left == 0 && self.stage == Stage::Unseen)
    }

    fn take(&mut self, offset: u64, byte: u8, left: &mut u64) {
        if self.is_done(*left) {
            return;
        }
        if byte == b'\n' || self.stage == Stage::Unseen {
            // The end of one line more.
            if *left == 0 {
                self.stage = Stage::Done;
                return;
            }
            *left -= 1;
            self.stage = Stage::Within;
        }
        self.from = offset;
    }
}

/// Bytes of one channel that stand beside each other.
struct Block {
    channel: Channel,
    offset: u64,
    bytes: Vec<u8>,
}

/// A walk from the newest byte to the oldest.
struct Walk<'a> {
    place: BorrowedFd<'a>,
    /// Offset of the end of the log when the walk began.
    end: u64,
    /// The segments that are not walked over yet, in order.
    firsts: Vec<u64>,
    segment: Option<(u64, OwnedFd)>,
    /// What is not walked over of the segment, in order.
    runs: Vec<(Channel, Range<u64>)>,
}

impl<'a> Walk<'a> {
    fn begin(place: BorrowedFd<'a>) -> Result<Self> {
        let mut walk = Self { place, end: 0, firsts: Listing::read(place)?.data, segment: None, runs: Vec::new() };
        walk.enter()?;
        Ok(walk)
    }

    /// The last block of a wanted channel that was not walked over.
    fn next(&mut self, wanted: Channels) -> Result<Option<Block>> {
        if wanted == Channels::default() {
            return Ok(None);
        }
        loop {
            let Some((channel, mut span)) = self.runs.pop() else {
                if !self.enter()? {
                    return Ok(None);
                }
                continue;
            };
            if !wanted.has(channel) || span.is_empty() {
                continue;
            }
            let offset = span.end.saturating_sub(AT_ONCE).max(span.start);
            let bytes = self.read(offset..span.end)?;
            span.end = offset;
            self.runs.push((channel, span));
            return Ok(Some(Block { channel, offset, bytes }));
        }
    }

    /// Goes to the segment before.
    fn enter(&mut self) -> Result<bool> {
        let Some(first) = self.firsts.pop() else { return Ok(false) };
        let found = match Found::load(self.place, first) {
            Ok(found) => found,
            Err(Error::BadIndex { .. } | Error::OpenSegment { .. }) => return Ok(true),
            Err(error) => return Err(error),
        };
        match directory::open(self.place, &directory::data(first), OFlags::RDONLY) {
            Ok(data) => self.segment = Some((first, data)),
            Err(_) => return Ok(true),
        }
        self.end = self.end.max(found.end());
        self.runs = runs(&found);
        Ok(true)
    }

    fn read(&self, span: Range<u64>) -> Result<Vec<u8>> {
        let Some((first, data)) = &self.segment else { return Ok(Vec::new()) };
        let failed = |errno: Errno| Error::ReadSegment { first: *first, source: errno.into() };
        let mut bytes = vec![0; usize::try_from(span.end - span.start).unwrap_or(0)];
        let mut filled = 0;
        while filled < bytes.len() {
            let at = span.start - first + filled as u64;
            match retry_on_intr(|| rustix::io::pread(data, &mut bytes[filled..], at)).map_err(failed)? {
                // Whoever has shortened it, there is no more.
                0 => break,
                n => filled += n,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

/// The runs of bytes that a segment has, in order.
fn runs(found: &Found) -> Vec<(Channel, Range<u64>)> {
    let end = found.first.saturating_add(found.size);
    let mut runs: Vec<(Channel, Range<u64>)> = Vec::new();
    for record in &found.records {
        if let Record::Begin { offset, channel, .. } = *record {
            if let Some((_, before)) = runs.last_mut() {
                before.end = offset;
            }
            runs.push((channel, offset..end));
        }
    }
    runs
}

/// So many bytes are read at a time.
const AT_ONCE: u64 = 64 << 10;
