//! Kept output as a stream: one output of a process, followed, as bytes alone.
//!
//! Any number of them may be open. What is not kept any more is passed over: whoever has to know reads pieces.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, ReadBuf};

use crate::error::Result;
use crate::ports::process_io::{EndOfOutput, LogSource, OutputStream, Piece};

type Turn = Pin<Box<dyn Future<Output = (Box<dyn LogSource>, Result<Option<Piece>>)> + Send>>;

/// One followed output.
pub(in crate::client) struct LogReader {
    state: State,
    /// What was read from the log and not yet by the program.
    held: Bytes,
    /// What the last end was that was read.
    end: Option<EndOfOutput>,
}

enum State {
    /// The source, and the piece that it is asked for. Never locked: it makes the stream one that threads may share.
    Reading(Mutex<Turn>),
    Over,
}

impl LogReader {
    /// The stream of what `source` gives.
    pub(in crate::client) fn new(source: Box<dyn LogSource>) -> Self {
        LogReader { state: State::Reading(Mutex::new(turn(source))), held: Bytes::new(), end: None }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let State::Reading(asked) = &mut self.state else { return Poll::Ready(Ok(())) };
        let asked = asked.get_mut().unwrap_or_else(PoisonError::into_inner);
        let (source, piece) = ready!(asked.as_mut().poll(cx));
        self.state = match &piece {
            Ok(Some(_)) => State::Reading(Mutex::new(turn(source))),
            Ok(None) | Err(_) => State::Over,
        };
        match piece.map_err(io::Error::other)? {
            Some(Piece::Bytes { bytes, .. }) => {
                self.held = bytes;
                self.end = None;
            }
            Some(Piece::Lost { from, to }) => {
                tracing::debug!(from, to, "output that is not kept any more is passed over")
            }
            Some(Piece::End { why, .. }) => self.end = Some(why),
            None => {}
        }
        Poll::Ready(Ok(()))
    }
}

fn turn(mut source: Box<dyn LogSource>) -> Turn {
    Box::pin(async move {
        let piece = source.next().await;
        (source, piece)
    })
}

impl fmt::Debug for LogReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("kept output")
    }
}

impl AsyncRead for LogReader {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.held.is_empty() && matches!(self.state, State::Reading(_)) {
            ready!(self.poll_piece(cx))?;
        }
        let count = self.held.len().min(buffer.remaining());
        buffer.put_slice(&self.held[..count]);
        self.held.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl OutputStream for LogReader {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn end(&self) -> Option<EndOfOutput> {
        self.end.filter(|_| matches!(self.state, State::Over))
    }
}
