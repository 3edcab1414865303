//! The wait of a writer until somebody opens its FIFO for reading.
//!
//! Epoll does not tell a writer that a first reader has come, and a write before that is refused as if the reader had
//! gone; inotify tells every opening of the FIFO. The descriptor itself is given to epoll only afterwards, since epoll
//! would take the missing reader for a closed pipe for ever.
//!
//! Keeps: nothing written before the runtime opens its end is lost: `a_write_waits_for_the_runtime`.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::task::{Context, Poll, ready};

use libcontainerd_stream::drain;
use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::sys;

/// A FIFO's write end whose reader may not have come yet.
#[derive(Debug)]
pub(crate) struct Arrival {
    writer: OwnedFd,
    /// Only while somebody waits: there are few of them per user.
    openings: Option<AsyncFd<OwnedFd>>,
}

impl Arrival {
    pub(crate) fn of_a_reader_to(writer: OwnedFd) -> Self {
        Self { writer, openings: None }
    }

    /// The write end, once somebody reads.
    pub(crate) fn into_writer(self) -> OwnedFd {
        self.writer
    }

    /// Ready once somebody has opened the FIFO for reading.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            // Asked again after the watch was set, so that no opening falls between the two.
            if drain::has_a_reader(&self.writer).map_err(io::Error::other)? {
                self.openings = None;
                return Poll::Ready(Ok(()));
            }
            let Some(openings) = &self.openings else {
                self.openings = Some(watch(&self.writer)?);
                continue;
            };
            let mut guard = ready!(openings.poll_read_ready(cx))?;
            // What was opened does not matter, only that something was.
            let _ = guard.try_io(|openings| Ok(rustix::io::read(openings, &mut [0; 512][..])?));
        }
    }
}

fn watch(writer: &OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    let openings = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
    add_watch(&openings, path, WatchFlags::OPEN)?;
    sys::watch(openings, Interest::READABLE).map_err(|(_, source)| source)
}
