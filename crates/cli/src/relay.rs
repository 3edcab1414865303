//! The caller's own descriptors connected to the streams of a process: what `lctr` does in the foreground.
//!
//! Every direction is one copy by the fastest road that the adapter of streams has. The relay ends when the process
//! has ended and all its output is written, when the detaching keys were typed, or when whoever read our output is
//! gone: that is told and not decided here, since only the caller knows whether the process should go on.
//!
//! Keeps: all output is written before the end is told.

use std::os::fd::{AsFd, OwnedFd};

use libcontainerd_core::ports::process_io::{InputStream, OutputStream, ProcessIo};
use libcontainerd_core::{Error, ErrorKind, Exit, Result};
use libcontainerd_fifo_io::{DescriptorReader, DescriptorWriter};
use rustix::event::{PollFd, PollFlags, Timespec};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::child::Child;
use crate::detach::{DetachKeys, DetachWatch};

const TYPED: usize = 4096;

/// The caller's ends; what is `None` is left unconnected.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Relay {
    /// Read for the process's stdin, until end-of-file.
    pub stdin: Option<OwnedFd>,
    /// Written with the process's stdout.
    pub stdout: Option<OwnedFd>,
    /// Written with the process's stderr.
    pub stderr: Option<OwnedFd>,
    /// Typed on stdin, they end the relay. For terminals: other input should have none.
    pub detach: Option<DetachKeys>,
}

/// How a relay ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Relayed {
    /// The process has ended so, and everything that it wrote is written.
    Exited(Exit),
    /// The detaching keys were typed; the process goes on.
    Detached,
    /// The reader of our stdout or stderr is gone; the process goes on, and waits once its pipe is full.
    ReaderGone,
}

impl Relay {
    /// This program's own stdout and stderr, and no stdin.
    ///
    /// # Errors
    /// `ResourceExhausted` when there are no descriptors left.
    pub fn own_output() -> Result<Self> {
        let (stdout, stderr) =
            (std::io::stdout().as_fd().try_clone_to_owned(), std::io::stderr().as_fd().try_clone_to_owned());
        Ok(Relay {
            stdout: Some(stdout.map_err(no_descriptor)?),
            stderr: Some(stderr.map_err(no_descriptor)?),
            ..Relay::default()
        })
    }

    /// The same with this program's own stdin.
    ///
    /// # Errors
    /// As [`Relay::own_output`].
    pub fn with_own_stdin(mut self) -> Result<Self> {
        self.stdin = Some(std::io::stdin().as_fd().try_clone_to_owned().map_err(no_descriptor)?);
        Ok(self)
    }

    /// The same, ended by these keys.
    #[must_use]
    pub fn detached_by(mut self, keys: DetachKeys) -> Self {
        self.detach = Some(keys);
        self
    }
}

impl Child {
    /// Connects its streams to the caller's descriptors until one side ends.
    ///
    /// # Errors
    /// `System` when a descriptor cannot be read, written or watched; as [`Child::wait`].
    ///
    /// # Cancellation
    /// The process goes on; bytes on their way are lost.
    pub async fn relay(&mut self, own: Relay) -> Result<Relayed> {
        let (mut stdout, mut stderr) = (self.stdout.take(), self.stderr.take());
        let stdin = own.stdin.and_then(|fd| Some((self.stdin.take()?, fd)));
        let io = self.client().io().clone();
        let ended = {
            let outputs = async {
                let stdout = written(&*io, &mut stdout, own.stdout);
                let stderr = written(&*io, &mut stderr, own.stderr);
                tokio::try_join!(stdout, stderr, async { self.wait().await.map_err(Cut::Failed) })
            };
            tokio::select! {
                ended = outputs => ended.map(|((), (), exit)| Relayed::Exited(exit)),
                detached = typed(&*io, stdin, own.detach) => detached.map(|()| Relayed::Detached).map_err(Cut::Failed),
            }
        };
        (self.stdout, self.stderr) = (stdout, stderr);
        match ended {
            Err(Cut::ReaderGone) => Ok(Relayed::ReaderGone),
            Err(Cut::Failed(error)) => Err(error),
            Ok(relayed) => Ok(relayed),
        }
    }
}

/// Why a relay ended before its process.
enum Cut {
    ReaderGone,
    Failed(Error),
}

/// Writes all that comes from `stream` to `own`.
async fn written(
    io: &dyn ProcessIo,
    stream: &mut Option<Box<dyn OutputStream>>,
    own: Option<OwnedFd>,
) -> Result<(), Cut> {
    let (Some(stream), Some(own)) = (stream, own) else { return Ok(()) };
    let look = own.try_clone().map_err(|e| Cut::Failed(no_descriptor(e)))?;
    let mut own = DescriptorWriter::new(own).map_err(|e| Cut::Failed(e.into()))?;
    let copied = io.copy(&mut **stream, &mut own).await;
    match copied {
        _ if has_no_reader(&look) => Err(Cut::ReaderGone),
        Ok(_) => Ok(()),
        Err(error) => Err(Cut::Failed(error)),
    }
}

/// Passes what is typed on to the process, and its end too; returns only when the detaching keys were typed.
async fn typed(
    io: &dyn ProcessIo,
    stdin: Option<(Box<dyn InputStream>, OwnedFd)>,
    detach: Option<DetachKeys>,
) -> Result<()> {
    let Some((mut stdin, own)) = stdin else { return std::future::pending().await };
    let mut own = DescriptorReader::new(own)?;
    let passed = match detach {
        Some(keys) => watched(&mut own, &mut *stdin, keys).await,
        None => io.copy(&mut own, &mut *stdin).await.map(|_| Passed::All),
    };
    match passed {
        Ok(Passed::Detached) => return Ok(()),
        Ok(Passed::All) => {}
        // The process may have closed its end, or ended: its exit says so.
        Err(error) => tracing::debug!(%error, "stdin is passed on no longer"),
    }
    if let Err(error) = stdin.shutdown().await {
        tracing::debug!(%error, "the process's stdin was closed already");
    }
    std::future::pending().await
}

enum Passed {
    All,
    Detached,
}

async fn watched(own: &mut DescriptorReader, stdin: &mut dyn InputStream, keys: DetachKeys) -> Result<Passed> {
    let failed = |e| Error::new(ErrorKind::System, "stdin could not be passed on").because(e);
    let (mut watch, mut buffer, mut pass) = (DetachWatch::new(keys), vec![0; TYPED], Vec::new());
    loop {
        let count = own.read(&mut buffer).await.map_err(failed)?;
        let detached = watch.feed(&buffer[..count], &mut pass);
        if count == 0 {
            pass.extend(watch.rest());
        }
        stdin.write_all(&pass).await.map_err(failed)?;
        pass.clear();
        match (detached, count) {
            (true, _) => return Ok(Passed::Detached),
            (_, 0) => return Ok(Passed::All),
            _ => {}
        }
    }
}

/// Whether what is written to `fd` can reach nobody: the kernel reports that without being asked.
fn has_no_reader(fd: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(fd, PollFlags::empty())];
    let looked = rustix::event::poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    looked.is_ok() && polled[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

fn no_descriptor(e: std::io::Error) -> Error {
    Error::new(ErrorKind::ResourceExhausted, "no further descriptor can be opened").because(e)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sink_whose_reader_is_gone_has_none() {
        let (reader, writer) = std::io::pipe().unwrap();
        let writer = OwnedFd::from(writer);
        assert!(!has_no_reader(&writer));
        drop(reader);
        assert!(has_no_reader(&writer));
        let file = OwnedFd::from(tempfile::tempfile().unwrap());
        assert!(!has_no_reader(&file));
    }
}
