//! The event log of all containers, as one client follows it.
//!
//! Monitors append to the log and ring at the door of everybody who follows it. The bell is hung up first, the log read
//! then, so that nothing falls between. The cursor that comes with an event is the place right behind it: who comes back with it goes
//! on with the next one.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};

use async_trait::async_trait;
use libcontainerd_core::Result;
use libcontainerd_core::cursor::{Cursor, Since};
use libcontainerd_core::event::Event;
use libcontainerd_core::ports::runtime::EventSource;
use libcontainerd_durable::{Dir, log};
use tokio::io::unix::AsyncFd;

use super::sys::watched;
use crate::doorbell::{Doorbell, Doorbells};
use crate::error::Error;

/// A client's place in the event log.
#[derive(Debug)]
pub(super) struct LogEvents {
    reader: log::Reader,
    bell: Doorbell,
    rings: AsyncFd<OwnedFd>,
    /// Events that were read and not yet handed out, each with the place behind it.
    ready: VecDeque<(Event, log::Cursor)>,
}

impl LogEvents {
    /// Opens the log in `dir`, which belongs to `state`.
    ///
    /// # Errors
    /// `Gap` when it no longer reaches back that far.
    pub(super) fn open(state: &Dir, dir: &Dir, since: Since) -> Result<LogEvents> {
        let bell = Doorbells::open(state).map_err(Error::disk("open the watchers' directory"))?;
        let bell = bell.hang().map_err(Error::Watch)?;
        let rings = watched(bell.socket().as_fd().try_clone_to_owned().map_err(Error::Watch)?).map_err(Error::Watch)?;
        let reader = match since {
            Since::Now => log::Reader::open_at_end(dir),
            Since::Oldest => log::Reader::open(dir, None),
            Since::Cursor(cursor) => {
                let cursor = cursor.as_str().parse().map_err(Error::disk("read the cursor"))?;
                log::Reader::open(dir, Some(cursor))
            }
        }
        .map_err(Error::disk("open the event log"))?;
        Ok(LogEvents { reader, bell, rings, ready: VecDeque::new() })
    }

    /// Takes in what has been logged meanwhile.
    fn read(&mut self) -> Result<()> {
        let batch = self.reader.next_batch().map_err(Error::disk("read the event log"))?;
        for (record, place) in batch.records.iter().zip(batch.places) {
            match serde_json::from_slice(record) {
                Ok(event) => self.ready.push_back((event, place)),
                // An event of a later version of ours, which this one has no word for.
                Err(error) => tracing::debug!(%error, "an event is not understood and left out"),
            }
        }
        Ok(())
    }

    async fn rung(&mut self) -> Result<()> {
        let mut guard = self.rings.readable().await.map_err(Error::Watch)?;
        guard.clear_ready();
        self.bell.silence();
        Ok(())
    }
}

/// The place behind the newest event in the log in `dir`.
///
/// # Errors
/// When the log cannot be read.
pub(super) fn end(dir: &Dir) -> Result<Cursor> {
    let reader = log::Reader::open_at_end(dir).map_err(Error::disk("open the event log"))?;
    Ok(Cursor::new(reader.cursor().to_string()))
}

#[async_trait]
impl EventSource for LogEvents {
    async fn next(&mut self) -> Result<Option<(Event, Cursor)>> {
        loop {
            if let Some((event, behind)) = self.ready.pop_front() {
                return Ok(Some((event, Cursor::new(behind.to_string()))));
            }
            let place = self.reader.cursor();
            self.read()?;
            if self.ready.is_empty() && self.reader.cursor() == place {
                self.rung().await?;
            }
        }
    }
}
