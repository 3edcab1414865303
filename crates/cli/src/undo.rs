//! A container that goes when its owner does: the guard behind `output()`, failed starts and `kill_on_drop`.
//!
//! Dropping cannot wait, so the removal runs as a task of the executor that is there; a program that ends before it
//! ran leaves the container, which is why ordinary ends remove it themselves and disarm this.

use libcontainerd_core::ContainerId;
use libcontainerd_core::client::{Client, Delete};

/// Kills and removes a container when dropped, unless disarmed.
#[derive(Debug)]
pub(crate) struct Undo {
    armed: Option<(Client, ContainerId)>,
}

impl Undo {
    /// A guard over the container.
    pub(crate) fn armed(client: &Client, id: &ContainerId) -> Self {
        Undo { armed: Some((client.clone(), id.clone())) }
    }

    /// No guard over anything.
    pub(crate) fn none() -> Self {
        Undo { armed: None }
    }

    /// Lets the container be.
    pub(crate) fn disarm(&mut self) {
        self.armed = None;
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        let (Some((client, id)), Ok(executor)) = (self.armed.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        executor.spawn(async move {
            if let Err(error) = client.delete(&id, Delete::killing()).await {
                tracing::warn!(container.id = %id, %error, "an abandoned container could not be removed");
            }
        });
    }
}
