//! A container that exists: its first process, further ones, its state and its end.
//!
//! A handle: what is true of the container is asked of the runtime each time, never remembered here.

use libcontainerd_core::client::{Delete, Logs, Stop};
use libcontainerd_core::{ContainerId, ContainerStatus, Exit, Result, Signal};

use crate::child::Child;
use crate::exec::ExecBuilder;
use crate::placing::Held;
use crate::supervisor::Supervisor;
use crate::undo::Undo;

/// A container. Dropping it leaves the container as it is, unless it was made with `kill_on_drop`.
#[derive(Debug)]
pub struct Container {
    /// Its first process, with its streams where they were placed here.
    pub init: Child,
    supervisor: Supervisor,
    undo: Undo,
    held: Held,
}

impl Container {
    pub(crate) fn over(supervisor: Supervisor, init: Child) -> Self {
        Container { init, supervisor, undo: Undo::none(), held: Held::default() }
    }

    /// With the descriptors that its program is to be started with.
    pub(crate) fn holding(mut self, held: Held) -> Self {
        self.held = held;
        self
    }

    pub(crate) fn guarded(mut self, undo: Undo) -> Self {
        self.undo = undo;
        self
    }

    pub(crate) fn let_live(&mut self) {
        self.undo.disarm();
    }

    /// Kills and removes it; what goes wrong is logged, since the caller has an error or a result to give already.
    pub(crate) async fn abandon(mut self) {
        if let Err(error) = self.supervisor.client().delete(self.id(), Delete::killing()).await {
            tracing::warn!(container.id = %self.id(), %error, "a container could not be removed");
        }
        self.undo.disarm();
    }

    /// Its name.
    pub fn id(&self) -> &ContainerId {
        &self.init.process().container
    }

    /// Starts its program.
    ///
    /// # Errors
    /// `WrongState` when that has been done; `StartFailed` when it cannot be run.
    pub async fn start(&self) -> Result<()> {
        let started = self.supervisor.client().start(self.id()).await.map(drop);
        self.held.close();
        started
    }

    /// The kept output of its first process, to be read from any byte on, line by line, or followed.
    pub fn logs(&self) -> Logs {
        self.init.logs()
    }

    /// The exit of its first process, once that has ended.
    ///
    /// # Errors
    /// As [`Child::wait`].
    pub async fn wait(&self) -> Result<Exit> {
        self.init.wait().await
    }

    /// Sends its first process a signal.
    ///
    /// # Errors
    /// As [`Child::signal`].
    pub async fn signal(&self, signal: Signal) -> Result<()> {
        self.init.signal(signal).await
    }

    /// Sends every process in it a signal.
    ///
    /// # Errors
    /// As [`Child::signal`].
    pub async fn signal_all(&self, signal: Signal) -> Result<()> {
        self.supervisor.client().signal_all(self.id(), signal).await
    }

    /// Asks it to end, and kills it when it does not in time.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn stop(&self, how: Stop) -> Result<Exit> {
        self.supervisor.client().stop(self.id(), how).await
    }

    /// A further process to describe and start in it.
    pub fn exec(&self, program: impl Into<String>) -> ExecBuilder {
        self.supervisor.exec(self.id(), program)
    }

    /// What is true of it now.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn status(&self) -> Result<ContainerStatus> {
        self.supervisor.client().state(self.id()).await
    }

    /// Removes it, and everything that was made for it.
    ///
    /// # Errors
    /// `WrongState` while it runs, unless `how` kills it.
    pub async fn delete(mut self, how: Delete) -> Result<()> {
        self.supervisor.client().delete(self.id(), how).await?;
        self.undo.disarm();
        Ok(())
    }
}
