//! The backend's queue of one container: what it is told, one call after the other.
//!
//! A worker runs while changes wait, so that containers do not wait for each other and nothing of ours is held while
//! the backend runs. Once the exit of an exec was told, its streams' names are removed; whoever starts a process
//! under the same name before that removes them first.
//!
//! Keeps: "one total order per container"; `tests/order.rs`.
//! Does not know: what a change means, but for the exit of an exec.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use super::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::event::StateChange;
use crate::id::{ContainerId, ProcessId, ProcessRef};
use crate::ports::backend::Backend;
use crate::ports::process_io::{IoRequest, ProcessIo, Streams};

/// How long a waiter lets the backend hear of an exit first.
const COURTESY: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// The container of which the backend is just being told, in this task.
    static TELLING: ContainerId;
}

/// The changes of one container that the backend has not heard of yet.
#[derive(Debug)]
pub(super) struct Queue {
    container: ContainerId,
    backend: Arc<dyn Backend>,
    io: Arc<dyn ProcessIo>,
    waiting: Mutex<Waiting>,
    /// How many changes were told.
    told: watch::Sender<u64>,
    /// Streams of ended execs, whose names are still there.
    left: Mutex<HashMap<ProcessId, IoRequest>>,
    /// Held while such names are removed.
    sweeping: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    changes: VecDeque<StateChange>,
    pushed: u64,
    /// Whether a worker runs.
    busy: bool,
}

impl Queue {
    /// The queue of `container`, empty.
    pub(super) fn new(container: ContainerId, backend: Arc<dyn Backend>, io: Arc<dyn ProcessIo>) -> Self {
        Queue {
            container,
            backend,
            io,
            waiting: Mutex::default(),
            told: watch::Sender::new(0),
            left: Mutex::default(),
            sweeping: tokio::sync::Mutex::default(),
        }
    }

    /// Adds a change and returns its ticket. Must be called within a tokio runtime.
    pub(super) fn push(self: &Arc<Self>, change: StateChange) -> u64 {
        let mut waiting = lock(&self.waiting);
        waiting.changes.push_back(change);
        waiting.pushed += 1;
        if !waiting.busy {
            waiting.busy = true;
            tokio::spawn(Arc::clone(self).work());
        }
        waiting.pushed
    }

    /// The ticket of the latest change.
    pub(super) fn latest(&self) -> u64 {
        lock(&self.waiting).pushed
    }

    /// Waits until the backend was told what has that ticket, for at most a second: a backend that is slow, or that
    /// waits for the caller, holds nobody up. The backend itself, while it is told, does not wait.
    pub(super) async fn told(&self, ticket: u64) {
        if TELLING.try_with(|container| *container == self.container).unwrap_or(false) {
            return;
        }
        let mut told = self.told.subscribe();
        // An end of the courtesy is no failure.
        let _ = tokio::time::timeout(COURTESY, told.wait_for(|told| *told >= ticket)).await;
    }

    /// Gives streams to the backend.
    ///
    /// # Errors
    /// The backend's; `Internal` when it panicked.
    pub(super) async fn attach(&self, process: ProcessRef, streams: Streams) -> Result<()> {
        let backend = Arc::clone(&self.backend);
        let call = tokio::spawn(async move { backend.attach_streams(&process, streams).await });
        call.await.unwrap_or_else(|e| Err(panicked(e)))
    }

    /// Notes the streams of a process whose exit is about to be pushed.
    pub(super) fn leave(&self, process: ProcessId, streams: IoRequest) {
        lock(&self.left).insert(process, streams);
    }

    /// Removes what an ended process of that name has left.
    pub(super) async fn sweep(&self, process: &ProcessId) {
        let _alone = self.sweeping.lock().await;
        let Some(streams) = lock(&self.left).remove(process) else { return };
        if let Err(error) = self.io.remove(&streams).await {
            tracing::warn!(container.id = %self.container, %process, %error, "streams of an ended process stay behind");
        }
    }

    async fn work(self: Arc<Self>) {
        while let Some(change) = self.next() {
            self.tell(&change).await;
            self.told.send_modify(|told| *told += 1);
            if let StateChange::ProcessExited { process, .. } = &change {
                self.sweep(process).await;
            }
        }
    }

    fn next(&self) -> Option<StateChange> {
        let mut waiting = lock(&self.waiting);
        let change = waiting.changes.pop_front();
        waiting.busy = change.is_some();
        change
    }

    async fn tell(&self, change: &StateChange) {
        let (backend, container, told) = (Arc::clone(&self.backend), self.container.clone(), change.clone());
        // In a task of its own: a backend that panics takes nothing else with it.
        let call = tokio::spawn(
            TELLING.scope(self.container.clone(), async move { backend.state_changed(&container, &told).await }),
        );
        if let Err(error) = call.await.unwrap_or_else(|e| Err(panicked(e))) {
            tracing::warn!(container.id = %self.container, %error, "the backend failed to take a change");
        }
    }
}

fn panicked(cause: tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Internal, "the backend panicked").because(cause)
}
