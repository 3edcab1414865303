//! The port `Backend`: the embedding program, as the supervisor sees it.

use std::fmt;

use async_trait::async_trait;

use crate::error::Result;
use crate::event::StateChange;
use crate::id::{ContainerId, ProcessRef};
use crate::ports::process_io::Streams;

/// The embedding program.
///
/// # Implementers
/// No lock of the supervisor is held while these run, so they may call the client again. Calls for one container come
/// one after the other, in the order of what happened; calls for different containers at the same time.
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync {
    /// Takes the streams of a process, before its program runs.
    ///
    /// # Errors
    /// An error fails the operation that starts the process; everything of it is undone.
    async fn attach_streams(&self, process: &ProcessRef, streams: Streams) -> Result<()>;

    /// Hears of a change. Told at least once over crashes of this program, exactly once in one life of it.
    ///
    /// # Errors
    /// An error is logged; what happened has happened.
    async fn state_changed(&self, container: &ContainerId, change: &StateChange) -> Result<()>;
}
