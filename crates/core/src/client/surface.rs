//! The operations by their signatures, until each has its file.

use crate::client::{Client, Delete, NewContainer, Stop, Summary};
use crate::cursor::Since;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ContainerId, ProcessId, ProcessRef};
use crate::ports::process_io::Streams;
use crate::ports::runtime::{Created, EventSource, RuntimeVersion, SignalRequest, Started};
use crate::process::NewProcess;
use crate::signal::Signal;
use crate::status::{ContainerStatus, Exit};
use crate::stdio::TerminalSize;

fn later() -> Error {
    Error::new(ErrorKind::Unsupported, "this operation is not built yet")
}

impl Client {
    /// Makes a container: everything but the program's start.
    pub async fn create(&self, id: &ContainerId, new: NewContainer) -> Result<Created> {
        let _ = new;
        Err(later().during("create").on(id))
    }
    /// Lets a created container's program run.
    pub async fn start(&self, id: &ContainerId) -> Result<Started> {
        self.shared.runtime.start(id).await
    }
    /// Starts a further process in a running container.
    pub async fn add_process(&self, id: &ContainerId, process: &ProcessId, new: NewProcess) -> Result<Started> {
        let _ = (process, new);
        Err(later().during("exec").on(id))
    }
    /// Sends a signal to the first process of a container.
    pub async fn signal(&self, id: &ContainerId, signal: Signal) -> Result<()> {
        self.signal_process(&ProcessRef::init(id.clone()), signal).await
    }
    /// Sends a signal to a process.
    pub async fn signal_process(&self, process: &ProcessRef, signal: Signal) -> Result<()> {
        self.shared.runtime.signal(SignalRequest::new(process.clone(), signal)).await
    }
    /// Sends a signal to every process of a container.
    pub async fn signal_all(&self, id: &ContainerId, signal: Signal) -> Result<()> {
        self.shared.runtime.signal(SignalRequest::everyone(id.clone(), signal)).await
    }
    /// Ends a container.
    pub async fn stop(&self, id: &ContainerId, how: Stop) -> Result<Exit> {
        let _ = how;
        Err(later().during("stop").on(id))
    }
    /// Sets the size of a process's terminal.
    pub async fn resize(&self, process: &ProcessRef, size: TerminalSize) -> Result<()> {
        self.shared.runtime.resize(process, size).await
    }
    /// Lets a process read end-of-file.
    pub async fn close_stdin(&self, process: &ProcessRef) -> Result<()> {
        self.shared.runtime.close_stdin(process).await
    }
    /// What is true of a container now.
    pub async fn state(&self, id: &ContainerId) -> Result<ContainerStatus> {
        self.shared.runtime.state(id).await
    }
    /// All containers, sorted by name.
    pub async fn list(&self) -> Result<Vec<ContainerStatus>> {
        self.shared.runtime.list().await
    }
    /// The host's pids of all processes of a container.
    pub async fn pids(&self, id: &ContainerId) -> Result<Vec<u32>> {
        self.shared.runtime.pids(id).await
    }
    /// What runs in a container, by line.
    pub async fn summary(&self, id: &ContainerId) -> Result<Vec<Summary>> {
        let _ = id;
        Ok(Vec::new())
    }
    /// Waits for the end of a process.
    pub async fn wait(&self, process: &ProcessRef) -> Result<Exit> {
        Err(later().during("wait").on(&process.container))
    }
    /// Looks at a container and follows it from now on.
    pub async fn open(&self, id: &ContainerId) -> Result<ContainerStatus> {
        self.shared.runtime.state(id).await
    }
    /// Opens the live streams of a process.
    pub async fn attach(&self, process: &ProcessRef) -> Result<Streams> {
        let _ = (&self.shared.bundles, &self.shared.backend);
        Err(later().during("attach").on(&process.container))
    }
    /// Removes a container.
    pub async fn delete(&self, id: &ContainerId, how: Delete) -> Result<()> {
        let _ = how;
        Err(later().during("delete").on(id))
    }
    /// Who the runtime is.
    pub async fn version(&self) -> Result<RuntimeVersion> {
        self.shared.runtime.version().await
    }
    /// Follows what happens to all containers.
    pub async fn events(&self, since: Since) -> Result<Box<dyn EventSource>> {
        self.shared.runtime.events(since).await
    }
}
