//! Autopsy: how a process ended, and its last words.
//!
//! Of one that was removed the ledger tells the exit; its output went with it.

use bytes::{Bytes, BytesMut};

use super::tasks::within;
use super::{Autopsy, Client, Shared};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{Instance, ProcessRef};
use crate::ports::process_io::{OutputKind, Piece, ReadFrom, ReadLog};
use crate::status::ProcessStatus;
use crate::stdio::Place;

/// How many bytes of last words are told.
const LAST_WORDS: usize = 4096;

impl Client {
    /// How a process ended and all that may tell why, also of one that was removed, as long as the runtime remembers
    /// it.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` when it has not ended.
    pub async fn autopsy(&self, process: &ProcessRef) -> Result<Autopsy> {
        let autopsy = self.shared.autopsy(process);
        within("autopsy", &process.container, autopsy).await.map_err(|e| e.of(&process.process))
    }
}

impl Shared {
    async fn autopsy(&self, process: &ProcessRef) -> Result<Autopsy> {
        let status = match self.runtime.state(&process.container).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return self.exhume(process, error).await,
            status => status?,
        };
        let found = status.process(&process.process);
        let found = found.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such process, or no longer"))?;
        let exit = found.exit().cloned();
        let exit = exit.ok_or_else(|| Error::new(ErrorKind::WrongState, "it has not ended"))?;
        let last_output = self.last_words(process, status.instance, found).await;
        Ok(Autopsy { instance: status.instance, args: found.args.clone(), exit, last_output })
    }

    /// The autopsy of a process of the newest container of that name that was removed.
    async fn exhume(&self, process: &ProcessRef, unknown: Error) -> Result<Autopsy> {
        let past = self.runtime.past(Some(process.container.clone())).await?;
        let Some(past) = past.into_iter().next() else { return Err(unknown) };
        let Some(exit) = past.exit(&process.process).cloned() else { return Err(unknown) };
        let args = if process.process.is_init() { past.args } else { Vec::new() };
        Ok(Autopsy { instance: past.instance, args, exit, last_output: None })
    }

    /// The end of its stderr or its terminal's output. What cannot be read is left out: the exit is worth more.
    async fn last_words(&self, process: &ProcessRef, instance: Instance, status: &ProcessStatus) -> Option<Bytes> {
        let stdio = status.stdio?;
        let (place, kind) = match status.terminal {
            true => (stdio.stdout, OutputKind::Stdout),
            false => (stdio.stderr, OutputKind::Stderr),
        };
        if place != Place::Kept {
            return None;
        }
        match self.tail(process, instance, kind).await {
            Ok(tail) => Some(tail),
            Err(error) => {
                tracing::warn!(%process, %error, "its last words cannot be read");
                None
            }
        }
    }

    async fn tail(&self, process: &ProcessRef, instance: Instance, kind: OutputKind) -> Result<Bytes> {
        // So many lines are at least so many bytes.
        let read = ReadLog { from: ReadFrom::Lines(LAST_WORDS as u64), follow: false, only: Some(kind) };
        let mut source = self.io.log(process, instance, read).await?;
        let mut tail = BytesMut::new();
        while let Some(piece) = source.next().await? {
            let Piece::Bytes { bytes, .. } = piece else { continue };
            tail.extend_from_slice(&bytes);
            let surplus = tail.len().saturating_sub(LAST_WORDS);
            drop(tail.split_to(surplus));
        }
        Ok(tail.freeze())
    }
}
