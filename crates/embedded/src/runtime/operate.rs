//! The operations on a container that exists.
//!
//! Whoever dies in the middle of one is asked for again: a monitor's successor has undone or finished what it found
//! half done, and its journal tells which.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use libcontainerd_core::ports::runtime::{ExecRequest, SignalRequest, Started};
use libcontainerd_core::stdio::TerminalSize;
use libcontainerd_core::{
    ContainerId, ContainerState, ContainerStatus, Error as CoreError, ErrorKind, ProcessId, ProcessRef, Result,
};
use libcontainerd_engine::{Cgroup, CgroupPlace, Host};
use tokio::time::Instant;

use super::look::Found;
use super::{Connection, Error, Inner, PATIENT, PROMPT, Reached, look, names};
use crate::record::History;
use crate::wire::{Answer, Request};

/// How often an operation whose monitor died under it is begun again.
const LIVES: usize = 3;
/// How long a monitor may take to its journal's first entry.
const BIRTH: Duration = Duration::from_secs(5);

impl Inner {
    /// Lets a created container's program run.
    pub(super) async fn start(self: &Arc<Self>, id: &ContainerId) -> Result<Started> {
        let mut lost = false;
        for _ in 0..LIVES {
            match self.monitor(id).await?.call(Request::Start, PATIENT).await {
                Ok(Answer::Started { pid, at }) => return Ok(Started::new(pid, at)),
                Ok(_) => return Err(Error::Confused.into()),
                Err(error) if error.kind() == ErrorKind::Unavailable || lost => {
                    let history = look(&self.run, id)?.container(id)?.clone();
                    if let (Some(at), Some(init)) = (history.started_at, history.init()) {
                        return Ok(Started::new(init.made.pid, at));
                    }
                    if error.kind() != ErrorKind::Unavailable {
                        return Err(error);
                    }
                    lost = true;
                }
                Err(error) => return Err(error),
            }
        }
        Err(keeps_dying(id))
    }

    /// Starts a further process.
    pub(super) async fn exec(self: &Arc<Self>, request: ExecRequest) -> Result<Started> {
        let id = &request.container;
        let mut lost = false;
        for _ in 0..LIVES {
            let exec = Request::Exec {
                process: request.process.clone(),
                what: Box::new(request.what.clone()),
                endpoints: request.endpoints.clone(),
            };
            match self.monitor(id).await?.call(exec, PATIENT).await {
                Ok(Answer::Started { pid, at }) => return Ok(Started::new(pid, at)),
                Ok(_) => return Err(Error::Confused.into()),
                Err(error) if error.kind() == ErrorKind::Unavailable || lost => {
                    // Answered by its successor, who has settled by then what its predecessor left.
                    self.monitor(id).await?.call(Request::Hello, PROMPT).await?;
                    if let Some(pid) = running(look(&self.run, id)?.container(id)?, &request.process) {
                        return Ok(Started::new(pid, SystemTime::now()));
                    }
                    if error.kind() != ErrorKind::Unavailable {
                        return Err(error);
                    }
                    lost = true;
                }
                Err(error) => return Err(error),
            }
        }
        Err(keeps_dying(id))
    }

    /// Sends a signal.
    pub(super) async fn signal(self: &Arc<Self>, request: SignalRequest) -> Result<()> {
        let signal = Request::Signal {
            process: request.process.process,
            signal: request.signal,
            scope: request.scope.try_into()?,
        };
        self.simply(&request.process.container, signal).await
    }

    /// Sets the size of a terminal.
    pub(super) async fn resize(self: &Arc<Self>, process: &ProcessRef, size: TerminalSize) -> Result<()> {
        let resize = Request::Resize { process: process.process.clone(), size };
        match self.simply(&process.container, resize).await {
            Err(error) if error.kind() == ErrorKind::WrongState && self.has_ended(process) => Ok(()),
            done => done,
        }
    }

    /// Closes the stdin of a process.
    pub(super) async fn close_stdin(self: &Arc<Self>, process: &ProcessRef) -> Result<()> {
        let close = Request::CloseStdin { process: process.process.clone() };
        match self.simply(&process.container, close).await {
            Err(error) if error.kind() == ErrorKind::WrongState && self.has_ended(process) => Ok(()),
            done => done,
        }
    }

    /// What is true of a container now; guarded from then on.
    pub(super) async fn status(self: &Arc<Self>, id: &ContainerId) -> Result<ContainerStatus> {
        let mut found = self.look_once_born(id).await?;
        if found.is_orphan() {
            self.reach(id).await?;
            found = look(&self.run, id)?;
        }
        let status = found.container(id)?.status();
        if found.supervised && status.state != ContainerState::Stopped {
            self.guard(id, None);
        }
        Ok(status)
    }

    /// Looks at a container whose name is taken, as soon as there is something to see.
    ///
    /// Between the two its client may be killed: who was told then that there is nothing would remove the bundle from
    /// under a container that comes a moment later.
    async fn look_once_born(&self, id: &ContainerId) -> Result<Found> {
        let deadline = Instant::now() + BIRTH;
        loop {
            let found = look(&self.run, id)?;
            if !found.supervised || found.history.is_some() || Instant::now() > deadline {
                return Ok(found);
            }
            // Nothing tells of the first entry of a journal: it is a matter of milliseconds.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// All containers.
    pub(super) async fn list(self: &Arc<Self>) -> Result<Vec<ContainerStatus>> {
        let mut all = Vec::new();
        for id in names(&self.run)? {
            match self.listed(&id).await {
                Ok(status) => all.push(status),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // A stranger's directory, or none at all: it hides none of the others.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    tracing::warn!(container.id = %id, %error, "this is no container of ours, and left out");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// The pids of all processes in a container.
    pub(super) async fn pids(self: &Arc<Self>, id: &ContainerId) -> Result<Vec<u32>> {
        let found = look(&self.run, id)?;
        let history = found.container(id)?;
        if history.cleaned {
            return Ok(Vec::new());
        }
        let creating = &history.creating;
        let place = CgroupPlace { parent: creating.cgroup_parent.clone(), name: creating.cgroup_name.clone() };
        super::blocking(move || {
            let host = Host::probe().map_err(Error::Engine)?;
            let Some(cgroup) = Cgroup::open(&host, &place).map_err(Error::Engine)? else { return Ok(Vec::new()) };
            let mut pids = cgroup.pids().map_err(Error::Engine)?;
            pids.sort_unstable();
            Ok(pids)
        })
        .await
    }

    async fn listed(self: &Arc<Self>, id: &ContainerId) -> Result<ContainerStatus> {
        let found = look(&self.run, id)?;
        if !found.is_orphan() {
            return Ok(found.container(id)?.status());
        }
        self.reach(id).await?;
        Ok(look(&self.run, id)?.container(id)?.status())
    }

    /// A request that may be repeated and whose answer says nothing.
    async fn simply(self: &Arc<Self>, id: &ContainerId, request: Request) -> Result<()> {
        for _ in 0..LIVES {
            match self.monitor(id).await?.call(request.clone(), PROMPT).await {
                Ok(Answer::Done) => return Ok(()),
                Ok(_) => return Err(Error::Confused.into()),
                Err(error) if error.kind() == ErrorKind::Unavailable => {}
                Err(error) => return Err(error),
            }
        }
        Err(keeps_dying(id))
    }

    /// A monitor to talk to.
    async fn monitor(self: &Arc<Self>, id: &ContainerId) -> Result<Connection> {
        match self.reach(id).await? {
            Reached::Monitor(connection) => Ok(connection),
            Reached::Finished(_) => {
                let text = "the container has stopped; start a new one, or remove it with `lctr rm`";
                Err(CoreError::new(ErrorKind::WrongState, text).on(id))
            }
        }
    }

    fn has_ended(&self, process: &ProcessRef) -> bool {
        look(&self.run, &process.container).is_ok_and(|found| {
            found
                .container(&process.container)
                .is_ok_and(|history| history.process(&process.process).is_some_and(|process| process.exit.is_some()))
        })
    }
}

/// The pid of a process that was started, even if it has ended meanwhile.
fn running(history: &History, process: &ProcessId) -> Option<u32> {
    history.process(process).filter(|process| process.started).map(|process| process.made.pid)
}

fn keeps_dying(id: &ContainerId) -> CoreError {
    CoreError::new(ErrorKind::Unavailable, "its monitor keeps dying; its log is in the container's directory").on(id)
}
