//! The port `Runtime`: what runs containers.
//!
//! The core drives one through this trait and knows nothing else of it. Requests and answers are values, so that a
//! further field breaks no adapter; operations that only some runtimes have (pause, statistics, checkpoints) join
//! with a default that answers `Unsupported` and a flag in [`Capabilities`].
//!
//! Does not know: gRPC, processes of the host, file systems.

mod lifetime;

use std::fmt;
use std::path::PathBuf;
use std::time::SystemTime;

use async_trait::async_trait;
use oci_spec::runtime::Spec;

use crate::cursor::{Cursor, Since};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::id::{ContainerId, Instance, ProcessId, ProcessRef};
use crate::process::{NewProcess, User};
use crate::rootfs::Rootfs;
use crate::signal::Signal;
use crate::status::{ContainerStatus, Past};
use crate::stdio::{Endpoints, TerminalSize};

pub use lifetime::{Lease, Removal, Sweep, Swept};

/// Runs containers.
///
/// # Implementers
/// Every method may be called at any time, from many tasks at once, for the same container too; the core keeps
/// create, start and delete of one container apart within one program, but other programs may drive the same
/// containers. Ids are already parsed. A future may be dropped at any await: what the runtime was asked to do then
/// happens or not, and its state says which. Errors use the kinds as [`crate::ErrorKind`] describes them; the core
/// adds operation and names.
#[async_trait]
pub trait Runtime: fmt::Debug + Send + Sync {
    /// What this runtime can do by itself; the same answer for its whole life.
    fn capabilities(&self) -> Capabilities;

    /// Makes a container: everything but the program's start.
    ///
    /// Once it returned the container is `Created`, its init process exists and waits, and the `Created` event is
    /// out. The streams' ends in the request are opened by then.
    ///
    /// # Errors
    /// `AlreadyExists` when the id is taken; `StartFailed` with the stage; `Unsupported` naming the spec's field.
    /// After an error nothing of the container is left.
    async fn create(&self, request: CreateRequest) -> Result<Created>;

    /// Lets a created container's program run.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` unless it is `Created`; `StartFailed` when the program cannot be run, and then the
    /// container is `Stopped`.
    async fn start(&self, container: &ContainerId) -> Result<Started>;

    /// Starts a further process in a running container. Once it returned, the program runs.
    ///
    /// # Errors
    /// `NotFound`; `AlreadyExists` when a live process has that name; `WrongState` unless the container runs;
    /// `StartFailed`, and then no process and no event of it is left.
    async fn exec(&self, request: ExecRequest) -> Result<Started>;

    /// Sends a signal.
    ///
    /// # Errors
    /// `NotFound` when container or process does not exist; `WrongState` when it has ended.
    async fn signal(&self, request: SignalRequest) -> Result<()>;

    /// Sets the size of a process's terminal; before the start it is kept for the start, after the exit it is no
    /// error.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` when the process has no terminal.
    async fn resize(&self, process: &ProcessRef, size: TerminalSize) -> Result<()>;

    /// Lets the process read end-of-file once it has read what was written before. Repeating it is no error, nor is a
    /// process that has ended.
    ///
    /// # Errors
    /// `NotFound`, which the core takes as done.
    async fn close_stdin(&self, process: &ProcessRef) -> Result<()>;

    /// What is true of a container now. Looks only: opens no stream, takes no lock.
    ///
    /// # Errors
    /// `NotFound`.
    ///
    /// # Implementers
    /// From the first call on the runtime must notice it when whatever supervises the container dies, and tell in
    /// [`Runtime::events`] what it then finds.
    async fn state(&self, container: &ContainerId) -> Result<ContainerStatus>;

    /// All containers, sorted by name. One that vanishes meanwhile may be in it or not.
    async fn list(&self) -> Result<Vec<ContainerStatus>>;

    /// The host's pids of all processes in the container, children included, in rising order.
    ///
    /// # Errors
    /// `NotFound`.
    async fn pids(&self, container: &ContainerId) -> Result<Vec<u32>>;

    /// Removes a container that does not run, and everything the runtime made for it.
    ///
    /// # Errors
    /// `NotFound`, also when the instance is another; `WrongState` while its program runs or is paused.
    async fn delete(&self, request: DeleteRequest) -> Result<()>;

    /// Who this is.
    async fn version(&self) -> Result<RuntimeVersion>;

    /// The position after the last event so far: who follows from here misses nothing that happens later.
    ///
    /// # Errors
    /// `Unsupported` where events are not replayed.
    async fn cursor(&self) -> Result<Cursor> {
        Err(unsupported("this runtime does not replay events"))
    }

    /// Containers that were removed, newest first: those of that name, or all. Bounded; the oldest are forgotten.
    ///
    /// # Errors
    /// The ledger cannot be read.
    async fn past(&self, id: Option<ContainerId>) -> Result<Vec<Past>> {
        let _ = id;
        Ok(Vec::new())
    }

    /// Finds what killed programs of ours have left behind and belongs to no container any more, and removes it unless
    /// it is only to be `found`. Touches nothing that is not provably this runtime's.
    ///
    /// # Errors
    /// The place cannot be looked at; what cannot be removed says so in its [`Swept`].
    async fn sweep(&self, how: Sweep) -> Result<Vec<Swept>> {
        let _ = how;
        Ok(Vec::new())
    }

    /// Follows what happens to all containers.
    ///
    /// Subscribed once this returned: what happens later is in the stream.
    ///
    /// # Errors
    /// `Gap` when the cursor is older than what is kept.
    async fn events(&self, since: Since) -> Result<Box<dyn EventSource>>;
}

/// A running subscription. Dropping it ends it.
#[async_trait]
pub trait EventSource: fmt::Debug + Send {
    /// The next event and the position after it, or `None` when the source has ended and must be opened again.
    ///
    /// # Errors
    /// `Gap` when events were lost; `Unavailable` when the connection broke. After an error the source has ended.
    ///
    /// # Cancellation
    /// Safe: a dropped call loses no event.
    async fn next(&mut self) -> Result<Option<(Event, Cursor)>>;
}

/// What a runtime does by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Create and start are two steps; else a created container is only noted, and start makes and starts it.
    pub two_step: bool,
    /// Events from an old cursor are replayed; else the core lists after each new subscription.
    pub replays_events: bool,
    /// It restarts detached containers by their policy itself.
    pub restarts_itself: bool,
    /// It looks up a [`User::Named`] in the container's own files.
    pub resolves_users: bool,
    /// Terminals work.
    pub terminals: bool,
    /// Containers outlive this program.
    pub outlives_client: bool,
    /// Processes are real ones of this host.
    pub real_processes: bool,
    /// Output can be kept ([`crate::stdio::Place::Kept`]).
    pub keeps_output: bool,
    /// Descriptors of the caller can be a process's streams ([`crate::stdio::Place::Descriptor`]).
    pub passes_descriptors: bool,
    /// It ends execs when their time is up, and left-overs of execs where asked.
    pub ends_execs: bool,
    /// It remembers the exits of removed containers ([`Runtime::past`]).
    pub remembers_past: bool,
    /// It binds containers to a program's life and removes ended ones by itself ([`Lease`], [`Removal`]).
    pub leases: bool,
}

/// A container to make.
#[derive(Clone)]
#[non_exhaustive]
pub struct CreateRequest {
    /// Its name, parsed.
    pub id: ContainerId,
    /// Which creation under that name.
    pub instance: Instance,
    /// The prepared bundle's directory, absolute.
    pub bundle: PathBuf,
    /// What to run and how; its `root` is set from `rootfs` and is not looked at.
    pub spec: Spec,
    /// The root file system, absolute.
    pub rootfs: Rootfs,
    /// Instead of the spec's user.
    pub user: Option<User>,
    /// The runtime's ends of init's streams.
    pub endpoints: Endpoints,
    /// Whose life it is bound to.
    pub lease: Option<Lease>,
    /// Who removes it once it has ended.
    pub removal: Removal,
}

impl CreateRequest {
    /// A container of `spec` on `rootfs`, with its bundle in `bundle`.
    pub fn new(
        id: ContainerId,
        instance: Instance,
        bundle: PathBuf,
        spec: Spec,
        rootfs: Rootfs,
        endpoints: Endpoints,
    ) -> Self {
        CreateRequest {
            id,
            instance,
            bundle,
            spec,
            rootfs,
            user: None,
            endpoints,
            lease: None,
            removal: Removal::default(),
        }
    }
}

impl fmt::Debug for CreateRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The spec holds the environment.
        f.debug_struct("CreateRequest")
            .field("id", &self.id)
            .field("instance", &self.instance)
            .field("bundle", &self.bundle)
            .field("rootfs", &self.rootfs)
            .field("user", &self.user)
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}

/// A container that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Created {
    /// The host's pid of its first process, where it exists already.
    pub pid: Option<u32>,
}

impl Created {
    /// Made, with this first process.
    pub fn new(pid: Option<u32>) -> Self {
        Created { pid }
    }
}

/// A process whose program runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Started {
    /// Its pid on the host; 0 where the runtime does not tell it.
    pub pid: u32,
    /// When it was started.
    pub at: SystemTime,
}

impl Started {
    /// Started at `at` under `pid`.
    pub fn new(pid: u32, at: SystemTime) -> Self {
        Started { pid, at }
    }
}

/// A further process to start.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ExecRequest {
    /// The container.
    pub container: ContainerId,
    /// The name of the new process.
    pub process: ProcessId,
    /// What to run; its `stdio` is what `endpoints` were made of.
    pub what: NewProcess,
    /// The runtime's ends of its streams.
    pub endpoints: Endpoints,
}

impl ExecRequest {
    /// `what`, under the name `process`, in `container`.
    pub fn new(container: ContainerId, process: ProcessId, what: NewProcess, endpoints: Endpoints) -> Self {
        ExecRequest { container, process, what, endpoints }
    }
}

/// A signal to send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignalRequest {
    /// To whom.
    pub process: ProcessRef,
    /// Which.
    pub signal: Signal,
    /// To that process alone, or to more.
    pub scope: SignalScope,
}

impl SignalRequest {
    /// `signal` to `process` alone.
    pub fn new(process: ProcessRef, signal: Signal) -> Self {
        SignalRequest { process, signal, scope: SignalScope::Process }
    }

    /// `signal` to every process of `container`.
    pub fn everyone(container: ContainerId, signal: Signal) -> Self {
        SignalRequest { process: ProcessRef::init(container), signal, scope: SignalScope::Everyone }
    }
}

/// Who gets a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignalScope {
    /// The process itself.
    Process,
    /// The process and all that it started.
    Tree,
    /// Every process of the container.
    Everyone,
}

/// A container to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteRequest {
    /// Its name.
    pub container: ContainerId,
    /// Only if it is this creation under that name.
    pub instance: Option<Instance>,
}

impl DeleteRequest {
    /// Whatever has that name, or only `instance` of it.
    pub fn new(container: ContainerId, instance: Option<Instance>) -> Self {
        DeleteRequest { container, instance }
    }
}

/// Who a runtime is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuntimeVersion {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What else it tells about itself, name and value.
    pub details: Vec<(String, String)>,
}

impl RuntimeVersion {
    /// `name` in `version`.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        RuntimeVersion { name: name.into(), version: version.into(), details: Vec::new() }
    }
}

fn unsupported(text: &str) -> Error {
    Error::new(ErrorKind::Unsupported, text)
}
