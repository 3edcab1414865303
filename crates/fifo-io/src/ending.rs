//! When a stream ends although somebody still holds it open: the drain after its process has ended.
//!
//! What the process wrote is in the pipe when it ends, and is always delivered: that much is owed. What children of it
//! write later is delivered as the caller's drain says. The end is noticed when the stream is found empty, or has been
//! asked for longer than the drain's limit.
//!
//! Keeps: `what_the_process_wrote_arrives_and_a_child_does_not_hold_the_end_up`.
//! Does not know: who the children are; whether they live.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use libcontainerd_core::ports::process_io::{EndOfOutput, ProcessLink};
use libcontainerd_core::stdio::Drain;
use tokio::io::ReadBuf;
use tokio::time::{Instant, Sleep};

use crate::channel::Channel;

/// So long a stream must be empty to be over.
const QUIET: Duration = Duration::from_millis(100);
/// So long it may go on in all.
const LONGEST: Duration = Duration::from_secs(10);

/// When a stream ends.
#[derive(Debug)]
pub(crate) struct Ending {
    stage: Stage,
    /// Whether its last writer was seen to be gone.
    closed: bool,
}

enum Stage {
    /// With its last writer, and not before.
    ByItself,
    /// Its process lives.
    Awaited {
        drain: Drain,
        /// Never locked: it makes the stream one that threads may share.
        ended: Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>,
    },
    /// Its process has ended.
    Draining(Draining),
    Over,
}

struct Draining {
    /// Bytes that were in the pipe when the process was seen to have ended and are not read yet.
    owed: usize,
    /// How long it must be empty.
    quiet: Option<Duration>,
    /// When it is over, whatever comes.
    limit: Instant,
    /// When it was last found to have bytes.
    last: Instant,
    /// Wakes whoever waits for more.
    alarm: Pin<Box<Sleep>>,
}

impl Ending {
    /// The end of a stream of the process behind `link`.
    pub(crate) fn new(drain: Drain, link: Arc<dyn ProcessLink>) -> Self {
        match drain {
            Drain::UntilEof => Self::of_its_own(),
            _ => Self::at(Stage::Awaited { drain, ended: Mutex::new(Box::pin(async move { link.ended().await })) }),
        }
    }

    /// The end of a stream that ends with its last writer.
    pub(crate) fn of_its_own() -> Self {
        Self::at(Stage::ByItself)
    }

    fn at(stage: Stage) -> Self {
        Self { stage, closed: false }
    }

    /// The last writer is gone and all it wrote is read.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// What the end was, once there was one.
    pub(crate) fn seen(&self) -> Option<EndOfOutput> {
        match self.stage {
            _ if self.closed => Some(EndOfOutput::Closed),
            Stage::Over => Some(EndOfOutput::Drained),
            _ => None,
        }
    }

    /// Reads what is there, or the end.
    pub(crate) fn poll_read(
        &mut self,
        from: &Channel,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let allowed = self.allowed(buf.remaining());
        if allowed == 0 {
            return Poll::Ready(Ok(()));
        }
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(allowed));
        match from.poll_read(cx, &mut part) {
            Poll::Ready(read) => {
                let bytes = part.filled().len();
                read?;
                self.closed |= bytes == 0;
                buf.advance(bytes);
                self.note(bytes);
                Poll::Ready(Ok(()))
            }
            Poll::Pending => self.poll_over(from, cx).map(Ok),
        }
    }

    /// How many bytes may be read now, at most `wanted`; 0 when it is over.
    pub(crate) fn allowed(&mut self, wanted: usize) -> usize {
        match &self.stage {
            Stage::ByItself | Stage::Awaited { .. } => wanted,
            Stage::Draining(draining) if Instant::now() < draining.limit => wanted,
            Stage::Draining(draining) if draining.owed > 0 => wanted.min(draining.owed),
            Stage::Draining(_) | Stage::Over => {
                self.stage = Stage::Over;
                0
            }
        }
    }

    /// So many bytes were read.
    pub(crate) fn note(&mut self, bytes: usize) {
        if let Stage::Draining(draining) = &mut self.stage {
            draining.owed = draining.owed.saturating_sub(bytes);
            draining.last = Instant::now();
        }
    }

    /// Waits, while `from` is empty, until it is over.
    pub(crate) fn poll_over(&mut self, from: &Channel, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut self.stage {
                Stage::ByItself => return Poll::Pending,
                Stage::Over => return Poll::Ready(()),
                Stage::Awaited { drain, ended } => {
                    ready!(ended.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll(cx));
                    let drain = *drain;
                    self.stage = Stage::Draining(Draining::begin(drain, from));
                }
                Stage::Draining(draining) => {
                    if draining.owed > 0 {
                        // They came since the look that found it empty, and are read first.
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    ready!(draining.poll_end(cx));
                    self.stage = Stage::Over;
                }
            }
        }
    }
}

impl Draining {
    fn begin(drain: Drain, from: &Channel) -> Self {
        let now = Instant::now();
        let (quiet, longest) = match drain {
            Drain::For(limit) => (None, limit),
            Drain::None => (None, Duration::ZERO),
            _ => (Some(QUIET), LONGEST),
        };
        let limit = now + longest;
        Draining { owed: from.waiting(), quiet, limit, last: now, alarm: Box::pin(tokio::time::sleep_until(limit)) }
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let end = self.quiet.map_or(self.limit, |quiet| self.limit.min(self.last + quiet));
        if Instant::now() >= end {
            return Poll::Ready(());
        }
        self.alarm.as_mut().reset(end);
        self.alarm.as_mut().poll(cx)
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::ByItself => "ByItself",
            Stage::Awaited { .. } => "Awaited",
            Stage::Draining(_) => "Draining",
            Stage::Over => "Over",
        })
    }
}
