//! The ledger: what is known of containers that were removed.
//!
//! It answers who asks too late, and tells the true exits of a container that went while nobody listened.

use std::sync::Arc;

use tokio::time::timeout;

use super::resync::PATIENCE;
use super::table::Container;
use super::{Client, Shared};
use crate::error::{Error, Result};
use crate::id::{ContainerId, Instance, ProcessRef};
use crate::status::{Exit, Past};

impl Client {
    /// Containers that were removed, newest first: those of that name, or all. Bounded; the oldest are forgotten.
    ///
    /// # Errors
    /// The runtime's.
    pub async fn past(&self, id: Option<&ContainerId>) -> Result<Vec<Past>> {
        self.shared.runtime.past(id.cloned()).await.map_err(|e| match id {
            Some(id) => e.during("past").on(id),
            None => e.during("past"),
        })
    }
}

impl Shared {
    /// The exit of a process of a container that was removed: of that creation, or of the newest of that name. `None`
    /// when it never ran.
    ///
    /// # Errors
    /// `unknown` when the ledger does not know it either.
    pub(super) async fn remembered(
        &self,
        process: &ProcessRef,
        instance: Option<Instance>,
        unknown: Error,
    ) -> Result<Option<Exit>> {
        let past = self.runtime.past(Some(process.container.clone())).await?;
        let newest = past.iter().find(|past| instance.is_none_or(|instance| past.instance == instance));
        match newest.map(|past| past.exit(&process.process)) {
            Some(Some(exit)) => Ok(Some(exit.clone())),
            Some(None) if process.process.is_init() => Ok(None),
            _ => Err(unknown),
        }
    }

    /// Lets the events of the end of a container that is gone come first, for ten seconds.
    pub(super) async fn outlast(self: &Arc<Self>, container: &Arc<Container>) {
        if timeout(PATIENCE, container.over()).await.is_err() {
            self.bury(container).await;
        }
    }

    /// Ends the story of a container that the runtime has no more, with the exits that the ledger knows.
    pub(super) async fn bury(self: &Arc<Self>, container: &Arc<Container>) {
        let past = self.runtime.past(Some(container.id.clone())).await.unwrap_or_else(|error| {
            tracing::warn!(container.id = %container.id, %error, "the ledger does not answer");
            Vec::new()
        });
        let found = past.into_iter().find(|past| past.instance == container.instance);
        self.advance(container, |order| {
            if let Some(past) = found {
                order.recall(past.exits);
            }
            order.gone();
        });
    }
}
