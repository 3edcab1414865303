//! How a process ended, how that is known, and what a container looks like from outside.
//!
//! An exit is a value, never an error; nothing about it is invented: what is not known says so.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::id::{ContainerId, Instance, ProcessId, Run};
use crate::signal::Signal;
use crate::stdio::Stdio;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExitStatus {
    /// It ended itself with this code.
    Code(u8),
    /// A signal ended it.
    Signal(Signal),
    /// It ended, and nobody can tell how.
    Unknown,
}

impl ExitStatus {
    /// As shells put it: the code, 128 + signal, or 255 when it is unknown.
    pub fn shell_code(self) -> u8 {
        match self {
            ExitStatus::Code(code) => code,
            ExitStatus::Signal(signal) => 128 + signal.number(),
            ExitStatus::Unknown => 255,
        }
    }

    /// Whether it ended itself with code 0.
    pub fn success(self) -> bool {
        self == ExitStatus::Code(0)
    }
}

/// How an exit is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum How {
    /// A parent of ours reaped it.
    Waited,
    /// A daemon said so.
    Reported,
    /// It was found dead, and the status deduced.
    Inferred(Evidence),
    /// It was found dead, and no trace of the status was left.
    Unknown,
}

/// What an inferred status was deduced from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Evidence {
    /// The kernel still told it to the holder of a descriptor of the process.
    ProcessDescriptor,
    /// The runtime no longer lists it as running.
    RuntimeState,
    /// Its container's first process is gone, and with it every process of the container was killed.
    ContainerGone,
}

/// What a process used while it ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResourceUsage {
    /// Processor time in the program.
    pub user: Duration,
    /// Processor time in the kernel.
    pub system: Duration,
    /// The most memory that was resident at once, in bytes.
    pub max_resident: u64,
}

impl ResourceUsage {
    /// Usage with these figures.
    pub fn new(user: Duration, system: Duration, max_resident: u64) -> Self {
        ResourceUsage { user, system, max_resident }
    }
}

/// What a container's cgroups had counted when its first process ended; what the host does not count is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counters {
    /// Processes that the kernel killed for want of memory.
    pub oom_kills: Option<u64>,
    /// The most memory in use at once, in bytes.
    pub memory_peak: Option<u64>,
    /// Times that the processor limit was looked at.
    pub periods: Option<u64>,
    /// Times that it had been used up.
    pub throttled_periods: Option<u64>,
    /// How long its processes waited for that.
    pub throttled: Option<Duration>,
}

/// The end of one process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Exit {
    /// How it ended.
    pub status: ExitStatus,
    /// When it was seen to end.
    pub at: SystemTime,
    /// In which start of the container.
    pub run: Run,
    /// Whether the kernel killed a process of it for want of memory.
    pub oom: bool,
    /// How the status is known.
    pub how: How,
    /// What it used, where the host told it.
    pub usage: Option<ResourceUsage>,
    /// Processes that it left running behind it, where they were counted.
    pub left_overs: Option<u32>,
    /// Whether it was killed because its time was up.
    #[serde(default)]
    pub timed_out: bool,
    /// What the container's cgroups had counted, in the exit of its first process.
    #[serde(default)]
    pub counters: Option<Counters>,
    /// Whether the record of it is on disk.
    pub durable: bool,
}

impl Exit {
    /// An exit at `at` that is known by `how`; nothing else is known of it yet.
    pub fn new(status: ExitStatus, how: How, at: SystemTime) -> Self {
        Exit {
            status,
            at,
            run: Run::FIRST,
            oom: false,
            how,
            usage: None,
            left_overs: None,
            timed_out: false,
            counters: None,
            durable: false,
        }
    }
}

/// A container that was removed, as the ledger remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Past {
    /// The name it had.
    pub id: ContainerId,
    /// Which creation under that name.
    pub instance: Instance,
    /// Program and arguments of its first process.
    pub args: Vec<String>,
    /// When it was created.
    pub created_at: SystemTime,
    /// When it was removed.
    pub removed_at: SystemTime,
    /// The exits that were known of its processes, init's first; of a container that never ran there may be none.
    pub exits: Vec<(ProcessId, Exit)>,
}

impl Past {
    /// A container that was removed at `removed_at`, without exits yet.
    pub fn new(id: ContainerId, instance: Instance, created_at: SystemTime, removed_at: SystemTime) -> Self {
        Past { id, instance, args: Vec::new(), created_at, removed_at, exits: Vec::new() }
    }

    /// The exit of one of its processes.
    pub fn exit(&self, process: &ProcessId) -> Option<&Exit> {
        self.exits.iter().find(|(id, _)| id == process).map(|(_, exit)| exit)
    }
}

/// Where a container is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ContainerState {
    /// It is being made.
    Creating,
    /// It is made; its program waits to be started.
    Created,
    /// Its program runs.
    Running,
    /// Its processes are frozen.
    Paused,
    /// Its program has ended, or was never started and cannot be any more.
    Stopped,
}

/// Where a process is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessState {
    /// Made, not running its program yet.
    Created,
    /// Running.
    Running,
    /// Ended.
    Exited(Exit),
}

/// One process of a container, as the runtime knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProcessStatus {
    /// Its name.
    pub id: ProcessId,
    /// Its pid on the host, while it lives and where the runtime tells it.
    pub pid: Option<u32>,
    /// Where it is in its life.
    pub state: ProcessState,
    /// Whether it has a terminal.
    pub terminal: bool,
    /// The host's uid that owns its streams.
    pub stream_owner: u32,
    /// Its program and arguments.
    pub args: Vec<String>,
    /// Where its streams were placed, where the runtime tells it.
    #[serde(default)]
    pub stdio: Option<Stdio>,
}

impl ProcessStatus {
    /// A process that was just made.
    pub fn new(id: ProcessId, args: Vec<String>) -> Self {
        ProcessStatus {
            id,
            pid: None,
            state: ProcessState::Created,
            terminal: false,
            stream_owner: 0,
            args,
            stdio: None,
        }
    }

    /// Its exit, once it has ended.
    pub fn exit(&self) -> Option<&Exit> {
        match &self.state {
            ProcessState::Exited(exit) => Some(exit),
            _ => None,
        }
    }
}

/// One container, as the runtime knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ContainerStatus {
    /// Its name.
    pub id: ContainerId,
    /// Which creation under that name.
    pub instance: Instance,
    /// Which start of it, 0 before the first.
    pub run: Run,
    /// Where it is in its life.
    pub state: ContainerState,
    /// Its bundle directory.
    pub bundle: PathBuf,
    /// When it was created.
    pub created_at: SystemTime,
    /// When its program was last started.
    pub started_at: Option<SystemTime>,
    /// Its processes: init first, then execs in the order of their start; an ended exec may be left out.
    pub processes: Vec<ProcessStatus>,
}

impl ContainerStatus {
    /// A container that is being made at `created_at`.
    pub fn new(id: ContainerId, instance: Instance, bundle: PathBuf, created_at: SystemTime) -> Self {
        ContainerStatus {
            id,
            instance,
            run: Run(0),
            state: ContainerState::Creating,
            bundle,
            created_at,
            started_at: None,
            processes: Vec::new(),
        }
    }

    /// One of its processes.
    pub fn process(&self, id: &ProcessId) -> Option<&ProcessStatus> {
        self.processes.iter().find(|process| process.id == *id)
    }

    /// Its first process.
    pub fn init(&self) -> Option<&ProcessStatus> {
        self.processes.iter().find(|process| process.id.is_init())
    }

    /// The exit of its first process, once that has ended.
    pub fn exit(&self) -> Option<&Exit> {
        self.init().and_then(ProcessStatus::exit)
    }
}
