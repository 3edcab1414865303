//! Streams around a descriptor that the program has already: a terminal, pipe, file, socket or device.
//!
//! A caller's descriptor often shares its open file description with other programs, the shell's terminal above all,
//! and `O_NONBLOCK` would be set for them too. So it is never set there: a terminal or pipe is opened anew through
//! `/proc/self/fd`, which gives a description of our own. What cannot be opened anew (sockets, a pty's master, whose
//! opening would make another pty, or a terminal of another user after `su`) is used as it is, with care.
//!
//! Keeps: the caller's description keeps its flags: `a_callers_description_is_never_made_non_blocking`.

use std::any::Any;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use libcontainerd_core::ports::process_io::{InputStream, OutputStream};
use rustix::fs::{Mode, OFlags};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

use crate::Error;
use crate::channel::{Channel, Nature};

/// Reads a descriptor of the program's own, as the source of a copy.
#[derive(Debug)]
pub struct DescriptorReader {
    channel: Channel,
}

impl DescriptorReader {
    /// Wraps `fd`, which is closed when this is dropped; call it within a tokio runtime.
    ///
    /// # Errors
    /// `Watch` when the descriptor cannot be examined or watched.
    pub fn new(fd: OwnedFd) -> Result<Self, Error> {
        Ok(Self { channel: Channel::new(own_description(fd, OFlags::RDONLY), Interest::READABLE)? })
    }

    /// The program's own stdin, of which it keeps its own descriptor.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn stdin() -> Result<Self, Error> {
        Self::new(duplicate(io::stdin())?)
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }
}

impl AsyncRead for DescriptorReader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.channel.poll_read(cx, buf)
    }
}

impl OutputStream for DescriptorReader {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

/// Writes to a descriptor of the program's own, as the sink of a copy. Shutting it down closes it.
#[derive(Debug)]
pub struct DescriptorWriter {
    channel: Option<Channel>,
}

impl DescriptorWriter {
    /// Wraps `fd`, which is closed when this is shut down or dropped; call it within a tokio runtime.
    ///
    /// # Errors
    /// `Watch` when the descriptor cannot be examined or watched.
    pub fn new(fd: OwnedFd) -> Result<Self, Error> {
        let channel = Channel::new(own_description(fd, OFlags::WRONLY), Interest::WRITABLE)?;
        Ok(Self { channel: Some(channel) })
    }

    /// The program's own stdout, of which it keeps its own descriptor.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn stdout() -> Result<Self, Error> {
        Self::new(duplicate(io::stdout())?)
    }

    /// The program's own stderr, of which it keeps its own descriptor.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn stderr() -> Result<Self, Error> {
        Self::new(duplicate(io::stderr())?)
    }

    pub(crate) fn channel(&self) -> Option<&Channel> {
        self.channel.as_ref()
    }
}

impl AsyncWrite for DescriptorWriter {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &self.channel {
            Some(channel) => channel.poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.channel = None;
        Poll::Ready(Ok(()))
    }
}

impl InputStream for DescriptorWriter {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

fn duplicate(fd: impl AsFd) -> Result<OwnedFd, Error> {
    fd.as_fd().try_clone_to_owned().map_err(|source| Error::Watch { source })
}

/// Whether a pipe has no name. A named one that is opened anew does not know of writers who came and went before, and
/// so would never end.
fn is_anonymous(pipe: &OwnedFd) -> bool {
    const PIPEFS_MAGIC: u64 = 0x5049_5045;
    rustix::fs::fstatfs(pipe).is_ok_and(|system| system.f_type as u64 == PIPEFS_MAGIC)
}

/// The same object by a non-blocking description of our own, where that can be had.
fn own_description(fd: OwnedFd, access: OFlags) -> OwnedFd {
    let is_master = || rustix::pty::ptsname(&fd, Vec::new()).is_ok();
    match Nature::of(fd.as_fd()) {
        Ok(Nature::Pipe) if access == OFlags::WRONLY || is_anonymous(&fd) => {}
        Ok(Nature::Terminal) if !is_master() => {}
        _ => return fd,
    }
    let flags = access | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(format!("/proc/self/fd/{}", fd.as_raw_fd()), flags, Mode::empty()).unwrap_or(fd)
}
