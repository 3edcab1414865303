//! The client side: `Runtime` over one monitor process per container.
//!
//! What needs only to be looked at is read from journals; what needs the monitor (a start, an exec, a descriptor of
//! its) goes over its socket ([`connection`]), after finding it whatever state it is in ([`reach`]). Events come from
//! the log that all monitors write ([`events`]).
//!
//! Does not know: how a monitor works.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use libcontainerd_core::cursor::{Cursor, Since};
use libcontainerd_core::ports::runtime::{
    Capabilities, CreateRequest, Created, DeleteRequest, EventSource, ExecRequest, Runtime, RuntimeVersion,
    SignalRequest, Started, Sweep, Swept,
};
use libcontainerd_core::status::Past;
use libcontainerd_core::stdio::TerminalSize;
use libcontainerd_core::{ContainerId, ContainerStatus, Error as CoreError, ErrorKind, ProcessRef, Result};
use libcontainerd_durable::Dir;

pub use image::MonitorImage;

use crate::error::Error;
use crate::{layout, ledger};
use connection::{Connection, PATIENT, PROMPT};
use guard::Guard;
use look::{look, names};
use reach::Reached;

mod birth;
mod connection;
mod create;
mod delete;
mod events;
mod guard;
mod image;
mod look;
mod operate;
mod orphan;
mod reach;
mod sweep;
mod sys;

/// The runtime that needs no daemon.
///
/// Cheap to clone. Containers outlive it, and any number of programs may use the same state at once.
#[derive(Debug, Clone)]
pub struct EmbeddedRuntime {
    inner: Arc<Inner>,
}

/// What all clones share.
#[derive(Debug)]
struct Inner {
    /// STATE.
    state: Dir,
    /// STATE/run, with a directory for each container.
    run: Dir,
    /// STATE/events, the log of all containers.
    events: Dir,
    /// DATA.
    data: PathBuf,
    /// What runs as a monitor.
    image: MonitorImage,
    /// Where containers' cgroups go.
    cgroup_parent: String,
    /// Who notices it when a monitor and its witness die; one for each container that was asked for.
    guards: Mutex<HashMap<ContainerId, Guard>>,
}

/// How a runtime is to be.
#[derive(Debug, Clone)]
pub struct Builder {
    state: PathBuf,
    data: PathBuf,
    image: MonitorImage,
    cgroup_parent: String,
}

impl Builder {
    /// What runs as the monitor of a container, instead of what is found.
    #[must_use]
    pub fn monitor(mut self, image: MonitorImage) -> Self {
        self.image = image;
        self
    }

    /// Which directory of every cgroup hierarchy holds the containers, instead of `/libcontainerd`.
    #[must_use]
    pub fn cgroup_parent(mut self, parent: impl Into<String>) -> Self {
        self.cgroup_parent = parent.into();
        self
    }

    /// Makes or opens the directories, and the runtime on them.
    ///
    /// # Errors
    /// `PermissionDenied` when the program is not root or a directory is another's; `InvalidArgument`; `System`.
    pub fn build(self) -> Result<EmbeddedRuntime> {
        if !rustix::process::geteuid().is_root() {
            return Err(Error::NotRoot.into());
        }
        if !is_cgroup_path(&self.cgroup_parent) {
            let text = "the cgroup parent must be an absolute path without `.` and `..`, as /libcontainerd";
            return Err(CoreError::new(ErrorKind::InvalidArgument, text));
        }
        let state = open_root(&self.state, 0o711)?;
        let data = open_root(&self.data, 0o700)?;
        let run = state.ensure(layout::RUN, 0o700).map_err(Error::disk("make the containers' directory"))?;
        let events = state.ensure(layout::EVENTS, 0o700).map_err(Error::disk("make the event log"))?;
        Ok(EmbeddedRuntime {
            inner: Arc::new(Inner {
                state,
                run,
                events,
                data: data.path().to_owned(),
                image: self.image,
                cgroup_parent: self.cgroup_parent,
                guards: Mutex::default(),
            }),
        })
    }
}

impl EmbeddedRuntime {
    /// Begins a runtime with its state below `state`, which lives with the boot, and what is large below `data`.
    pub fn builder(state: impl Into<PathBuf>, data: impl Into<PathBuf>) -> Builder {
        Builder {
            state: state.into(),
            data: data.into(),
            image: MonitorImage::default(),
            cgroup_parent: layout::CGROUP_PARENT.to_owned(),
        }
    }
}

#[async_trait]
impl Runtime for EmbeddedRuntime {
    fn capabilities(&self) -> Capabilities {
        let mut able = Capabilities::default();
        able.two_step = true;
        able.replays_events = true;
        able.resolves_users = true;
        able.terminals = true;
        able.outlives_client = true;
        able.real_processes = true;
        able.keeps_output = true;
        able.passes_descriptors = true;
        able.ends_execs = true;
        able.remembers_past = true;
        able.leases = true;
        able
    }

    async fn create(&self, request: CreateRequest) -> Result<Created> {
        self.inner.create(request).await
    }

    async fn start(&self, container: &ContainerId) -> Result<Started> {
        self.inner.start(container).await
    }

    async fn exec(&self, request: ExecRequest) -> Result<Started> {
        self.inner.exec(request).await
    }

    async fn signal(&self, request: SignalRequest) -> Result<()> {
        self.inner.signal(request).await
    }

    async fn resize(&self, process: &ProcessRef, size: TerminalSize) -> Result<()> {
        self.inner.resize(process, size).await
    }

    async fn close_stdin(&self, process: &ProcessRef) -> Result<()> {
        self.inner.close_stdin(process).await
    }

    async fn state(&self, container: &ContainerId) -> Result<ContainerStatus> {
        self.inner.status(container).await
    }

    async fn list(&self) -> Result<Vec<ContainerStatus>> {
        self.inner.list().await
    }

    async fn pids(&self, container: &ContainerId) -> Result<Vec<u32>> {
        self.inner.pids(container).await
    }

    async fn delete(&self, request: DeleteRequest) -> Result<()> {
        self.inner.delete(request).await
    }

    async fn version(&self) -> Result<RuntimeVersion> {
        let mut version = RuntimeVersion::new("embedded", env!("CARGO_PKG_VERSION"));
        version.details.push(("state".into(), self.inner.state.path().display().to_string()));
        version.details.push(("protocol".into(), crate::wire::VERSION.to_string()));
        Ok(version)
    }

    async fn cursor(&self) -> Result<Cursor> {
        let inner = Arc::clone(&self.inner);
        blocking(move || events::end(&inner.events)).await
    }

    async fn past(&self, id: Option<ContainerId>) -> Result<Vec<Past>> {
        let inner = Arc::clone(&self.inner);
        let read = move || ledger::read(inner.state.path(), &inner.data, id.as_ref());
        blocking(move || Ok(read().map_err(Error::disk("read the ledger of past containers"))?)).await
    }

    async fn sweep(&self, how: Sweep) -> Result<Vec<Swept>> {
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.sweep(how)).await
    }

    async fn events(&self, since: Since) -> Result<Box<dyn EventSource>> {
        Ok(Box::new(events::LogEvents::open(&self.inner.state, &self.inner.events, since)?))
    }
}

impl Inner {
    /// Guards a container from now on, on `connection` if there is one already.
    fn guard(self: &Arc<Self>, id: &ContainerId, connection: Option<Connection>) {
        let mut guards = self.guards.lock().unwrap_or_else(PoisonError::into_inner);
        guards.retain(|_, guard| !guard.is_over());
        if connection.is_some() || !guards.contains_key(id) {
            guards.insert(id.clone(), Guard::begin(Arc::downgrade(self), id.clone(), connection));
        }
    }
}

fn open_root(path: &Path, mode: u32) -> Result<Dir> {
    let absolute = std::path::absolute(path).map_err(|source| Error::Root { path: path.to_owned(), source })?;
    let dir = Dir::open_root(&absolute, mode).map_err(Error::disk("open the state directory"))?;
    // The one name that it has for everybody: cgroups are named by it.
    let resolved = std::fs::canonicalize(&absolute).map_err(|source| Error::Root { path: absolute.clone(), source })?;
    if resolved == absolute {
        Ok(dir)
    } else {
        Dir::open_root(&resolved, mode).map_err(|e| Error::disk("open the state directory")(e).into())
    }
}

fn is_cgroup_path(path: &str) -> bool {
    path.len() > 1
        && path.starts_with('/')
        && path[1..].split('/').all(|part| !part.is_empty() && part != "." && part != ".." && !part.contains('\0'))
}

/// Runs what blocks for a moment beside the tasks.
async fn blocking<T: Send + 'static>(what: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(what).await.map_err(|e| CoreError::from(Error::Task(e)))?
}
