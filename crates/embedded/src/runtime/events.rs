//! The event log of all containers, as one client follows it.
//!
//! Monitors append to the log; the kernel tells us that the directory changed. Watched first, read then, so that
//! nothing falls between. The cursor that comes with an event is the place right behind it: who comes back with it goes
//! on with the next one.

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
    /// Events that were read and not yet handed out, each with the place behind it.
    ready: VecDeque<(Event, log::Cursor)>,
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
        Ok(LogEvents { reader, changes, ready: VecDeque::new() })
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
            if let Some((event, behind)) = self.ready.pop_front() {
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
