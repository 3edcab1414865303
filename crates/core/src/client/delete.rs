//! Delete: removes a container that has ended, or kills it first.
//!
//! The exits of its processes are told before anything of it is removed. The name is claimed before the runtime is
//! asked, and the runtime only for the instance that was looked at, so that nothing of a successor is touched.
//!
//! Keeps: "told before anything is removed"; `tests/delete.rs`.

use std::sync::Arc;

use tokio::time::{Instant, timeout};

use super::order::Order;
use super::resync::PATIENCE;
use super::tasks::to_the_end;
use super::{Client, Delete, Force, Shared};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ContainerId, ProcessId, ProcessRef};
use crate::ports::process_io::IoRequest;
use crate::ports::runtime::DeleteRequest;
use crate::status::{ContainerState, ContainerStatus};
use crate::stdio::Stdio;

impl Client {
    /// Removes a container and everything that was made for it.
    ///
    /// # Errors
    /// `NotFound`, also when it is not the instance asked for; `WrongState` when it runs and may not be killed;
    /// `DeadlineExceeded` when it was killed and lives on. When the container is gone and its bundle could not be
    /// removed, that error; a further delete removes the rest.
    ///
    /// # Cancellation
    /// As [`Client::create`].
    pub async fn delete(&self, id: &ContainerId, how: Delete) -> Result<()> {
        let turn = self.shared.table.gate(id).write_owned().await;
        let (shared, name) = (Arc::clone(&self.shared), id.clone());
        to_the_end("delete", id, async move {
            let _turn = turn;
            shared.delete(&name, how).await
        })
        .await
    }
}

impl Shared {
    async fn delete(self: &Arc<Self>, id: &ContainerId, how: Delete) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = match self.runtime.state(id).await {
                Err(error) if error.kind() == ErrorKind::NotFound => return self.remove_rest(id, how, error).await,
                status => status?,
            };
            if how.instance.is_some_and(|instance| instance != status.instance) {
                return Err(Error::new(ErrorKind::NotFound, "the container of that name is another one by now"));
            }
            let killed = self.end_for_good(&status, how.force).await?;
            match self.remove(&status).await {
                // It was one that goes by itself when it has ended.
                Err(error) if error.kind() == ErrorKind::NotFound && killed => return Ok(()),
                // Somebody has started it meanwhile.
                Err(error)
                    if error.kind() == ErrorKind::WrongState
                        && how.force == Force::Kill
                        && Instant::now() < deadline => {}
                removed => return removed,
            }
            tokio::task::yield_now().await;
        }
    }

    /// Sees to it that the container has ended and that its exits are told; says whether it was killed for that.
    async fn end_for_good(self: &Arc<Self>, status: &ContainerStatus, force: Force) -> Result<bool> {
        let runs = matches!(status.state, ContainerState::Running | ContainerState::Paused);
        if runs && force == Force::No {
            return Err(Error::new(ErrorKind::WrongState, "it is running; stop it first, or force the deletion"));
        }
        let kills = runs || (force == Force::Kill && status.state == ContainerState::Creating);
        if kills {
            let container = self.followed(&status.id).await?;
            self.kill(&container).await?;
        }
        let Some(container) = self.table.find(&status.id) else { return Ok(kills) };
        if container.instance == status.instance && status.state == ContainerState::Stopped {
            // What is not known after that will not be known later either.
            let _ = timeout(PATIENCE * 2, self.ended(&container, &ProcessId::init())).await;
        }
        Ok(kills)
    }

    /// Removes the instance that was looked at.
    async fn remove(self: &Arc<Self>, status: &ContainerStatus) -> Result<()> {
        let id = &status.id;
        let claim = self.bundles.claim(id).await?;
        self.runtime.delete(DeleteRequest::new(id.clone(), Some(status.instance))).await?;
        let init = ProcessRef::init(id.clone());
        let mut streams = IoRequest::new(init.clone(), status.bundle.clone(), stdio_of(status, &init.process));
        if let Some(container) = self.table.find(id).filter(|container| container.instance == status.instance) {
            streams = container.streams(&init.process).unwrap_or(streams);
            self.advance(&container, Order::leave);
        }
        streams.instance = Some(status.instance);
        let removed = self.io.remove(&streams).await.and(self.io.forget(status.instance).await);
        self.bundles.remove(&claim).await.and(removed)
    }

    /// Removes what an earlier delete, or a create that was killed, has left under a name that the runtime does not
    /// know. `unknown` is the answer when there is nothing either.
    async fn remove_rest(self: &Arc<Self>, id: &ContainerId, how: Delete, unknown: Error) -> Result<()> {
        if how.instance.is_some() || !self.bundles.list().await?.contains(id) {
            return Err(unknown);
        }
        let claim = self.bundles.claim(id).await?;
        match self.runtime.state(id).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // A bundle that cannot be read was never got ready: nothing was made in it.
                if let Ok(bundle) = self.bundles.load(id).await {
                    let init = ProcessRef::init(id.clone());
                    self.io.remove(&IoRequest::new(init, bundle.directory, Stdio::null())).await?;
                }
                self.bundles.remove(&claim).await
            }
            Err(error) => Err(error),
            Ok(_) => Err(Error::new(ErrorKind::WrongState, "it is being made by another program; try again")),
        }
    }
}

/// Where the streams of a process were placed, as far as that is known.
pub(super) fn stdio_of(status: &ContainerStatus, process: &ProcessId) -> Stdio {
    let found = status.process(process);
    found.and_then(|found| found.stdio).unwrap_or_else(|| match found {
        Some(found) if found.terminal => Stdio::terminal(Default::default()),
        _ => Stdio::piped(),
    })
}
