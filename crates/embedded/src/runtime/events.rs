//! The event log of all containers, as one client follows it.
//!
//! Monitors append to the log; the kernel tells us that the directory changed. Watched first, read then, so that
//! nothing falls between. Within one batch the cursor stays at the batch's beginning: who comes back with it hears
//! some events twice, and misses none.

use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use async_trait::async_trait;
use libcontainerd_core::cursor::{Cursor, Since};
use libcontainerd_core::event::Event;
use libcontainerd_core::ports::runtime::EventSource;
use libcontainerd_core::{Error as CoreError, Result};
use libcontainerd_durable::{Dir, log};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;

use super::sys::watched;
use crate::error::Error;

/// A client's place in the event log.
#[derive(Debug)]
pub(super) struct LogEvents {
    reader: log::Reader,
    changes: AsyncFd<OwnedFd>,
    /// Events that were read and not yet handed out.
    ready: VecDeque<Event>,
    /// The position before the first of them.
    before: log::Cursor,
}

impl LogEvents {
    /// Opens the log in `dir`.
    ///
    /// # Errors
    /// `Gap` when it no longer reaches back that far.
    pub(super) fn open(dir: &Dir, since: Since) -> Result<LogEvents> {
        let changes = watch(dir)?;
        let reader = match since {
            Since::Now => log::Reader::open_at_end(dir),
            Since::Oldest => log::Reader::open(dir, None),
            Since::Cursor(cursor) => {
                let cursor = cursor.as_str().parse().map_err(Error::disk("read the cursor"))?;
                log::Reader::open(dir, Some(cursor))
            }
        }
        .map_err(Error::disk("open the event log"))?;
        let before = reader.cursor();
        Ok(LogEvents { reader, changes, ready: VecDeque::new(), before })
    }

    /// Takes in what has been logged meanwhile.
    fn read(&mut self) -> Result<()> {
        self.before = self.reader.cursor();
        let batch = self.reader.next_batch().map_err(Error::disk("read the event log"))?;
        for record in batch.records {
            match serde_json::from_slice(&record) {
                Ok(event) => self.ready.push_back(event),
                // An event of a later version of ours, which this one has no word for.
                Err(error) => tracing::debug!(%error, "an event is not understood and left out"),
            }
        }
        Ok(())
    }

    async fn changed(&mut self) -> Result<()> {
        let mut guard = self.changes.readable().await.map_err(Error::Watch)?;
        // What changed does not matter: the log itself tells.
        let mut notes = [0; 4096];
        loop {
            match rustix::io::read(guard.get_inner(), &mut notes) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(errno) => return Err(Error::Watch(errno.into()).into()),
            }
        }
        guard.clear_ready();
        Ok(())
    }
}

#[async_trait]
impl EventSource for LogEvents {
    async fn next(&mut self) -> Result<Option<(Event, Cursor)>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                let behind = if self.ready.is_empty() { self.reader.cursor() } else { self.before };
                return Ok(Some((event, Cursor::new(behind.to_string()))));
            }
            let place = self.reader.cursor();
            self.read()?;
            if self.ready.is_empty() && self.reader.cursor() == place {
                self.changed().await?;
            }
        }
    }
}

fn watch(dir: &Dir) -> Result<AsyncFd<OwnedFd>> {
    let begun = || {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let path = format!("/proc/self/fd/{}", dir.as_fd().as_raw_fd());
        inotify::add_watch(&inotify, path, WatchFlags::MODIFY | WatchFlags::CREATE)?;
        Ok(inotify)
    };
    let inotify = begun().map_err(|errno: Errno| CoreError::from(Error::Watch(errno.into())))?;
    watched(inotify).map_err(|e| Error::Watch(e).into())
}
