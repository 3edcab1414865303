//! The port `LogSource` over a reader of kept output.
//!
//! A follower that has read everything waits for inotify; where the host has no more of that it looks every 100 ms. The
//! reads themselves are of the page cache as a rule, and short.
//!
//! Keeps: `a_follower_hears_of_output_as_it_comes_and_ends_with_it`.

use std::os::fd::OwnedFd;
use std::time::Duration;

use async_trait::async_trait;
use libcontainerd_core::error::Result as CoreResult;
use libcontainerd_core::ports::process_io::{EndOfOutput, LogSource, OutputKind, Piece, ReadFrom, ReadLog};
use libcontainerd_stream::log::{self, Channel, Next, Reader, Why};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::{Error, sys};

/// A reader of one process's kept output.
#[derive(Debug)]
pub(crate) struct KeptLog {
    reader: Reader,
    /// What tells a follower when to look again, where the host can.
    watch: Option<AsyncFd<OwnedFd>>,
}

impl KeptLog {
    pub(super) fn open(directory: OwnedFd, read: ReadLog) -> Result<Self, Error> {
        // Before the first look, so that nothing is missed.
        let watch = if read.follow { watch(&directory)? } else { None };
        let (only, follow) = (read.only.map(channel), read.follow);
        let read = log::Read { from: from(read.from), only, follow };
        let reader = Reader::open(directory, read).map_err(|source| Error::ReadLog { source })?;
        Ok(Self { reader, watch })
    }

    /// Waits until there may be more.
    async fn changed(&self) -> Result<(), Error> {
        let Some(watch) = &self.watch else {
            tokio::time::sleep(LOOK_EVERY).await;
            return Ok(());
        };
        let mut ready = watch.readable().await.map_err(|source| Error::Watch { source })?;
        log::clear(watch).map_err(|source| Error::ReadLog { source })?;
        ready.clear_ready();
        Ok(())
    }
}

#[async_trait]
impl LogSource for KeptLog {
    async fn next(&mut self) -> CoreResult<Option<Piece>> {
        // Before a piece is taken, because a call that is dropped here must lose none.
        tokio::task::coop::consume_budget().await;
        loop {
            match self.reader.advance().map_err(|source| Error::ReadLog { source })? {
                Next::Piece(found) => return Ok(Some(piece(found))),
                Next::Over => return Ok(None),
                Next::NotYet => self.changed().await?,
            }
        }
    }
}

impl Drop for KeptLog {
    /// Closing inotify waits for the kernel's other users of it, some 20 ms, which no executor should.
    fn drop(&mut self) {
        let Some(watch) = self.watch.take().map(AsyncFd::into_inner) else { return };
        if let Ok(executor) = tokio::runtime::Handle::try_current() {
            executor.spawn_blocking(move || drop(watch));
        }
    }
}

/// So often a follower looks whom nothing wakes.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A watch, or none where the host has no more of them.
fn watch(directory: &OwnedFd) -> Result<Option<AsyncFd<OwnedFd>>, Error> {
    let Ok(watch) = log::watch(directory) else { return Ok(None) };
    sys::watch(watch, Interest::READABLE).map(Some).map_err(|(_, source)| Error::Watch { source })
}

fn from(from: ReadFrom) -> log::From {
    match from {
        ReadFrom::Now => log::From::Now,
        ReadFrom::Offset(offset) => log::From::Offset(offset),
        ReadFrom::Time(time) => log::From::Time(time),
        ReadFrom::Lines(count) => log::From::Lines(count),
        // From the first byte there ever was: so what is no longer kept is said to be lost. More than was asked for is
        // better than less.
        _ => log::From::Offset(0),
    }
}

fn piece(piece: log::Piece) -> Piece {
    match piece {
        log::Piece::Bytes { offset, channel, at, bytes } => {
            Piece::Bytes { offset, kind: kind(channel), at, bytes: bytes.into() }
        }
        log::Piece::Lost { from, to } => Piece::Lost { from, to },
        log::Piece::End { channel, why, at } => Piece::End { kind: kind(channel), why: end(why), at },
    }
}

fn channel(kind: OutputKind) -> Channel {
    match kind {
        OutputKind::Stdout => Channel::Stdout,
        OutputKind::Stderr => Channel::Stderr,
    }
}

fn kind(channel: Channel) -> OutputKind {
    match channel {
        Channel::Stdout => OutputKind::Stdout,
        Channel::Stderr => OutputKind::Stderr,
    }
}

fn end(why: Why) -> EndOfOutput {
    match why {
        Why::Closed => EndOfOutput::Closed,
        Why::Drained => EndOfOutput::Drained,
        Why::Broken => EndOfOutput::Broken,
    }
}
