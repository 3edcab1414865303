//! Read ends of our own that keep what was written to a stdin until the runtime has come for it.
//!
//! A pipe without a reader refuses every write, and forgets its bytes once nobody holds it. So where the runtime has
//! not opened its end yet we hold one, from which nothing is ever read: the program can write and even close at once,
//! and the bytes are there when the process starts. As soon as bytes have left the pipe somebody else reads, and the
//! hold is let go, so that a writer learns when that reader goes. (inotify would tell of the opening too, but closing
//! such a watch blocks for some 20 ms.)
//!
//! Keeps: nothing written before the runtime opens its end is lost: `what_was_written_early_is_kept_for_the_process`.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use libcontainerd_stream::drain;
use tokio::time::Sleep;

use crate::Error;
use crate::channel::Channel;

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The read ends that are held, by the path of their FIFO; they may outlive the streams.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    readers: Mutex<HashMap<PathBuf, OwnedFd>>,
}

impl Holds {
    /// Holds the FIFO at `path`, if it is not held already and nobody else reads from `writer`.
    pub(crate) fn begin(
        self: &Arc<Self>,
        path: PathBuf,
        writer: BorrowedFd<'_>,
        open_reader: impl FnOnce() -> Result<OwnedFd, Error>,
    ) -> Result<Option<Hold>, Error> {
        let mut readers = self.readers();
        if !readers.contains_key(&path) {
            if drain::has_a_reader(writer).map_err(|source| Error::Open { source })? {
                return Ok(None);
            }
            readers.insert(path.clone(), open_reader()?);
        }
        let present = readers.get(&path).and_then(unread).unwrap_or(0);
        drop(readers);
        Ok(Some(Hold { holds: self.clone(), path, present, look: None }))
    }

    /// Lets go of the FIFO at `path`, whatever is in it.
    pub(crate) fn end(&self, path: &Path) {
        self.readers().remove(path);
    }

    fn readers(&self) -> MutexGuard<'_, HashMap<PathBuf, OwnedFd>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One writer's share in the hold of its FIFO.
#[derive(Debug)]
pub(crate) struct Hold {
    holds: Arc<Holds>,
    path: PathBuf,
    /// How many bytes are in the pipe if nobody has read any.
    present: u64,
    /// Runs only while a full pipe is waited for.
    look: Option<Pin<Box<Sleep>>>,
}

impl Hold {
    /// Takes note that `written` bytes went into the pipe, and lets go of a hold that is needed no longer.
    pub(crate) fn note(slot: &mut Option<Self>, written: usize) {
        let Some(hold) = slot else {
            return;
        };
        hold.present += written as u64;
        if hold.unread().is_none_or(|unread| unread < hold.present) {
            hold.holds.end(&hold.path);
            *slot = None;
        }
    }

    /// Writes as much as is taken, under a hold or none.
    pub(crate) fn poll_write(
        slot: &mut Option<Self>,
        channel: &Channel,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Self::note(slot, 0);
        let written = channel.poll_write(cx, bytes);
        match &written {
            Poll::Ready(Ok(written)) => Self::note(slot, *written),
            Poll::Ready(Err(_)) => {}
            // Should the hold be let go now, the pipe itself tells what that changes.
            Poll::Pending => _ = Self::poll_over(slot, cx),
        }
        written
    }

    /// Ready once the hold was let go; never without one.
    ///
    /// To be polled beside the wait for a full pipe: a reader that takes a part of a page and leaves wakes nobody, so
    /// for as long as a hold hides its leaving we look ourselves.
    pub(crate) fn poll_over(slot: &mut Option<Self>, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(hold) = slot {
            ready!(hold.look.get_or_insert_with(|| Box::pin(tokio::time::sleep(LOOK_EVERY))).as_mut().poll(cx));
            hold.look = None;
            Self::note(slot, 0);
            if slot.is_none() {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }

    fn unread(&self) -> Option<u64> {
        self.holds.readers().get(&self.path).and_then(unread)
    }
}

impl Drop for Hold {
    /// What was written and not read is held on; an empty pipe needs nobody.
    fn drop(&mut self) {
        if self.unread() == Some(0) {
            self.holds.end(&self.path);
        }
    }
}

fn unread(reader: &OwnedFd) -> Option<u64> {
    rustix::io::ioctl_fionread(reader).ok()
}
