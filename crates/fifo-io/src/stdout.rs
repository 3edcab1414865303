//! The program's end of a stream that a process writes.
//!
//! A FIFO to which the runtime has not come yet has nothing to read; it ends when its last writer is gone, or when the
//! process has ended and its drain is over.

use std::any::Any;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use libcontainerd_core::ports::process_io::{EndOfOutput, OutputStream};
use libcontainerd_stream::pipe_size;
use tokio::io::{AsyncRead, Interest, ReadBuf};

use crate::Error;
use crate::channel::Channel;
use crate::ending::Ending;
use crate::reader_lock::ReaderLock;

/// Reads stdout or stderr of a process. While it lives, no other program can read the process's streams.
#[derive(Debug)]
pub struct FifoReader {
    channel: Channel,
    ending: Ending,
    _lock: Arc<ReaderLock>,
}

impl FifoReader {
    pub(crate) fn new(fifo: OwnedFd, ending: Ending, lock: Arc<ReaderLock>) -> Result<Self, Error> {
        pipe_size::grow(&fifo, pipe_size::WANTED);
        Ok(Self { channel: Channel::new(fifo, Interest::READABLE)?, ending, _lock: lock })
    }

    /// What is read, and what says when to stop although somebody may still write.
    pub(crate) fn parts(&mut self) -> (&Channel, &mut Ending) {
        (&self.channel, &mut self.ending)
    }
}

impl AsyncRead for FifoReader {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { channel, ending, .. } = &mut *self;
        ending.poll_read(channel, cx, buf)
    }
}

impl OutputStream for FifoReader {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn end(&self) -> Option<EndOfOutput> {
        self.ending.seen()
    }
}
