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

/// What is waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Until {
    /// The process has ended; one that is not started is waited for.
    #[default]
    Exited,
    /// The process does not run: it has ended, or is not started yet.
    NotRunning,
    /// The container is gone.
    Removed,
}

impl Client {
    /// Waits for the end of a process, whoever started it, and returns at once when it has ended already; for one of a
    /// container that was removed, as long as the runtime remembers it.
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

impl Client {
    /// Waits for what `until` says of a process and its container, for any number of callers, also after the fact.
    /// Answers with the exit of the process; `None` when it never ran.
    ///
    /// # Errors
    /// As [`Client::wait`].
    ///
    /// # Cancellation
    /// Leaves no trace.
    pub async fn wait_until(&self, process: &ProcessRef, until: Until) -> Result<Option<Exit>> {
        let wait = async {
            match until {
                Until::Exited => self.shared.wait(process).await.map(Some),
                Until::NotRunning => self.shared.wait_until_idle(process).await,
                Until::Removed => self.shared.wait_until_removed(process).await,
            }
        };
        within("wait", &process.container, wait).await.map_err(|e| e.of(&process.process))
    }
}

impl Shared {
    async fn wait(self: &Arc<Self>, process: &ProcessRef) -> Result<Exit> {
        let container = match self.followed(&process.container).await {
            Err(error) if is_gone(&error) => return exited(self.remembered(process, None, error).await?),
            container => container?,
        };
        match self.ended(&container, &process.process).await {
            Ok(known) => {
                container.queue.told(known.ticket).await;
                Ok(known.exit)
            }
            // Removed meanwhile, and nobody has told how it ended.
            Err(error) if is_gone(&error) => exited(self.remembered(process, Some(container.instance), error).await?),
            Err(error) => Err(error),
        }
    }

    async fn wait_until_idle(self: &Arc<Self>, process: &ProcessRef) -> Result<Option<Exit>> {
        let status = match self.runtime.state(&process.container).await {
            Err(error) if is_gone(&error) => return self.remembered(process, None, error).await,
            status => status?,
        };
        let waits = matches!(status.state, ContainerState::Creating | ContainerState::Created);
        if process.process.is_init() && waits {
            return Ok(None);
        }
        self.wait(process).await.map(Some)
    }

    async fn wait_until_removed(self: &Arc<Self>, process: &ProcessRef) -> Result<Option<Exit>> {
        let container = match self.followed(&process.container).await {
            Err(error) if is_gone(&error) => return self.remembered(process, None, error).await,
            container => container?,
        };
        tokio::select! {
            biased;
            () = container.over() => {}
            () = self.notice_removal(&container) => container.over().await,
        }
        container.queue.told(container.queue.latest()).await;
        match container.exit(&process.process) {
            Some(exit) => Ok(Some(exit)),
            None => self.remembered(process, Some(container.instance), nobody()).await.or_else(never_ran),
        }
    }

    /// Looks once whether a container that is followed is there at all: its last event may have been missed.
    async fn notice_removal(self: &Arc<Self>, container: &Arc<Container>) {
        if let Ok(None) = self.peek(container).await {
            self.conclude_later(container, Doubt::Gone);
        }
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

/// The exit that the ledger has of a process.
fn exited(remembered: Option<Exit>) -> Result<Exit> {
    remembered.ok_or_else(|| Error::new(ErrorKind::NotFound, "it was removed and had never run"))
}

/// A container that is gone and of whose run nothing is known: it was removed, as was waited for.
fn never_ran(error: Error) -> Result<Option<Exit>> {
    match is_gone(&error) {
        true => Ok(None),
        false => Err(error),
    }
}

fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

fn nobody() -> Error {
    Error::new(ErrorKind::NotFound, "no such process, or no longer; nothing is known of its end")
}
