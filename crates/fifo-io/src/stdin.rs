//! The program's end of a process's stdin: written at any time, closed once.
//!
//! Closing is two acts in this order: our write end goes, then the closer is told; for as long as the runtime holds a
//! write end of its own, only both together are an end-of-file for the process. When that may reach the process is
//! the closer's decision, so end-of-file may come here before, between or after create, start and exit.
//!
//! Keeps: closing is told once, whatever came before: `closing_is_told_once_in_every_order`.

use std::any::Any;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use libcontainerd_core::ports::process_io::{InputStream, ProcessLink};
use libcontainerd_stream::pipe_size;
use tokio::io::{AsyncWrite, Interest};

use crate::Error;
use crate::channel::Channel;
use crate::hold::Hold;
use crate::reader_lock::ReaderLock;

/// Writes the stdin of a process. Shutting it down closes it for the process; dropping it does not.
///
/// What is written before the runtime has opened its end is kept for it, as much as a pipe holds; then a write waits.
#[derive(Debug)]
pub struct FifoWriter {
    /// Gone once it was shut down.
    channel: Option<Channel>,
    /// Only until the process has begun to read.
    hold: Option<Hold>,
    /// Gone once it was told.
    closer: Option<Arc<dyn ProcessLink>>,
    _lock: Arc<ReaderLock>,
}

impl FifoWriter {
    pub(crate) fn new(
        fifo: OwnedFd,
        hold: Option<Hold>,
        closer: Arc<dyn ProcessLink>,
        lock: Arc<ReaderLock>,
    ) -> Result<Self, Error> {
        pipe_size::grow(&fifo, pipe_size::WANTED);
        let channel = Some(Channel::new(fifo, Interest::WRITABLE)?);
        Ok(Self { channel, hold, closer: Some(closer), _lock: lock })
    }

    /// What is written to, unless it was shut down, and the hold that wants to know of each write.
    pub(crate) fn parts(&mut self) -> (Option<&Channel>, &mut Option<Hold>) {
        (self.channel.as_ref(), &mut self.hold)
    }
}

impl AsyncWrite for FifoWriter {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { channel, hold, .. } = &mut *self;
        let Some(channel) = channel else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        Hold::poll_write(hold, channel, cx, bytes)
    }

    /// What was written is in the pipe already.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.channel = None;
        if let Some(closer) = self.closer.take() {
            closer.close();
        }
        Poll::Ready(Ok(()))
    }
}

impl InputStream for FifoWriter {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
