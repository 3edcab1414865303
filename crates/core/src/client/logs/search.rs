//! Counts the lines that contain a pattern, while their bytes come in pieces of any size.
//!
//! Of a line that is under way it keeps as many last bytes as the pattern could still begin with.

use crate::error::{Error, ErrorKind, Result};
use crate::ports::process_io::{OutputKind, Piece};

/// A search under way.
#[derive(Debug)]
pub(super) struct Search<'a> {
    pattern: &'a [u8],
    found: usize,
    stdout: Line,
    stderr: Line,
}

/// The line of one output that is under way.
#[derive(Debug, Default)]
struct Line {
    last: Vec<u8>,
    counted: bool,
}

impl<'a> Search<'a> {
    /// A search for `pattern`.
    ///
    /// # Errors
    /// `InvalidArgument` when no line can be told by it.
    pub(super) fn new(pattern: &'a [u8]) -> Result<Self> {
        let wrong = |message| Err(Error::new(ErrorKind::InvalidArgument, message));
        if pattern.is_empty() {
            return wrong("the pattern is empty: every line contains it");
        }
        if pattern.contains(&b'\n') {
            return wrong("the pattern contains a line's end: no line contains it");
        }
        Ok(Search { pattern, found: 0, stdout: Line::default(), stderr: Line::default() })
    }

    /// How many lines contain it so far.
    pub(super) fn found(&self) -> usize {
        self.found
    }

    /// Looks through a piece.
    pub(super) fn take(&mut self, piece: &Piece) {
        let (kind, bytes) = match piece {
            Piece::Bytes { kind, bytes, .. } => (*kind, bytes),
            Piece::End { kind, .. } => return *self.line(*kind) = Line::default(),
            Piece::Lost { .. } => {
                self.stdout = Line::default();
                self.stderr = Line::default();
                return;
            }
        };
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.look(kind, part);
            if part.ends_with(b"\n") {
                *self.line(kind) = Line::default();
            }
        }
    }

    fn look(&mut self, kind: OutputKind, part: &[u8]) {
        let pattern = self.pattern;
        let line = self.line(kind);
        if line.counted {
            return;
        }
        line.last.extend_from_slice(part);
        line.counted = line.last.windows(pattern.len()).any(|window| window == pattern);
        let useless = line.last.len().saturating_sub(pattern.len() - 1);
        line.last.drain(..useless);
        self.found += usize::from(self.line(kind).counted);
    }

    fn line(&mut self, kind: OutputKind) -> &mut Line {
        match kind {
            OutputKind::Stdout => &mut self.stdout,
            OutputKind::Stderr => &mut self.stderr,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::*;

    fn piece(kind: OutputKind, bytes: &[u8]) -> Piece {
        Piece::Bytes { offset: 0, kind, at: SystemTime::UNIX_EPOCH, bytes: bytes.to_vec().into() }
    }

    proptest! {
        #[test]
        fn any_cut_of_the_bytes_finds_the_same_lines(
            lines in proptest::collection::vec("[abc]{0,9}", 0..20),
            pattern in "[abc]{1,3}",
            size in 1..7usize,
        ) {
            let text = lines.join("\n");
            let mut search = Search::new(pattern.as_bytes()).unwrap();
            for part in text.as_bytes().chunks(size) {
                search.take(&piece(OutputKind::Stdout, part));
            }
            prop_assert_eq!(search.found(), lines.iter().filter(|line| line.contains(&pattern)).count());
        }
    }

    #[test]
    fn the_outputs_do_not_complete_each_others_lines() {
        let mut search = Search::new(b"ready").unwrap();
        search.take(&piece(OutputKind::Stdout, b"rea"));
        search.take(&piece(OutputKind::Stderr, b"dy\n"));
        assert_eq!(search.found(), 0);
        search.take(&piece(OutputKind::Stdout, b"dy"));
        assert_eq!(search.found(), 1, "before its end is written");
    }

    #[test]
    fn a_pattern_that_tells_no_line_is_refused() {
        for pattern in [&b""[..], b"a\nb"] {
            assert_eq!(Search::new(pattern).unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
    }
}
