//! One who reads kept output: any number may, and the writer knows of none.
//!
//! The [`Cursor`] walks over segments and records; the reader chooses from what it finds what was asked for, and reads
//! the bytes. Files are kept open, so what is being read may be removed meanwhile; what was removed before it was come to
//! is said to be lost, as is what was never kept. Nothing here waits: `NotYet` is the answer, and [`watch`](super::watch)
//! tells when to ask again.
//!
//! Keeps: `whatever_is_taken_is_read_as_the_model_says`, `what_was_removed_before_a_reader_came_there_is_said_to_be_lost`.

use std::ops::Range;
use std::os::fd::OwnedFd;
use std::time::SystemTime;

use super::{Channel, Why, nanoseconds, time};
use crate::Result;
use cursor::{Cursor, Step};

mod cursor;
mod start;

/// From where kept output is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum From {
    /// The oldest byte that is kept.
    #[default]
    Start,
    /// What comes from now on.
    Now,
    /// This offset: lost up to the oldest that is kept, or waited for if it is not written yet.
    Offset(u64),
    /// The first byte that was kept at or after this time.
    Time(SystemTime),
    /// The last so many lines, by when they were complete; what has no end of line yet is one.
    Lines(u64),
}

/// How kept output is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Read {
    /// From where.
    pub from: From,
    /// Only this channel.
    pub only: Option<Channel>,
    /// Whether it goes on until all channels have ended; else it is over after what was there when it was opened.
    pub follow: bool,
}

/// What a reader comes to next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The next thing that there is.
    Piece(Piece),
    /// Nothing now, though there may be later.
    NotYet,
    /// Nothing ever again: all is read that was asked for, or the log was removed.
    Over,
}

/// A part of kept output.
#[derive(Clone, PartialEq, Eq)]
pub enum Piece {
    /// Bytes of one channel, at least one and at most 256 KiB.
    Bytes {
        /// Offset of the first of them among all bytes of both channels for ever.
        offset: u64,
        /// Whose they are.
        channel: Channel,
        /// When they were taken, to the millisecond.
        at: SystemTime,
        /// They.
        bytes: Vec<u8>,
    },
    /// Bytes that are not there.
    Lost {
        /// Offset of the first of them.
        from: u64,
        /// Offset of the first byte after them.
        to: u64,
    },
    /// A channel has ended.
    End {
        /// Which.
        channel: Channel,
        /// Why.
        why: Why,
        /// When.
        at: SystemTime,
    },
}

impl std::fmt::Debug for Piece {
    // What containers say is nobody's business.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes { offset, channel, bytes, .. } => write!(f, "{} bytes of {channel:?} at {offset}", bytes.len()),
            Self::Lost { from, to } => write!(f, "lost {from}..{to}"),
            Self::End { channel, why, .. } => write!(f, "end of {channel:?}: {why:?}"),
        }
    }
}

/// A reader of one process's kept output.
#[derive(Debug)]
pub struct Reader {
    cursor: Cursor,
    only: Option<Channel>,
    /// The first offset that is wanted of each channel.
    wanted: Wanted,
    /// Nothing is wanted until bytes of this time have come.
    since: Option<u64>,
    /// Nothing is wanted from this offset on.
    until: Option<u64>,
    /// What is left of the bytes that were come to.
    run: Option<Run>,
}

/// The first offsets that are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Wanted {
    stdout: u64,
    stderr: u64,
}

impl Wanted {
    fn all_from(offset: u64) -> Self {
        Self { stdout: offset, stderr: offset }
    }

    fn of(&mut self, channel: Channel) -> &mut u64 {
        match channel {
            Channel::Stdout => &mut self.stdout,
            Channel::Stderr => &mut self.stderr,
        }
    }

    fn least(self) -> u64 {
        self.stdout.min(self.stderr)
    }
}

/// Bytes of one channel that were taken at one time.
#[derive(Debug, Clone)]
struct Run {
    span: Range<u64>,
    channel: Channel,
    at: u64,
}

impl Reader {
    /// Opens the log in `directory`, which may have nothing yet.
    ///
    /// # Errors
    /// `ListLog`, `OpenSegment`, `ReadSegment`.
    pub fn open(directory: OwnedFd, read: Read) -> Result<Self> {
        start::open(directory, read)
    }

    /// Goes on to the next piece, if there is one.
    ///
    /// # Errors
    /// `ListLog`, `OpenSegment`, `ReadSegment`; nothing was passed over, and it may be tried again.
    pub fn advance(&mut self) -> Result<Next> {
        loop {
            if let Some(piece) = self.bytes()? {
                return Ok(Next::Piece(piece));
            }
            let piece = match self.cursor.step()? {
                Step::Run(run) => {
                    if self.is_beyond(run.span.start) {
                        return Ok(Next::Over);
                    }
                    self.run = self.trim(run);
                    None
                }
                Step::Lost(span) => {
                    if self.is_beyond(span.start) {
                        return Ok(Next::Over);
                    }
                    self.lost(span)
                }
                Step::End { offset, channel, why, at } => self.ended(offset, channel, why, at),
                Step::Gone => return Ok(Next::Over),
                Step::Idle => return Ok(self.idle()),
            };
            if let Some(piece) = piece {
                return Ok(Next::Piece(piece));
            }
        }
    }

    fn idle(&self) -> Next {
        if self.until.is_some() || self.cursor.is_over() { Next::Over } else { Next::NotYet }
    }

    fn is_beyond(&self, offset: u64) -> bool {
        self.until.is_some_and(|until| offset >= until)
    }

    /// What of a run is wanted.
    fn trim(&mut self, mut run: Run) -> Option<Run> {
        if self.since.is_some_and(|since| run.at < since) || self.only.is_some_and(|only| only != run.channel) {
            return None;
        }
        self.since = None;
        run.span.start = run.span.start.max(*self.wanted.of(run.channel));
        run.span.end = run.span.end.min(self.until.unwrap_or(u64::MAX));
        (!run.span.is_empty()).then_some(run)
    }

    fn lost(&self, span: Range<u64>) -> Option<Piece> {
        let from = span.start.max(self.wanted.least());
        let to = span.end.min(self.until.unwrap_or(u64::MAX));
        (from < to && self.since.is_none()).then_some(Piece::Lost { from, to })
    }

    fn ended(&self, offset: u64, channel: Channel, why: Why, at: u64) -> Option<Piece> {
        let is_wanted = self.only.is_none_or(|only| only == channel)
            && offset >= self.wanted.least()
            && self.since.is_none_or(|since| at >= since);
        is_wanted.then(|| Piece::End { channel, why, at: time(at) })
    }

    /// The next bytes of the run that was come to.
    fn bytes(&mut self) -> Result<Option<Piece>> {
        let Some(Run { span, channel, at }) = self.run.clone() else {
            return Ok(None);
        };
        let most = usize::try_from(span.end - span.start).unwrap_or(usize::MAX).min(MOST);
        let bytes = self.cursor.read(span.start, most)?;
        let read = span.start + bytes.len() as u64;
        self.run = (read < span.end && !bytes.is_empty()).then_some(Run { span: read..span.end, channel, at });
        let piece = Piece::Bytes { offset: span.start, channel, at: time(at), bytes };
        Ok((read > span.start).then_some(piece))
    }
}

/// The most bytes of a piece.
const MOST: usize = 256 << 10;
