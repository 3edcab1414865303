//! Signals: to the first process, to any process, to everyone.
//!
//! Decided: no lock. A signal must get through when everything else hangs.

use super::Client;
use super::tasks::within;
use crate::error::Result;
use crate::id::{ContainerId, ProcessRef};
use crate::ports::runtime::SignalRequest;
use crate::signal::Signal;

impl Client {
    /// Sends a signal to a container's first process.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` when it has ended.
    ///
    /// # Cancellation
    /// A dropped call may or may not have sent it; so for every signal.
    pub async fn signal(&self, id: &ContainerId, signal: Signal) -> Result<()> {
        self.signal_process(&ProcessRef::init(id.clone()), signal).await
    }

    /// Sends a signal to one process alone.
    ///
    /// # Errors
    /// As [`Client::signal`].
    pub async fn signal_process(&self, process: &ProcessRef, signal: Signal) -> Result<()> {
        let request = SignalRequest::new(process.clone(), signal);
        within("signal", &process.container, self.shared.runtime.signal(request))
            .await
            .map_err(|e| e.of(&process.process))
    }

    /// Sends a signal to every process of a container.
    ///
    /// # Errors
    /// As [`Client::signal`].
    pub async fn signal_all(&self, id: &ContainerId, signal: Signal) -> Result<()> {
        let request = SignalRequest::everyone(id.clone(), signal);
        within("signal", id, self.shared.runtime.signal(request)).await
    }
}
