//! One descriptor, read or written without ever blocking a thread.
//!
//! Epoll says when to try; what cannot be polled (files, /dev/null) is always tried at once. How a try is kept from
//! blocking depends on whose descriptor it is: our own are non-blocking, while a caller's may share its open file
//! description with other programs (a terminal with the shell), and `O_NONBLOCK` set there would break those. Such a
//! one is asked by poll first and then for no more than it is ready for.
//!
//! Does not know: FIFOs by name, when a stream is closed.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll, ready};

use libcontainerd_stream::{drain, transfer};
use rustix::fs::{FileType, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, SendFlags};
use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, ReadBuf};

use crate::{Error, sys};

/// A descriptor in one direction.
#[derive(Debug)]
pub(crate) struct Channel {
    watched: Watched,
    nature: Nature,
    /// Whether its own flags keep it from blocking.
    patient: bool,
}

impl Channel {
    /// Watches `fd` for `interest`.
    pub(crate) fn new(fd: OwnedFd, interest: Interest) -> Result<Self, Error> {
        let failed = |errno: Errno| Error::Watch { source: errno.into() };
        let nature = Nature::of(fd.as_fd()).map_err(failed)?;
        let flags = rustix::fs::fcntl_getfl(&fd).map_err(failed)?;
        let watched = match sys::watch(fd, interest) {
            Ok(polled) => Watched::Polled(polled),
            Err((fd, refusal)) if Errno::from_io_error(&refusal) == Some(Errno::PERM) => Watched::Always(fd),
            Err((_, source)) => return Err(Error::Watch { source }),
        };
        let patient = flags.contains(OFlags::NONBLOCK) || matches!(watched, Watched::Always(_));
        Ok(Self { watched, nature, patient })
    }

    /// Whether the kernel may move bytes to or from it on its own without blocking.
    pub(crate) fn is_patient(&self) -> bool {
        self.patient
    }

    /// How many bytes can be read now, where the kernel tells it.
    pub(crate) fn waiting(&self) -> usize {
        rustix::io::ioctl_fionread(self).map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// Waits until another try makes sense; to be called after a try that would have blocked.
    pub(crate) async fn ready(&self, interest: Interest) -> io::Result<()> {
        match &self.watched {
            Watched::Polled(polled) => {
                // Cleared before the next try, so that readiness which comes during that try is not lost.
                polled.ready(interest).await?.clear_ready();
                Ok(())
            }
            Watched::Always(_) => {
                tokio::task::yield_now().await;
                Ok(())
            }
        }
    }

    /// Reads what is there, or the end.
    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let into = buf.initialize_unfilled();
        let polled = match &self.watched {
            Watched::Polled(polled) => polled,
            Watched::Always(fd) => {
                let read = self.read_now(fd.as_fd(), into)?;
                buf.advance(read);
                return Poll::Ready(Ok(()));
            }
        };
        loop {
            let mut guard = ready!(polled.poll_read_ready(cx))?;
            if let Ok(read) = guard.try_io(|fd| self.read_now(fd.as_fd(), into)) {
                buf.advance(read?);
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Writes as much as is taken.
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = match &self.watched {
            Watched::Polled(polled) => polled,
            Watched::Always(fd) => return Poll::Ready(self.write_now(fd.as_fd(), bytes)),
        };
        loop {
            let mut guard = ready!(polled.poll_write_ready(cx))?;
            if let Ok(written) = guard.try_io(|fd| self.write_now(fd.as_fd(), bytes)) {
                return Poll::Ready(written);
            }
        }
    }

    /// Only after epoll or poll has told of something: else a FIFO to which no writer has come yet looks ended.
    fn read_now(&self, fd: BorrowedFd<'_>, into: &mut [u8]) -> io::Result<usize> {
        let read = match self.nature {
            Nature::Socket => rustix::net::recv(fd, &mut *into, RecvFlags::DONTWAIT).map(|(read, _)| read),
            _ if !self.patient && !drain::is_readable(fd).map_err(io::Error::other)? => Err(Errno::AGAIN),
            _ => retry_on_intr(|| rustix::io::read(fd, &mut *into)),
        };
        match (read, self.nature) {
            // A terminal whose other side was closed has ended.
            (Err(Errno::IO), Nature::Terminal) => Ok(0),
            (read, _) => Ok(read?),
        }
    }

    fn write_now(&self, fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let written = match self.nature {
            Nature::Socket => rustix::net::send(fd, bytes, flags).map_err(io::Error::from),
            _ if self.patient => transfer::write(fd, bytes),
            _ if !drain::is_writable(fd).map_err(io::Error::other)? => Err(io::ErrorKind::WouldBlock.into()),
            nature => transfer::write(fd, &bytes[..bytes.len().min(nature.taken_when_ready())]),
        };
        match written {
            Err(error) if self.is_closed_by(&error) => Err(io::ErrorKind::BrokenPipe.into()),
            written => written,
        }
    }

    fn is_closed_by(&self, error: &io::Error) -> bool {
        match Errno::from_io_error(error) {
            Some(Errno::CONNRESET) => true,
            Some(Errno::IO) => self.nature == Nature::Terminal,
            _ => false,
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.watched {
            Watched::Polled(polled) => polled.get_ref().as_fd(),
            Watched::Always(fd) => fd.as_fd(),
        }
    }
}

#[derive(Debug)]
enum Watched {
    Polled(AsyncFd<OwnedFd>),
    /// Epoll refuses it, since it is always ready.
    Always(OwnedFd),
}

/// What a descriptor is, as far as its ways to end and to block differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    Pipe,
    Socket,
    Terminal,
    Other,
}

impl Nature {
    pub(crate) fn of(fd: BorrowedFd<'_>) -> Result<Self, Errno> {
        Ok(match FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode) {
            FileType::Fifo => Self::Pipe,
            FileType::Socket => Self::Socket,
            FileType::CharacterDevice if rustix::termios::isatty(fd) => Self::Terminal,
            _ => Self::Other,
        })
    }

    /// How many bytes a blocking write takes without blocking once poll has said that it is ready: a pipe has a page
    /// free then; a terminal promises less, and little at a time is what a person reads anyway.
    fn taken_when_ready(self) -> usize {
        match self {
            Self::Pipe => 4096,
            _ => 256,
        }
    }
}
