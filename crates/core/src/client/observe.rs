//! Looking: what containers there are, what is true of them, and what happens to them.
//!
//! Decided: looking takes no lock and opens no stream.

use super::tasks::within;
use super::{Client, Snapshot, Summary};
use crate::cursor::{Cursor, Since};
use crate::error::Result;
use crate::id::ContainerId;
use crate::ports::runtime::{EventSource, RuntimeVersion};
use crate::status::ContainerStatus;

impl Client {
    /// What is true of a container now.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn state(&self, id: &ContainerId) -> Result<ContainerStatus> {
        within("state", id, self.shared.runtime.state(id)).await
    }

    /// All containers of the runtime, sorted by name.
    ///
    /// # Errors
    /// The runtime's.
    pub async fn list(&self) -> Result<Vec<ContainerStatus>> {
        self.shared.runtime.list().await.map_err(|e| e.during("list"))
    }

    /// The host's pids of all processes in a container, in rising order.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn pids(&self, id: &ContainerId) -> Result<Vec<u32>> {
        within("pids", id, self.shared.runtime.pids(id)).await
    }

    /// What runs in a container, line by line. Empty on Linux, where [`Client::pids`] tells it.
    ///
    /// # Errors
    /// None yet.
    pub async fn summary(&self, id: &ContainerId) -> Result<Vec<Summary>> {
        tracing::trace!(container.id = %id, "a summary is empty on this platform");
        Ok(Vec::new())
    }

    /// Looks at a container, whoever made it, and follows it: the backend hears of what happens to it from now on.
    /// Opens no stream and takes no lock.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn open(&self, id: &ContainerId) -> Result<ContainerStatus> {
        within("open", id, async { self.shared.opened(id).await.map(|(_, status)| status) }).await
    }

    /// Who the runtime is.
    ///
    /// # Errors
    /// The runtime's.
    pub async fn version(&self) -> Result<RuntimeVersion> {
        self.shared.runtime.version().await.map_err(|e| e.during("version"))
    }

    /// Follows what happens to all containers, as the runtime tells it: once more after a break, and not in the
    /// backend's order.
    ///
    /// # Errors
    /// `Gap` when the cursor is older than what is kept.
    pub async fn events(&self, since: Since) -> Result<Box<dyn EventSource>> {
        self.shared.runtime.events(since).await.map_err(|e| e.during("events"))
    }

    /// All containers, and the position in the events from which [`Client::watch`] misses nothing of what happens to
    /// them. There is no gap between the two: what happens while they are taken may show in both, and each event
    /// says by its sequence whether it was seen before.
    ///
    /// # Errors
    /// `Unsupported` where events are not replayed.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        let snapshot = async {
            // In this order: what the list shows more than the cursor is told once more.
            let cursor = self.shared.runtime.cursor().await?;
            let containers = self.shared.runtime.list().await?;
            Ok(Snapshot { containers, cursor })
        };
        snapshot.await.map_err(|e: crate::Error| e.during("snapshot"))
    }

    /// Follows what happens to all containers after that position.
    ///
    /// # Errors
    /// `Gap` when it is older than what is kept: a new snapshot is due.
    pub async fn watch(&self, from: Cursor) -> Result<Box<dyn EventSource>> {
        self.shared.runtime.events(Since::Cursor(from)).await.map_err(|e| e.during("watch"))
    }
}
