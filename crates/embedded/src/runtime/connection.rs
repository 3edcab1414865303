//! A connection to a container's monitor: one request at a time, each with a deadline.
//!
//! The socket is reached through a descriptor of its directory, so that the length of paths and ids does not matter.
//!
//! Keeps: C-28 and C-51 of SECURITY.md.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream as BlockingStream;
use std::time::Duration;

use libcontainerd_core::Result;
use libcontainerd_durable::Dir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::error::Error;
use crate::layout;
use crate::wire::{self, Answer, Envelope, Request};

/// How long a monitor may take for a request that does not start a program.
pub(super) const PROMPT: Duration = Duration::from_secs(10);
/// How long it may take to make a container or start a program: the root file system may be slow.
pub(super) const PATIENT: Duration = Duration::from_secs(120);

/// A connection to a monitor.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
}

impl Connection {
    /// Connects to the monitor whose socket is in `run`.
    ///
    /// # Errors
    /// [`Error::Connect`], of kind `NotFound` or `ConnectionRefused` when nobody listens there.
    pub(super) async fn open(run: &Dir) -> std::result::Result<Connection, Error> {
        let path = format!("/proc/self/fd/{}/{}", run.as_fd().as_raw_fd(), layout::SOCKET);
        UnixStream::connect(path).await.map(|stream| Connection { stream }).map_err(Error::Connect)
    }

    /// Goes on with the connection that a monitor was born with.
    ///
    /// # Errors
    /// [`Error::Connect`] when it cannot be watched.
    pub(super) fn adopt(stream: BlockingStream) -> std::result::Result<Connection, Error> {
        stream.set_nonblocking(true).map_err(Error::Connect)?;
        UnixStream::from_std(stream).map(|stream| Connection { stream }).map_err(Error::Connect)
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// What the monitor answered when it failed; `Unavailable` when it died meanwhile; `DeadlineExceeded`.
    ///
    /// # Cancellation
    /// The monitor does what it was asked all the same; the connection can then not be used again.
    pub(super) async fn call(&mut self, request: Request, limit: Duration) -> Result<Answer> {
        let frame = wire::frame(&Envelope::of(request))?;
        tokio::time::timeout(limit, async {
            self.stream.write_all(&frame).await.map_err(Error::Broken)?;
            self.receive().await
        })
        .await
        .unwrap_or(Err(Error::Silent(limit).into()))
    }

    /// Waits for the answer to a request that was sent already.
    ///
    /// # Errors
    /// As [`Connection::call`].
    pub(super) async fn answer(&mut self, limit: Duration) -> Result<Answer> {
        tokio::time::timeout(limit, self.receive()).await.unwrap_or(Err(Error::Silent(limit).into()))
    }

    /// Waits until the other end is gone: both monitor and witness, or a successor that does not know us.
    ///
    /// # Cancellation
    /// Safe.
    pub(super) async fn closed(&mut self) {
        let mut byte = [0];
        // A monitor says nothing unasked: whatever it is, it is over.
        let _ = self.stream.read(&mut byte).await;
    }

    async fn receive(&mut self) -> Result<Answer> {
        let mut head = [0; 4];
        self.stream.read_exact(&mut head).await.map_err(Error::Broken)?;
        let mut body = vec![0; wire::body_length(head)?];
        self.stream.read_exact(&mut body).await.map_err(Error::Broken)?;
        match serde_json::from_slice(&body) {
            Ok(Answer::Failed(failure)) => Err(failure.into()),
            Ok(answer) => Ok(answer),
            Err(source) => Err(Error::Broken(io::Error::new(io::ErrorKind::InvalidData, source)).into()),
        }
    }
}
