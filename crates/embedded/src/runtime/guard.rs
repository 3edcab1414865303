//! Noticing it when whatever supervises a container dies.
//!
//! A guard holds a connection to the monitor. Monitor and witness share their descriptors, so the connection closes
//! when a successor has taken over, or when both are dead; in either case the guard connects again, and connecting is
//! what settles or adopts a container that nobody supervises. It ends with the container.
//!
//! A program that is a subreaper inherits the witness when that is orphaned; the guard then reaps it.

use std::sync::Weak;

use libcontainerd_core::{ContainerId, Result};
use tokio::task::AbortHandle;

use super::Inner;
use super::connection::{Connection, PROMPT};
use super::orphan::{Orphan, inherits_orphans};
use super::reach::Reached;
use crate::wire::{Answer, Request};

/// A guard of one container; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Guard {
    task: AbortHandle,
}

impl Guard {
    /// Begins to guard `id`, on `connection` if there is one already.
    pub(super) fn begin(runtime: Weak<Inner>, id: ContainerId, connection: Option<Connection>) -> Guard {
        let task = tokio::spawn(watch(runtime, id, connection));
        Guard { task: task.abort_handle() }
    }

    /// Whether it has ended, with its container.
    pub(super) fn is_over(&self) -> bool {
        self.task.is_finished()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn watch(runtime: Weak<Inner>, id: ContainerId, mut connection: Option<Connection>) {
    loop {
        let next = match connection.take() {
            Some(connection) => Ok(Some(connection)),
            None => reconnect(&runtime, &id).await,
        };
        match next {
            Ok(Some(mut connection)) => {
                let witness = witness(&mut connection).await;
                connection.closed().await;
                if let Some(witness) = witness {
                    witness.reap().await;
                }
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(container.id = %id, %error, "nobody supervises the container, and it cannot be helped now");
                return;
            }
        }
    }
}

/// Connects, or finds that there is nothing to guard any more.
async fn reconnect(runtime: &Weak<Inner>, id: &ContainerId) -> Result<Option<Connection>> {
    let Some(runtime) = runtime.upgrade() else { return Ok(None) };
    match runtime.reach(id).await {
        Ok(Reached::Monitor(connection)) => Ok(Some(connection)),
        Ok(Reached::Finished(_)) => Ok(None),
        Err(error) if error.kind() == libcontainerd_core::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The witness, if it will be ours to reap.
async fn witness(connection: &mut Connection) -> Option<Orphan> {
    if !inherits_orphans() {
        return None;
    }
    match connection.call(Request::Hello, PROMPT).await {
        Ok(Answer::Here { witness, .. }) => Orphan::of_pid(witness),
        _ => None,
    }
}
