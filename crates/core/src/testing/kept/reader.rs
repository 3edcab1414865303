//! One reader of one log: a position among its pieces, and one among its bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{KeptLog, State};
use crate::error::Result;
use crate::ports::process_io::{LogSource, OutputKind, Piece, ReadFrom, ReadLog};

/// A reader.
#[derive(Debug)]
pub(super) struct Reader {
    log: Arc<KeptLog>,
    follow: bool,
    only: Option<OutputKind>,
    /// The number of the next piece.
    next: u64,
    /// The offset of the next byte; what is before it is passed over.
    offset: u64,
    /// The number of the piece before which it ends, unless it follows.
    end: u64,
}

enum Look {
    Found(Piece),
    Nothing,
    Over,
}

impl Reader {
    pub(super) fn new(log: &Arc<KeptLog>, read: ReadLog) -> Self {
        let state = log.state();
        let end = state.gone + state.pieces.len() as u64;
        let (next, offset) = match read.from {
            ReadFrom::Start => (0, 0),
            ReadFrom::Now => (end, state.newest),
            ReadFrom::Offset(offset) => (0, offset),
            ReadFrom::Time(at) => {
                let late = |piece: &Piece| matches!(piece, Piece::Bytes { at: kept, .. } if *kept >= at);
                let found = state.pieces.iter().position(|(_, piece)| late(piece));
                match found.map(|at| (at, &state.pieces[at].1)) {
                    Some((at, Piece::Bytes { offset, .. })) => (state.gone + at as u64, *offset),
                    _ => (end, state.newest),
                }
            }
            ReadFrom::Lines(count) => (0, last_lines(&state, count, read.only)),
        };
        drop(state);
        Reader { log: Arc::clone(log), follow: read.follow, only: read.only, next, offset, end }
    }

    fn look(&mut self) -> Look {
        let log = Arc::clone(&self.log);
        let state = log.state();
        if self.offset < state.oldest {
            let from = std::mem::replace(&mut self.offset, state.oldest);
            return Look::Found(Piece::Lost { from, to: state.oldest });
        }
        self.next = self.next.max(state.gone);
        while self.follow || self.next < self.end {
            let at = usize::try_from(self.next - state.gone).unwrap_or(usize::MAX);
            let Some((_, piece)) = state.pieces.get(at) else { break };
            self.next += 1;
            if let Some(piece) = self.rest(piece) {
                return Look::Found(piece);
            }
        }
        let waits = |kind: &OutputKind| self.only.is_none_or(|only| only == *kind);
        match self.follow && state.running.iter().any(waits) {
            true => Look::Nothing,
            false => Look::Over,
        }
    }

    /// What of a piece is asked for and not read yet.
    fn rest(&mut self, piece: &Piece) -> Option<Piece> {
        let wanted = |kind: OutputKind| self.only.is_none_or(|only| only == kind);
        match piece {
            Piece::Bytes { offset, kind, at, bytes } => {
                let end = offset + bytes.len() as u64;
                let rest = bytes.slice(read_already(self.offset, *offset, bytes)..);
                let offset = end - rest.len() as u64;
                self.offset = self.offset.max(end);
                let found = !rest.is_empty() && wanted(*kind);
                found.then_some(Piece::Bytes { offset, kind: *kind, at: *at, bytes: rest })
            }
            Piece::End { kind, .. } => wanted(*kind).then(|| piece.clone()),
            Piece::Lost { .. } => None,
        }
    }
}

#[async_trait]
impl LogSource for Reader {
    async fn next(&mut self) -> Result<Option<Piece>> {
        let log = Arc::clone(&self.log);
        loop {
            let changed = log.changed.notified();
            match self.look() {
                Look::Found(piece) => return Ok(Some(piece)),
                Look::Over => return Ok(None),
                Look::Nothing => changed.await,
            }
        }
    }
}

fn read_already(position: u64, offset: u64, bytes: &Bytes) -> usize {
    usize::try_from(position.saturating_sub(offset)).unwrap_or(usize::MAX).min(bytes.len())
}

/// The offset at which the last `count` lines begin.
fn last_lines(state: &State, count: u64, only: Option<OutputKind>) -> u64 {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut begins: VecDeque<u64> = VecDeque::new();
    // Whether the next byte of stdout, and of stderr, begins a line.
    let mut fresh = [true; 2];
    for (_, piece) in &state.pieces {
        let Piece::Bytes { offset, kind, bytes, .. } = piece else { continue };
        if only.is_some_and(|only| only != *kind) {
            continue;
        }
        let fresh = &mut fresh[usize::from(*kind == OutputKind::Stderr)];
        for (at, byte) in bytes.iter().enumerate() {
            if std::mem::replace(fresh, *byte == b'\n') {
                begins.push_back(offset + at as u64);
            }
        }
        let surplus = begins.len().saturating_sub(count);
        begins.drain(..surplus);
    }
    begins.front().copied().unwrap_or(state.newest)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::ports::process_io::EndOfOutput;
    use crate::stdio::Keep;

    const AT: SystemTime = SystemTime::UNIX_EPOCH;

    fn log(keep: Keep) -> Arc<KeptLog> {
        let log = Arc::new(KeptLog::new(keep));
        log.state().running = vec![OutputKind::Stdout];
        log
    }

    async fn text(log: &Arc<KeptLog>, from: ReadFrom) -> String {
        let mut source = log.read(ReadLog { from, follow: false, only: None });
        let mut text = String::new();
        while let Some(piece) = source.next().await.unwrap() {
            match piece {
                Piece::Bytes { bytes, .. } => text.push_str(std::str::from_utf8(&bytes).unwrap()),
                Piece::Lost { from, to } => text.push_str(&format!("<{from}..{to}>")),
                Piece::End { .. } => text.push('.'),
            }
        }
        text
    }

    #[tokio::test]
    async fn a_read_begins_where_it_is_told_to() {
        let log = log(Keep::unbounded());
        log.append(OutputKind::Stdout, b"one\ntwo\n", AT);
        log.append(OutputKind::Stdout, b"three", AT + Duration::from_secs(1));
        log.end(OutputKind::Stdout, EndOfOutput::Closed, AT);
        assert_eq!(text(&log, ReadFrom::Start).await, "one\ntwo\nthree.");
        assert_eq!(text(&log, ReadFrom::Offset(6)).await, "o\nthree.");
        assert_eq!(text(&log, ReadFrom::Lines(2)).await, "two\nthree.");
        assert_eq!(text(&log, ReadFrom::Time(AT + Duration::from_millis(1))).await, "three.");
        assert_eq!(text(&log, ReadFrom::Now).await, "");
    }

    #[tokio::test]
    async fn what_made_room_is_said_to_be_lost() {
        let log = log(Keep::bounded(4, 2));
        log.append(OutputKind::Stdout, b"abcdefghij", AT);
        assert_eq!(text(&log, ReadFrom::Start).await, "<0..4>efghij");
        assert_eq!(text(&log, ReadFrom::Offset(5)).await, "fghij");
    }
}
