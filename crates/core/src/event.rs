//! What happens to containers, as runtimes tell it, and what of it the backend is told.
//!
//! Identity of an event is (instance, sequence): the same event told twice carries the same identity, so that
//! whoever has seen it can drop it. Duplicates are possible after a crash, gaps are not.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::id::{ContainerId, Instance, ProcessId, Run};
use crate::status::Exit;

/// One thing that happened to one container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// The container's name.
    pub container: ContainerId,
    /// Which creation under that name.
    pub instance: Instance,
    /// Which start of it.
    pub run: Run,
    /// Position among the events of the instance, rising and never reused; not necessarily without holes.
    pub sequence: u64,
    /// When it happened, by the clock of whoever saw it.
    pub at: SystemTime,
    /// What happened.
    pub kind: EventKind,
}

impl Event {
    /// An event of `kind` at `at`.
    pub fn new(
        container: ContainerId,
        instance: Instance,
        run: Run,
        sequence: u64,
        at: SystemTime,
        kind: EventKind,
    ) -> Self {
        Event { container, instance, run, sequence, at, kind }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventKind {
    /// The container was made; its program waits.
    Created,
    /// Its program was started.
    Started {
        /// The host's pid of its first process.
        pid: u32,
    },
    /// A further process was started.
    ExecStarted {
        /// Its name.
        process: ProcessId,
        /// Its pid on the host.
        pid: u32,
    },
    /// A process ended: `init` is the container's own end.
    Exited {
        /// Its name.
        process: ProcessId,
        /// How it ended.
        exit: Exit,
    },
    /// All processes were frozen.
    Paused,
    /// They go on.
    Resumed,
    /// The kernel killed a process for want of memory.
    Oom,
    /// The container is gone.
    Deleted,
}

/// What the backend is told, in order, one container at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StateChange {
    /// The container's program was started.
    Started {
        /// The host's pid of its first process.
        pid: u32,
    },
    /// A further process was started.
    ProcessStarted {
        /// Its name.
        process: ProcessId,
        /// Its pid on the host.
        pid: u32,
    },
    /// A process other than the first ended; always told before the container's own exit.
    ProcessExited {
        /// Its name.
        process: ProcessId,
        /// How it ended.
        exit: Exit,
    },
    /// The container's first process ended.
    Exited {
        /// How it ended.
        exit: Exit,
    },
    /// All processes were frozen.
    Paused,
    /// They go on.
    Resumed,
    /// The kernel killed a process for want of memory; the next exit carries it too.
    Oom,
    /// The container is gone.
    Deleted,
}
