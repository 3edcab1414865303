//! Looking: what containers there are, what is true of them, what happens to them, and what a process writes.
//!
//! Decided: looking takes no lock and opens no stream, but for attach, which is for exactly that.

use std::sync::Arc;

use super::delete::stdio_of;
use super::tasks::within;
use super::{Client, Shared, Summary};
use crate::cursor::Since;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ContainerId, ProcessRef};
use crate::ports::process_io::{IoRequest, Streams};
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

    /// Opens the live streams of a process, whoever started it, for the caller and not for the backend.
    ///
    /// Shutting the stdin stream down closes the process's stdin, as [`Client::close_stdin`].
    ///
    /// # Errors
    /// `NotFound`, also when its streams are gone with it; `WrongState` when another one reads them.
    pub async fn attach(&self, process: &ProcessRef) -> Result<Streams> {
        within("attach", &process.container, self.shared.attach(process)).await.map_err(|e| e.of(&process.process))
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
}

impl Shared {
    async fn attach(self: &Arc<Self>, process: &ProcessRef) -> Result<Streams> {
        let (container, status) = self.opened(&process.container).await?;
        let found = status.process(&process.process);
        let found = found.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such process, or no longer"))?;
        let stdio = stdio_of(&status, &process.process);
        let ours = container.streams(&process.process);
        let mut streams = ours.unwrap_or_else(|| IoRequest::new(process.clone(), status.bundle.clone(), stdio));
        streams.owner = Some(found.stream_owner);
        streams.instance = Some(status.instance);
        self.io.open(&streams, container.closer(&process.process)).await
    }
}
