//! The program's end of a stream that a process writes.
//!
//! A FIFO to which the runtime has not come yet has nothing to read; it ends when its last writer is gone.

use std::any::Any;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use libcontainerd_core::ports::process_io::OutputStream;
use libcontainerd_stream::pipe_size;
use tokio::io::{AsyncRead, Interest, ReadBuf};

use crate::Error;
use crate::channel::Channel;
use crate::reader_lock::ReaderLock;

/// Reads stdout or stderr of a process. While it lives, no other program can read the process's streams.
#[derive(Debug)]
pub struct FifoReader {
    channel: Channel,
    _lock: Arc<ReaderLock>,
}

impl FifoReader {
    pub(crate) fn new(fifo: OwnedFd, lock: Arc<ReaderLock>) -> Result<Self, Error> {
        pipe_size::grow(&fifo, pipe_size::WANTED);
        Ok(Self { channel: Channel::new(fifo, Interest::READABLE)?, _lock: lock })
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }
}

impl AsyncRead for FifoReader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.channel.poll_read(cx, buf)
    }
}

impl OutputStream for FifoReader {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
