//! What the machine reads itself: output that is kept, and live output that nobody reads.
//!
//! A task for each such stream moves bytes from its pipe into the log until the pipe's end, and then says in the log
//! what that end means.

use std::sync::Arc;

use super::clock::Clock;
use super::machine::Shared;
use crate::error::{Error, ErrorKind, Result};
use crate::ports::process_io::OutputKind;
use crate::stdio::{Endpoint, Endpoints, Unread};
use crate::testing::kept::KeptLog;
use crate::testing::pipe::Pipe;
use crate::testing::program::Streams;

const CHUNK: usize = 64 * 1024;

/// Looks after the outputs of a process, as its endpoints say.
///
/// # Errors
/// `InvalidArgument` when the log is not there.
pub(super) fn look_after(shared: &Shared, endpoints: &Endpoints, streams: &Streams) -> Result<()> {
    let log = match &endpoints.log {
        None => None,
        Some(log) => Some(shared.shelf.open(&log.directory).ok_or_else(no_log)?),
    };
    let outputs = [
        (OutputKind::Stdout, &endpoints.stdout, &streams.stdout),
        (OutputKind::Stderr, &endpoints.stderr, &streams.stderr),
    ];
    for (kind, endpoint, pipe) in outputs {
        let Some(pipe) = pipe.clone() else { continue };
        let relay = Relay { pipe, kind, clock: shared.clock.clone() };
        match (endpoint, endpoints.unread, log.clone()) {
            (Endpoint::Kept(_), _, Some(log)) => drop(tokio::spawn(relay.keep(log))),
            (Endpoint::Kept(_), _, None) => return Err(no_log()),
            (_, Unread::Keep, Some(log)) => drop(tokio::spawn(relay.keep_unread(log))),
            (_, Unread::Discard, _) => drop(tokio::spawn(relay.discard_unread())),
            _ => {}
        }
    }
    Ok(())
}

fn no_log() -> Error {
    Error::new(ErrorKind::InvalidArgument, "there is no log to keep output in")
}

/// One output that the machine reads.
struct Relay {
    pipe: Arc<Pipe>,
    kind: OutputKind,
    clock: Clock,
}

impl Relay {
    async fn keep(self, log: Arc<KeptLog>) {
        let mut buffer = vec![0; CHUNK];
        loop {
            match self.pipe.read(&mut buffer).await {
                0 => break,
                count => log.append(self.kind, &buffer[..count], self.clock.now()),
            }
        }
        log.end(self.kind, self.pipe.why(), self.clock.now());
    }

    async fn keep_unread(self, log: Arc<KeptLog>) {
        match self.pipe.stuck().await {
            true => self.keep(log).await,
            false => log.end(self.kind, self.pipe.why(), self.clock.now()),
        }
    }

    async fn discard_unread(self) {
        let mut buffer = vec![0; CHUNK];
        while self.pipe.stuck().await {
            self.pipe.read(&mut buffer).await;
        }
    }
}
