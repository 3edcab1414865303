//! Wait: the exit of a process, for any number of waiters, before, while and after it ends.
//!
//! The waiter is registered, then the runtime is asked, so that an exit in between is not missed. A waiter is
//! answered when the exit is decided in its order; the caller then lets the backend hear of it first, for at most a
//! second.
//!
//! Keeps: no waiter is left hanging; `tests/wait.rs`.

use std::sync::Arc;

use super::notify::Known;
use super::resync::{Doubt, LEAD};
use super::table::{Container, Watch};
use super::tasks::within;
use super::{Client, Shared};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ProcessId, ProcessRef};
use crate::status::{ContainerState, ContainerStatus, Exit};

impl Client {
    /// Waits for the end of a process, whoever started it, and returns at once when it has ended already.
    ///
    /// The backend has heard of the exit before, unless it takes longer than a second.
    ///
    /// # Errors
    /// `NotFound` when container or process does not exist, or never ran and was deleted meanwhile.
    ///
    /// # Cancellation
    /// Leaves no trace.
    pub async fn wait(&self, process: &ProcessRef) -> Result<Exit> {
        within("wait", &process.container, self.shared.wait(process)).await.map_err(|e| e.of(&process.process))
    }
}

impl Shared {
    async fn wait(self: &Arc<Self>, process: &ProcessRef) -> Result<Exit> {
        let container = match self.table.find(&process.container) {
            Some(container) => container,
            None => self.opened(&process.container).await?.0,
        };
        let known = self.ended(&container, &process.process).await?;
        container.queue.told(known.ticket).await;
        Ok(known.exit)
    }

    /// Waits until the end of a process of a followed container is decided.
    ///
    /// # Errors
    /// `NotFound` when there will be none.
    pub(super) async fn ended(self: &Arc<Self>, container: &Arc<Container>, process: &ProcessId) -> Result<Known> {
        let mut coming = match container.watch(process) {
            Watch::Known(known) => return Ok(known),
            Watch::Coming(coming) => coming,
            Watch::Absent => return self.past(container, process).await,
        };
        tokio::select! {
            biased;
            known = &mut coming => return known.map_err(|_| nobody()),
            // An error here is not the waiter's: the events go on, and what has gone will be concluded.
            () = self.check(container, process) => {}
        }
        coming.await.map_err(|_| nobody())
    }

    /// Looks whether a process lives; when it does not, its event has a moment to come before the state is taken.
    async fn check(self: &Arc<Self>, container: &Arc<Container>, process: &ProcessId) {
        match self.peek(container).await {
            Ok(Some(status)) if !lives(&status, process) => {}
            Ok(None) => return self.conclude_later(container, Doubt::Gone),
            _ => return,
        }
        tokio::time::sleep(LEAD).await;
        let _ = self.look(container).await;
    }

    /// The exit of a process that nobody here has heard of.
    async fn past(self: &Arc<Self>, container: &Arc<Container>, process: &ProcessId) -> Result<Known> {
        let (now, status) = self.opened(&container.id).await?;
        if let Some(exit) = status.process(process).and_then(|found| found.exit()) {
            return Ok(Known { exit: exit.clone(), ticket: now.queue.latest() });
        }
        if lives(&status, process) {
            // The event of its start is still to come.
            let _ = self.look(&now).await;
        }
        match now.watch(process) {
            Watch::Known(known) => Ok(known),
            Watch::Coming(coming) => coming.await.map_err(|_| nobody()),
            Watch::Absent => Err(nobody()),
        }
    }
}

fn lives(status: &ContainerStatus, process: &ProcessId) -> bool {
    status.state != ContainerState::Stopped && status.process(process).is_some_and(|found| found.exit().is_none())
}

fn nobody() -> Error {
    Error::new(ErrorKind::NotFound, "no such process, or no longer; nothing is known of its end")
}
