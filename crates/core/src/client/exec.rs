//! Exec: starts a further process in a running container.
//!
//! The process is known before the runtime is asked, so that an exit that comes before the answer is not lost; its
//! streams are with the backend before its program runs. Execs of one container run side by side.
//!
//! Decided: when the exec fails nothing of it is left, its streams are removed before its name is free again.
//!
//! Keeps: "order"; `tests/exec.rs`.

use std::sync::Arc;

use tokio::sync::OwnedRwLockReadGuard;

use super::create::check;
use super::resync::PATIENCE;
use super::table::Container;
use super::tasks::to_the_end;
use super::{Client, Shared, is_lost};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ContainerId, ProcessId};
use crate::ports::process_io::IoRequest;
use crate::ports::runtime::{ExecRequest, Started};
use crate::process::NewProcess;
use crate::stdio::Place;

impl Client {
    /// Starts a further process in a running container. Once it returned the program runs.
    ///
    /// # Errors
    /// `NotFound`; `AlreadyExists` when a process of that name has not ended; `WrongState` unless the container runs;
    /// `StartFailed`; `InvalidArgument` and `Unsupported`, naming what is asked; the backend's error for the streams. After any of them nothing of the process is left.
    ///
    /// # Cancellation
    /// As [`Client::create`].
    pub async fn add_process(&self, id: &ContainerId, process: &ProcessId, new: NewProcess) -> Result<Started> {
        let turn = self.shared.table.gate(id).read_owned().await;
        let (shared, name, started) = (Arc::clone(&self.shared), id.clone(), process.clone());
        let answer = to_the_end("exec", id, async move { shared.add_process(turn, &name, &started, new).await }).await;
        answer.map_err(|e| e.of(process))
    }
}

impl Shared {
    async fn add_process(
        self: &Arc<Self>,
        _turn: OwnedRwLockReadGuard<()>,
        id: &ContainerId,
        process: &ProcessId,
        mut new: NewProcess,
    ) -> Result<Started> {
        complete(process, &mut new)?;
        check::able_to_exec(&new, &self.runtime.capabilities())?;
        let container = self.followed(id).await?;
        let stamp = self.begin(&container, process).await?;
        container.queue.sweep(process).await;
        let answer = self.exec(&container, process, new).await;
        match &answer {
            Ok(started) => self.advance(&container, |order| order.started(process, stamp, started.pid)),
            Err(_) => self.undo(&container, process, stamp).await,
        }
        answer
    }

    /// Takes the name for a process that is to start.
    async fn begin(self: &Arc<Self>, container: &Arc<Container>, process: &ProcessId) -> Result<u64> {
        if let Ok(stamp) = self.advance(container, |order| order.begin(process)) {
            return Ok(stamp);
        }
        // Its exit may be known to the runtime and not have come here yet.
        let status = self.peek(container).await?;
        let found = status.as_ref().and_then(|status| status.process(process));
        if found.is_none_or(|found| found.exit().is_some()) {
            let _ = tokio::time::timeout(PATIENCE * 2, self.ended(container, process)).await;
        }
        self.advance(container, |order| order.begin(process)).map_err(|_| {
            Error::new(ErrorKind::AlreadyExists, "a process of that name has not ended; take another name")
        })
    }

    async fn exec(&self, container: &Arc<Container>, process: &ProcessId, new: NewProcess) -> Result<Started> {
        let named = container.process(process);
        let directory = container.bundle().ok_or_else(|| {
            Error::new(ErrorKind::WrongState, "the container is still being made; start it before anything else")
        })?;
        let mut streams = IoRequest::new(named.clone(), directory.clone(), new.stdio);
        streams.instance = Some(container.instance);
        let endpoints = self.io.prepare(&streams).await?;
        container.keep_streams(process, streams.clone());
        let opened = self.io.open(&streams, container.closer(process)).await?;
        container.queue.attach(named, opened).await?;
        let request = ExecRequest::new(container.id.clone(), process.clone(), new, endpoints);
        match self.runtime.exec(request).await {
            Err(error) if is_lost(&error) => self.what_runs(container, process, error).await,
            answer => answer,
        }
    }

    async fn undo(self: &Arc<Self>, container: &Arc<Container>, process: &ProcessId, stamp: u64) {
        if let Some(streams) = container.streams(process)
            && let Err(error) = self.io.remove(&streams).await
        {
            tracing::warn!(container.id = %container.id, %process, %error, "streams of a failed exec stay behind");
        }
        let outcome = container.fail(process, stamp);
        self.follow_up(container, outcome);
    }
}

fn complete(process: &ProcessId, new: &mut NewProcess) -> Result<()> {
    if process.is_init() {
        let message = "init is the name of the container's first process; take another one";
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    if new.stdio.terminal.is_some() {
        new.stdio.stderr = Place::Null;
    }
    check::check_stdio(&new.stdio)?;
    check::check_timeout(new.timeout)?;
    check::check_args(&new.args)?;
    check::check_env(new.env.as_ref().map(|env| env.0.as_slice()).unwrap_or_default())?;
    check::check_env(&new.extra_env.0)?;
    new.cwd.as_deref().map_or(Ok(()), check::check_cwd)
}
