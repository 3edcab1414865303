//! The supervisor: a client over adapters that fit together, and the way in to everything else.
//!
//! The common one is built from two directories and has the embedded engine below it; [`Supervisor::compose`] takes
//! any ports, so that tests run over the in-memory ones. Streams that a call of ours waits for are handed to that
//! call, all others to the program's own backend.

use std::path::PathBuf;
use std::sync::Arc;

use libcontainerd_bundle::DirBundleStore;
use libcontainerd_core::client::Client;
use libcontainerd_core::id::IdError;
use libcontainerd_core::ports::backend::Backend;
use libcontainerd_core::ports::bundle_store::BundleStore;
use libcontainerd_core::ports::process_io::{ProcessIo, ReadFrom};
use libcontainerd_core::ports::runtime::Runtime;
use libcontainerd_core::{ContainerId, Error, ErrorKind, ProcessRef, Result};
use libcontainerd_embedded::{EmbeddedRuntime, MonitorImage};
use libcontainerd_fifo_io::FifoProcessIo;

use crate::builder::ContainerBuilder;
use crate::child::Child;
use crate::container::Container;
use crate::exec::ExecBuilder;
use crate::handover::Handover;

/// Where state that lives with the boot is kept, unless told otherwise.
pub const DEFAULT_ROOT: &str = "/run/libcontainerd";

/// Where what is large or outlives the boot is kept, unless told otherwise.
pub const DEFAULT_DATA: &str = "/var/lib/libcontainerd";

/// Runs and finds containers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Supervisor {
    client: Client,
    handover: Arc<Handover>,
}

/// The adapters below a supervisor of one's own making.
#[derive(Debug, Clone)]
pub struct Ports {
    /// Runs the containers.
    pub runtime: Arc<dyn Runtime>,
    /// Opens their streams.
    pub io: Arc<dyn ProcessIo>,
    /// Keeps their bundles.
    pub bundles: Arc<dyn BundleStore>,
    /// Hears of them, where somebody wants to.
    pub backend: Option<Arc<dyn Backend>>,
}

impl Supervisor {
    /// The supervisor over the default directories and the embedded engine.
    ///
    /// # Errors
    /// As [`SupervisorBuilder::build`].
    pub fn new() -> Result<Self> {
        Supervisor::builder().build()
    }

    /// A supervisor to configure.
    pub fn builder() -> SupervisorBuilder {
        SupervisorBuilder { root: DEFAULT_ROOT.into(), data: DEFAULT_DATA.into(), monitor: None, backend: None }
    }

    /// A supervisor over the given ports.
    pub fn compose(ports: Ports) -> Self {
        let handover = Arc::new(Handover::new(ports.backend));
        let client = Client::builder(ports.runtime, ports.io, ports.bundles).backend(handover.clone()).build();
        Supervisor { client, handover }
    }

    /// The client below, for every operation that has no shorter way here.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A container to describe and run.
    pub fn container(&self) -> ContainerBuilder {
        ContainerBuilder::new().under(self.clone())
    }

    /// The one container that has this name, or whose name begins so.
    ///
    /// # Errors
    /// `InvalidArgument` when it can be no name, or when several begin so; `NotFound` when none does.
    pub async fn find(&self, name: &str) -> Result<ContainerId> {
        let id: ContainerId = name.parse().map_err(no_name)?;
        match self.client.state(&id).await {
            Ok(_) => return Ok(id),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let all = self.client.list().await?;
        only_match(&id, all.into_iter().map(|status| status.id))
    }

    /// A container that exists, without its streams.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn open(&self, id: &ContainerId) -> Result<Container> {
        self.client.open(id).await?;
        Ok(Container::over(self.clone(), Child::without_streams(self.client.clone(), ProcessRef::init(id.clone()))))
    }

    /// A further process to describe and start in a container.
    pub fn exec(&self, container: &ContainerId, program: impl Into<String>) -> ExecBuilder {
        ExecBuilder::new(self.clone(), container.clone(), program.into())
    }

    /// The streams of a process that runs or waits to be started: live ones, which have one reader at a time, and what
    /// is kept from now on.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` naming the reader when another program reads them.
    pub async fn attach(&self, process: &ProcessRef) -> Result<Child> {
        let streams = self.client.attach(process).await?;
        Ok(Child::new(self.client.clone(), process.clone(), streams))
    }

    /// The streams of a process: those that are live as [`Supervisor::attach`] gives them, and kept output from there
    /// on, which any number may read at once.
    ///
    /// # Errors
    /// As [`Supervisor::attach`].
    pub async fn attach_from(&self, process: &ProcessRef, from: ReadFrom) -> Result<Child> {
        let streams = self.client.attach_from(process, from).await?;
        Ok(Child::new(self.client.clone(), process.clone(), streams))
    }

    /// The same without stdin, which stays whoever's it is.
    ///
    /// # Errors
    /// As [`Supervisor::attach`]; where all output is kept nobody is in the way.
    pub async fn attach_output(&self, process: &ProcessRef, from: ReadFrom) -> Result<Child> {
        let streams = self.client.attach_output(process, from).await?;
        Ok(Child::new(self.client.clone(), process.clone(), streams))
    }

    pub(crate) fn handover(&self) -> &Arc<Handover> {
        &self.handover
    }
}

/// Configures a [`Supervisor`] over the embedded engine.
#[derive(Debug)]
pub struct SupervisorBuilder {
    root: PathBuf,
    data: PathBuf,
    monitor: Option<MonitorImage>,
    backend: Option<Arc<dyn Backend>>,
}

impl SupervisorBuilder {
    /// Keeps the state that lives with the boot below this directory.
    #[must_use]
    pub fn root(mut self, directory: impl Into<PathBuf>) -> Self {
        self.root = directory.into();
        self
    }

    /// Keeps what is large, or outlives the boot, below this directory.
    #[must_use]
    pub fn data(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data = directory.into();
        self
    }

    /// Watches containers with this program instead of the one that is found by itself.
    #[must_use]
    pub fn monitor(mut self, image: MonitorImage) -> Self {
        self.monitor = Some(image);
        self
    }

    /// Tells this backend what happens, and hands it the streams that no call of ours waits for.
    #[must_use]
    pub fn backend(mut self, backend: Arc<dyn Backend>) -> Self {
        self.backend = Some(backend);
        self
    }

    /// Makes the supervisor. Starts nothing; relative directories are taken from the working directory, once.
    ///
    /// # Errors
    /// `PermissionDenied` when this is not root's process or a directory cannot be used; `Unsupported` on a host
    /// without what the engine needs; `NotFound` when no program to watch containers with is found.
    pub fn build(self) -> Result<Supervisor> {
        let (root, data) = (absolute(self.root)?, absolute(self.data)?);
        let mut runtime = EmbeddedRuntime::builder(root.clone(), data.clone());
        if let Some(image) = self.monitor {
            runtime = runtime.monitor(image);
        }
        Ok(Supervisor::compose(Ports {
            runtime: Arc::new(runtime.build()?),
            io: Arc::new(FifoProcessIo::default().keeping(data.join("output"))),
            bundles: Arc::new(DirBundleStore::new(root)),
            backend: self.backend,
        }))
    }
}

/// The answer of a task that nobody but its executor ends.
pub(crate) fn finished<T>(answer: std::result::Result<Result<T>, tokio::task::JoinError>) -> Result<T> {
    answer.unwrap_or_else(|e| {
        Err(Error::new(ErrorKind::Internal, "an operation was given up by its executor").because(e))
    })
}

/// A text that can be no container's name.
pub(crate) fn no_name(wrong: IdError) -> Error {
    Error::new(ErrorKind::InvalidArgument, "this cannot be a container's name").because(wrong)
}

fn absolute(path: PathBuf) -> Result<PathBuf> {
    std::path::absolute(&path).map_err(|e| {
        Error::new(ErrorKind::InvalidArgument, format!("the directory {path:?} cannot be made absolute")).because(e)
    })
}

fn only_match(prefix: &ContainerId, all: impl Iterator<Item = ContainerId>) -> Result<ContainerId> {
    let mut matches: Vec<ContainerId> = all.filter(|id| id.as_str().starts_with(prefix.as_str())).collect();
    match (matches.len(), matches.pop()) {
        (1, Some(id)) => Ok(id),
        (0, _) | (_, None) => Err(Error::new(ErrorKind::NotFound, "there is no such container").on(prefix)),
        (count, Some(_)) => {
            let text = format!("{count} containers have names that begin with {prefix}");
            Err(Error::new(ErrorKind::InvalidArgument, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(prefix: &str, all: &[&str]) -> Result<ContainerId> {
        only_match(&prefix.parse().unwrap(), all.iter().map(|id| id.parse().unwrap()))
    }

    #[test]
    fn a_prefix_finds_its_only_container() {
        assert_eq!(found("we", &["db", "web"]).unwrap().as_str(), "web");
    }

    #[test]
    fn an_ambiguous_prefix_is_refused_and_an_unknown_one_not_found() {
        assert_eq!(found("we", &["web", "west"]).unwrap_err().kind(), ErrorKind::InvalidArgument);
        assert_eq!(found("x", &["web"]).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(found("x", &[]).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
