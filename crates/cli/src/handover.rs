//! The backend of a supervisor: hands streams to the call that waits for them, and everything else to the program.
//!
//! Whoever starts a process and wants its streams leaves a place here under the process's name first; the core
//! attaches before the program runs, so that no byte is early. What nobody waits for goes to the program's backend,
//! or nowhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use libcontainerd_core::event::StateChange;
use libcontainerd_core::ports::backend::Backend;
use libcontainerd_core::ports::process_io::Streams;
use libcontainerd_core::{ContainerId, ProcessRef, Result};

/// Places for streams that are waited for, and the program's own backend.
#[derive(Debug)]
pub(crate) struct Handover {
    places: Mutex<HashMap<ProcessRef, Option<Streams>>>,
    program: Option<Arc<dyn Backend>>,
}

impl Handover {
    /// A handover in front of the program's backend.
    pub(crate) fn new(program: Option<Arc<dyn Backend>>) -> Self {
        Handover { places: Mutex::default(), program }
    }

    /// Keeps a place for the streams of `process`, until it is dropped.
    pub(crate) fn expect(self: &Arc<Self>, process: &ProcessRef) -> Expected {
        self.places().insert(process.clone(), None);
        Expected { handover: self.clone(), process: process.clone() }
    }

    fn places(&self) -> std::sync::MutexGuard<'_, HashMap<ProcessRef, Option<Streams>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place for the streams of one process.
#[derive(Debug)]
pub(crate) struct Expected {
    handover: Arc<Handover>,
    process: ProcessRef,
}

impl Expected {
    /// The streams, once the process is made; none when there were none.
    pub(crate) fn take(self) -> Streams {
        self.handover.places().get_mut(&self.process).and_then(Option::take).unwrap_or_default()
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.handover.places().remove(&self.process);
    }
}

#[async_trait]
impl Backend for Handover {
    async fn attach_streams(&self, process: &ProcessRef, streams: Streams) -> Result<()> {
        if let Some(place) = self.places().get_mut(process) {
            *place = Some(streams);
            return Ok(());
        }
        match &self.program {
            Some(program) => program.attach_streams(process, streams).await,
            None => Ok(()),
        }
    }

    async fn state_changed(&self, container: &ContainerId, change: &StateChange) -> Result<()> {
        match &self.program {
            Some(program) => program.state_changed(container, change).await,
            None => Ok(()),
        }
    }
}
