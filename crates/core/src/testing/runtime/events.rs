//! The log of events and those who follow it.
//!
//! Every event that happens is appended as a delivery with the time at which it is due; a follower is a position in
//! the log, and a cursor is that position as text, good for ever until a test orders a loss.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::cursor::{Cursor, Since};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::ports::runtime::EventSource;
use crate::testing::fault::EventFault;

/// The log of one machine.
#[derive(Debug, Clone, Default)]
pub(super) struct EventLog {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    kept: Mutex<Kept>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    deliveries: Vec<Delivery>,
    late: Duration,
    twice: bool,
    swap: Swap,
    /// Counts the ends of all streams; a follower of an older count has ended.
    ended: u64,
    end: End,
    lost_before: usize,
}

#[derive(Debug, Default)]
enum Swap {
    #[default]
    No,
    Next,
    Held(Box<Event>),
}

#[derive(Debug, Clone, Copy, Default)]
enum End {
    #[default]
    Quiet,
    Broken,
    Lost,
}

#[derive(Debug, Clone)]
struct Delivery {
    event: Event,
    due: Instant,
}

impl EventLog {
    /// An event has happened.
    pub(super) fn push(&self, event: Event) {
        let mut kept = self.kept();
        match std::mem::take(&mut kept.swap) {
            Swap::No => kept.append(event),
            Swap::Next => kept.swap = Swap::Held(Box::new(event)),
            Swap::Held(earlier) => {
                kept.append(event);
                kept.append(*earlier);
            }
        }
        self.inner.changed.notify_waiters();
    }

    pub(super) fn disturb(&self, fault: EventFault) {
        let mut kept = self.kept();
        match fault {
            EventFault::Late(delay) => kept.late = delay,
            EventFault::Twice => kept.twice = true,
            EventFault::Swapped => kept.swap = Swap::Next,
            EventFault::Foreign(event) => kept.append(*event),
            EventFault::Ended => kept.end_all(End::Quiet),
            EventFault::Broken => kept.end_all(End::Broken),
            EventFault::Lost => {
                kept.lost_before = kept.deliveries.len();
                kept.end_all(End::Lost);
            }
        }
        self.inner.changed.notify_waiters();
    }

    /// A follower from `since` on.
    ///
    /// # Errors
    /// `Gap` when events after the cursor were lost; `InvalidArgument` when it is none of ours.
    pub(super) fn follow(&self, since: &Since) -> Result<Box<dyn EventSource>> {
        let kept = self.kept();
        let position = match since {
            Since::Now => kept.deliveries.len(),
            Since::Oldest => kept.lost_before,
            Since::Cursor(cursor) => kept.position(cursor)?,
        };
        Ok(Box::new(Follower { log: self.clone(), position, ended: kept.ended }))
    }

    /// The position after the last event.
    pub(super) fn cursor(&self) -> Cursor {
        Cursor::new(self.kept().deliveries.len().to_string())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn append(&mut self, event: Event) {
        let delivery = Delivery { event, due: Instant::now() + self.late };
        if self.twice {
            self.deliveries.push(delivery.clone());
        }
        self.deliveries.push(delivery);
    }

    fn end_all(&mut self, end: End) {
        self.ended += 1;
        self.end = end;
    }

    fn position(&self, cursor: &Cursor) -> Result<usize> {
        match cursor.as_str().parse::<usize>() {
            Ok(position) if position < self.lost_before => Err(lost()),
            Ok(position) if position <= self.deliveries.len() => Ok(position),
            _ => Err(Error::new(ErrorKind::InvalidArgument, "this cursor is none of this runtime's")),
        }
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::Gap, "events after that position are no longer kept")
}

#[derive(Debug)]
struct Follower {
    log: EventLog,
    position: usize,
    ended: u64,
}

enum Look {
    Ready(Box<(Event, Cursor)>),
    Due(Instant),
    Nothing,
    End(End),
}

impl Follower {
    fn look(&mut self) -> Look {
        let kept = self.log.kept();
        if kept.ended != self.ended {
            return Look::End(kept.end);
        }
        match kept.deliveries.get(self.position) {
            None => Look::Nothing,
            Some(delivery) if delivery.due > Instant::now() => Look::Due(delivery.due),
            Some(delivery) => {
                self.position += 1;
                Look::Ready(Box::new((delivery.event.clone(), Cursor::new(self.position.to_string()))))
            }
        }
    }
}

#[async_trait]
impl EventSource for Follower {
    async fn next(&mut self) -> Result<Option<(Event, Cursor)>> {
        let inner = self.log.inner.clone();
        loop {
            let changed = inner.changed.notified();
            match self.look() {
                Look::Ready(found) => return Ok(Some(*found)),
                Look::End(End::Quiet) => return Ok(None),
                Look::End(End::Broken) => return Err(Error::new(ErrorKind::Unavailable, "the stream of events broke")),
                Look::End(End::Lost) => return Err(lost()),
                Look::Nothing => changed.await,
                Look::Due(due) => {
                    tokio::select! {
                        () = changed => {}
                        () = sleep_until(due) => {}
                    }
                }
            }
        }
    }
}
