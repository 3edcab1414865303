//! Who waits for the exits of one container's processes.
//!
//! Each waiter is answered once, at the moment when the exit is decided, or dropped when there never will be one.

use std::collections::HashMap;

use tokio::sync::oneshot;

use crate::id::ProcessId;
use crate::status::Exit;

/// An exit, and the queue's ticket of the change that tells it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) exit: Exit,
    pub(super) ticket: u64,
}

/// The waiters of one container.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    by_process: HashMap<ProcessId, Vec<oneshot::Sender<Known>>>,
}

impl Waiters {
    /// Adds one for `process`.
    pub(super) fn add(&mut self, process: &ProcessId) -> oneshot::Receiver<Known> {
        let (waiter, answer) = oneshot::channel();
        let waiters = self.by_process.entry(process.clone()).or_default();
        waiters.retain(|waiter| !waiter.is_closed());
        waiters.push(waiter);
        answer
    }

    /// Answers all that wait for `process`.
    pub(super) fn answer(&mut self, process: &ProcessId, known: &Known) {
        for waiter in self.by_process.remove(process).unwrap_or_default() {
            // A waiter that has gone away wants no answer.
            let _ = waiter.send(known.clone());
        }
    }

    /// Drops all that wait for `process`, which will never end since it never ran.
    pub(super) fn drop_of(&mut self, process: &ProcessId) {
        self.by_process.remove(process);
    }

    /// Drops everyone.
    pub(super) fn drop_all(&mut self) {
        self.by_process.clear();
    }
}
