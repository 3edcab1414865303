//! Kept output by lines: each with its output, and the time and offset of its first byte.
//!
//! The two outputs are cut into lines apart from each other. A line that is longer than [`LONGEST_LINE`] comes in
//! parts, and what has no end yet when its output ends comes as it is; both say that they are not complete. A read
//! that begins after lost bytes begins with the first whole line.

use std::collections::VecDeque;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};

use super::LogStream;
use crate::error::Result;
use crate::ports::process_io::{EndOfOutput, OutputKind, Piece};

/// How many bytes a line may have before it is cut, its end not counted.
pub const LONGEST_LINE: usize = 16 * 1024;

/// A line of kept output, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// Which output.
    pub kind: OutputKind,
    /// When its first byte was kept.
    pub at: SystemTime,
    /// It, without its end.
    pub bytes: Bytes,
    /// Whether its end follows: not with a part of a line that is too long, nor with an unfinished last line.
    pub complete: bool,
    /// Offset of its first byte among all bytes of the process's output.
    pub offset: u64,
}

/// The next thing that kept output has, by lines.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogEntry {
    /// A line.
    Line(LogLine),
    /// Bytes that are not there: older than what is kept, or dropped for want of room.
    Lost {
        /// Offset of the first of them.
        from: u64,
        /// Offset of the first that is there again.
        to: u64,
    },
    /// One output has ended; its last line came before.
    End {
        /// Which output.
        kind: OutputKind,
        /// Why.
        why: EndOfOutput,
        /// When.
        at: SystemTime,
    },
}

/// Kept output that is being read line by line. Dropping it ends the read.
#[derive(Debug)]
pub struct LogLines {
    stream: LogStream,
    cutter: Cutter,
    over: bool,
}

impl LogLines {
    pub(super) fn new(stream: LogStream) -> Self {
        LogLines { stream, cutter: Cutter::default(), over: false }
    }

    /// The next entry, or `None` when there is no more.
    ///
    /// # Errors
    /// As [`LogStream::next`].
    ///
    /// # Cancellation
    /// Safe: a dropped call loses nothing.
    pub async fn next(&mut self) -> Result<Option<LogEntry>> {
        loop {
            if let Some(entry) = self.cutter.ready.pop_front() {
                return Ok(Some(entry));
            }
            if self.over {
                return Ok(None);
            }
            match self.stream.next().await? {
                Some(piece) => self.cutter.take(piece),
                None => {
                    self.over = true;
                    self.cutter.finish();
                }
            }
        }
    }
}

/// Cuts pieces into entries.
#[derive(Debug, Default)]
struct Cutter {
    ready: VecDeque<LogEntry>,
    stdout: Unfinished,
    stderr: Unfinished,
    /// Whether any byte was read.
    begun: bool,
}

/// What of a line of one output is there so far.
#[derive(Debug, Default)]
struct Unfinished {
    bytes: BytesMut,
    /// Time and offset of its first byte, once there is one.
    first: Option<(SystemTime, u64)>,
    /// Whether what comes up to the next line's end is the rest of a line that was lost.
    headless: bool,
}

impl Cutter {
    fn take(&mut self, piece: Piece) {
        match piece {
            Piece::Bytes { offset, kind, at, bytes } => {
                self.begun = true;
                self.cut(offset, kind, at, bytes);
            }
            Piece::Lost { from, to } => self.lose(from, to),
            Piece::End { kind, why, at } => {
                self.flush(kind);
                self.of(kind).headless = false;
                self.ready.push_back(LogEntry::End { kind, why, at });
            }
        }
    }

    fn finish(&mut self) {
        self.flush(OutputKind::Stdout);
        self.flush(OutputKind::Stderr);
    }

    fn cut(&mut self, mut offset: u64, kind: OutputKind, at: SystemTime, mut bytes: Bytes) {
        while !bytes.is_empty() {
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let part = bytes.split_to(end.map_or(bytes.len(), |end| end + 1));
            let text = part.slice(..end.unwrap_or(part.len()));
            self.add(offset, kind, at, text, end.is_some());
            offset += part.len() as u64;
        }
    }

    /// Adds a stretch without a line's end in it, and that end if it follows.
    fn add(&mut self, mut offset: u64, kind: OutputKind, at: SystemTime, mut text: Bytes, ends: bool) {
        if self.of(kind).headless {
            self.of(kind).headless = !ends;
            return;
        }
        while !text.is_empty() {
            if self.of(kind).bytes.len() == LONGEST_LINE {
                self.flush(kind);
            }
            let line = self.of(kind);
            let part = text.split_to(text.len().min(LONGEST_LINE - line.bytes.len()));
            line.first.get_or_insert((at, offset));
            line.bytes.extend_from_slice(&part);
            offset += part.len() as u64;
        }
        if ends {
            self.of(kind).first.get_or_insert((at, offset));
            self.push(kind, true);
        }
    }

    fn lose(&mut self, from: u64, to: u64) {
        self.finish();
        if !self.begun {
            self.stdout.headless = true;
            self.stderr.headless = true;
        }
        self.ready.push_back(LogEntry::Lost { from, to });
    }

    /// Gives out what is there of a line.
    fn flush(&mut self, kind: OutputKind) {
        if self.of(kind).first.is_some() {
            self.push(kind, false);
        }
    }

    fn push(&mut self, kind: OutputKind, complete: bool) {
        let line = self.of(kind);
        let Some((at, offset)) = line.first.take() else { return };
        let bytes = line.bytes.split().freeze();
        self.ready.push_back(LogEntry::Line(LogLine { kind, at, bytes, complete, offset }));
    }

    fn of(&mut self, kind: OutputKind) -> &mut Unfinished {
        match kind {
            OutputKind::Stdout => &mut self.stdout,
            OutputKind::Stderr => &mut self.stderr,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: SystemTime = SystemTime::UNIX_EPOCH;

    fn bytes(offset: u64, kind: OutputKind, text: &str) -> Piece {
        Piece::Bytes { offset, kind, at: AT, bytes: Bytes::copy_from_slice(text.as_bytes()) }
    }

    /// Each line as output, offset, text and whether it is complete; losses and ends as words.
    fn cut(pieces: Vec<Piece>) -> Vec<String> {
        let mut cutter = Cutter::default();
        pieces.into_iter().for_each(|piece| cutter.take(piece));
        cutter.finish();
        let name = |entry| match entry {
            LogEntry::Line(line) => {
                let text = String::from_utf8_lossy(&line.bytes).into_owned();
                format!("{:?} {} {text}{}", line.kind, line.offset, if line.complete { "" } else { "…" })
            }
            LogEntry::Lost { from, to } => format!("lost {from}..{to}"),
            LogEntry::End { kind, .. } => format!("end of {kind:?}"),
        };
        cutter.ready.into_iter().map(name).collect()
    }

    #[test]
    fn lines_of_the_two_outputs_are_told_apart_however_they_come() {
        use OutputKind::{Stderr, Stdout};
        let pieces = vec![bytes(0, Stdout, "on"), bytes(2, Stderr, "bad\nno"), bytes(8, Stdout, "e\n\nlast")];
        let wanted = ["Stderr 2 bad", "Stdout 0 one", "Stdout 10 ", "Stdout 11 last…", "Stderr 6 no…"];
        assert_eq!(cut(pieces), wanted);
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_one_that_just_fits_is_not() {
        let long = "x".repeat(LONGEST_LINE);
        let cutter = |text: String| {
            let mut cutter = Cutter::default();
            cutter.take(bytes(0, OutputKind::Stdout, &text));
            cutter.finish();
            let line = |entry| match entry {
                LogEntry::Line(line) => (line.bytes.len(), line.complete, line.offset),
                other => panic!("{other:?}"),
            };
            cutter.ready.into_iter().map(line).collect::<Vec<_>>()
        };
        assert_eq!(cutter(format!("{long}\n")), [(LONGEST_LINE, true, 0)]);
        assert_eq!(cutter(format!("{long}yz\n")), [(LONGEST_LINE, false, 0), (2, true, LONGEST_LINE as u64)]);
    }

    #[test]
    fn a_read_after_a_loss_begins_with_the_first_whole_line_of_each_output() {
        use OutputKind::{Stderr, Stdout};
        let lost = Piece::Lost { from: 0, to: 100 };
        let pieces =
            vec![lost, bytes(100, Stdout, "est\nwhole\n"), bytes(110, Stderr, "x"), bytes(111, Stderr, "\ny\n")];
        assert_eq!(cut(pieces), ["lost 0..100", "Stdout 104 whole", "Stderr 112 y"]);
    }

    #[test]
    fn a_loss_in_the_middle_ends_the_line_before_it_and_hides_nothing_after_it() {
        use OutputKind::Stdout;
        let end = Piece::End { kind: Stdout, why: EndOfOutput::Closed, at: AT };
        let pieces = vec![bytes(0, Stdout, "a\nbe"), Piece::Lost { from: 4, to: 9 }, bytes(9, Stdout, "d\ne"), end];
        assert_eq!(
            cut(pieces),
            ["Stdout 0 a", "Stdout 2 be…", "lost 4..9", "Stdout 9 d", "Stdout 11 e…", "end of Stdout"]
        );
    }
}
