//! Output that nobody will read, thrown away so that its writer can end.
//!
//! A process that is blocked in a write to a full pipe cannot handle a signal; both of its outputs are emptied at once
//! until they end or the time is over. Where somebody else reads them, there is nothing to do.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use libcontainerd_core::ports::process_io::IoRequest;
use libcontainerd_stream::drain::{self, AT_ONCE};
use libcontainerd_stream::fifo;
use tokio::io::Interest;

use crate::channel::Channel;
use crate::names::{self, Fifos};
use crate::reader_lock::ReaderLock;
use crate::{Error, error};

/// Throws away what the process writes, until its end or for `limit`.
pub(crate) async fn discard(request: &IoRequest, reader: &str, limit: Duration) -> Result<(), Error> {
    let Some(directory) = error::unless_missing(names::open_directory(request))? else {
        return Ok(());
    };
    let lock = names::reader_lock(&request.process.process);
    let _lock = match ReaderLock::take(directory.as_fd(), &lock, reader) {
        Err(Error::AlreadyRead { .. }) => return Ok(()),
        taken => taken?,
    };
    let Fifos { stdout, stderr, .. } = Fifos::live(request);
    let stdout = open(directory.as_fd(), stdout, request)?;
    let stderr = open(directory.as_fd(), stderr, request)?;
    let both = async { tokio::try_join!(to_the_end(stdout), to_the_end(stderr)).map(drop) };
    // That the time is over is no failure.
    tokio::time::timeout(limit, both).await.unwrap_or(Ok(()))
}

fn open(directory: BorrowedFd<'_>, name: Option<String>, request: &IoRequest) -> Result<Option<Channel>, Error> {
    let Some(name) = name else {
        return Ok(None);
    };
    let opened = fifo::open_reader(directory, &name, &names::owners(request));
    match error::unless_missing(opened.map_err(|source| Error::Open { source }))? {
        Some(fifo) => Channel::new(fifo, Interest::READABLE).map(Some),
        None => Ok(None),
    }
}

async fn to_the_end(output: Option<Channel>) -> Result<(), Error> {
    let Some(output) = output else {
        return Ok(());
    };
    loop {
        let thrown = drain::discard(&output).map_err(|source| Error::Discard { source })?;
        if thrown.ended {
            return Ok(());
        }
        if thrown.bytes < AT_ONCE {
            output.ready(Interest::READABLE).await.map_err(|source| Error::Watch { source })?;
        } else {
            tokio::task::yield_now().await;
        }
    }
}
