//! What a process's streams are told beside bytes: the size of its terminal, and the end of its stdin.

use super::Client;
use super::tasks::within;
use crate::error::{ErrorKind, Result};
use crate::id::ProcessRef;
use crate::stdio::TerminalSize;

impl Client {
    /// Sets the size of a process's terminal. Before the start it is kept for the start; after the exit it is no
    /// error. Takes no lock.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` when the process has no terminal.
    pub async fn resize(&self, process: &ProcessRef, size: TerminalSize) -> Result<()> {
        let resized = self.shared.runtime.resize(process, size);
        within("resize", &process.container, resized).await.map_err(|e| e.of(&process.process))
    }

    /// Lets a process read end-of-file once it has read what was written before.
    ///
    /// Before the start it is kept for the start, for as long as this client lives. Repeating it does nothing, nor
    /// does it for a process that has ended or that does not exist. Takes no lock.
    ///
    /// # Errors
    /// The runtime's.
    ///
    /// # Cancellation
    /// The close goes on in the background.
    pub async fn close_stdin(&self, process: &ProcessRef) -> Result<()> {
        let closed = async {
            match self.shared.followed(&process.container).await {
                Ok(container) => container.closer(&process.process).closed().await,
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                Err(error) => Err(error),
            }
        };
        within("close stdin", &process.container, closed).await.map_err(|e| e.of(&process.process))
    }
}
