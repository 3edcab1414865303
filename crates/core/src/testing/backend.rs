//! A backend that keeps what it is told, for tests that look at it later.
//!
//! Streams wait in it until a test takes them; changes are kept in the order in which they were told and can be
//! awaited.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::error::{Error, ErrorKind, Result};
use crate::event::StateChange;
use crate::id::{ContainerId, ProcessRef};
use crate::ports::backend::Backend;
use crate::ports::process_io::Streams;

/// A backend that keeps streams and changes.
#[derive(Debug, Default)]
pub struct RecordingBackend {
    streams: Mutex<HashMap<ProcessRef, Streams>>,
    changes: Mutex<Vec<(ContainerId, StateChange)>>,
    told: Notify,
    refuses: bool,
}

impl RecordingBackend {
    /// One that takes everything.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// One that refuses every stream, with `PermissionDenied`.
    pub fn refusing() -> Arc<Self> {
        Arc::new(RecordingBackend { refuses: true, ..RecordingBackend::default() })
    }

    /// Takes the streams of a process, once.
    pub fn take_streams(&self, process: &ProcessRef) -> Option<Streams> {
        lock(&self.streams).remove(process)
    }

    /// What it was told of a container so far, in order.
    pub fn changes(&self, container: &ContainerId) -> Vec<StateChange> {
        lock(&self.changes).iter().filter(|(id, _)| id == container).map(|(_, change)| change.clone()).collect()
    }

    /// Waits until it was told a change of that container that `wanted` accepts.
    ///
    /// # Cancellation
    /// Safe: changes stay kept.
    pub async fn until(&self, container: &ContainerId, wanted: impl Fn(&StateChange) -> bool) -> StateChange {
        loop {
            let told = self.told.notified();
            if let Some(change) = self.changes(container).into_iter().find(&wanted) {
                return change;
            }
            told.await;
        }
    }
}

#[async_trait]
impl Backend for RecordingBackend {
    async fn attach_streams(&self, process: &ProcessRef, streams: Streams) -> Result<()> {
        if self.refuses {
            return Err(Error::new(ErrorKind::PermissionDenied, "this backend takes no streams"));
        }
        lock(&self.streams).insert(process.clone(), streams);
        Ok(())
    }

    async fn state_changed(&self, container: &ContainerId, change: &StateChange) -> Result<()> {
        lock(&self.changes).push((container.clone(), change.clone()));
        self.told.notify_waiters();
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
