//! The program's end of a process's stdin: waits for the runtime, writes, is closed once.
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
use std::task::{Context, Poll, ready};

use libcontainerd_core::ports::process_io::{InputStream, StdinCloser};
use libcontainerd_stream::pipe_size;
use tokio::io::{AsyncWrite, Interest};

use crate::Error;
use crate::arrival::Arrival;
use crate::channel::Channel;
use crate::reader_lock::ReaderLock;

/// Writes the stdin of a process. Shutting it down closes it for the process; dropping it does not.
#[derive(Debug)]
pub struct FifoWriter {
    state: State,
    /// Gone once it was told.
    closer: Option<Arc<dyn StdinCloser>>,
    _lock: Arc<ReaderLock>,
}

impl FifoWriter {
    pub(crate) fn new(fifo: OwnedFd, closer: Arc<dyn StdinCloser>, lock: Arc<ReaderLock>) -> Self {
        pipe_size::grow(&fifo, pipe_size::WANTED);
        Self { state: State::Awaiting(Arrival::of_a_reader_to(fifo)), closer: Some(closer), _lock: lock }
    }

    /// Waits until the runtime has opened its end.
    pub(crate) async fn channel(&mut self) -> io::Result<&Channel> {
        std::future::poll_fn(|cx| self.poll_open(cx)).await?;
        match &self.state {
            State::Open(channel) => Ok(channel),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let State::Awaiting(arrival) = &mut self.state {
            ready!(arrival.poll(cx))?;
            self.state.open()?;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for FifoWriter {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(cx))?;
        match &self.state {
            State::Open(channel) => channel.poll_write(cx, bytes),
            _ => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// What was written is in the pipe already.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.state = State::Closed;
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

#[derive(Debug)]
enum State {
    /// The runtime has not opened its end.
    Awaiting(Arrival),
    /// It has.
    Open(Channel),
    /// Shut down, or beyond use.
    Closed,
}

impl State {
    fn open(&mut self) -> io::Result<()> {
        if let Self::Awaiting(arrival) = std::mem::replace(self, Self::Closed) {
            let channel = Channel::new(arrival.into_writer(), Interest::WRITABLE).map_err(Error::into_io)?;
            *self = Self::Open(channel);
        }
        Ok(())
    }
}
