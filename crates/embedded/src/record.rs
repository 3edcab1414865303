//! What a container's journal says: one entry a fact, in the order in which they became true.
//!
//! The monitor appends an entry before anybody is told of the fact; every entry has a sequence number that is never
//! used again, and the entries that are events carry it as the event's identity. What holds now is what [`History`]
//! makes of all of them. Entries of a version that is not known are an error; unknown fields are left alone.
//!
//! Does not know: sockets, processes, where the journal is.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use libcontainerd_core::event::{Event, EventKind};
use libcontainerd_core::ports::runtime::Removal;
use libcontainerd_core::process::{LeftOvers, User};
use libcontainerd_core::rootfs::Rootfs;
use libcontainerd_core::stdio::Endpoints;
use libcontainerd_core::{ContainerId, Exit, Instance, ProcessId, Run};
use serde::{Deserialize, Serialize};

pub(crate) use history::{History, ProcessHistory};

mod history;

/// The highest version of entries that this build writes and reads; an entry has the lowest that it needs.
pub(crate) const VERSION: u32 = 2;

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Version of the format.
    pub(crate) v: u32,
    /// Position, rising, never used again.
    pub(crate) seq: u64,
    /// When it became true.
    pub(crate) at: SystemTime,
    /// What became true.
    pub(crate) fact: Fact,
}

/// What can become true of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fact {
    /// Somebody began to make it. Always the first.
    Creating(Box<Creating>),
    /// It is made; its init waits at the gate.
    Created(Process),
    /// Its init was let through the gate; whether its program runs will be seen.
    Released,
    /// Its init runs its program.
    Started {
        /// Which start.
        run: Run,
    },
    /// Its init could not run its program.
    NotStarted,
    /// A further process was made; it waits at the gate.
    ExecCreated(Process),
    /// It runs its program.
    ExecStarted {
        /// Its name.
        process: ProcessId,
    },
    /// It could not run its program, and is gone without a trace.
    ExecFailed {
        /// Its name.
        process: ProcessId,
    },
    /// The stdin of a process was closed.
    StdinClosed {
        /// Its name.
        process: ProcessId,
    },
    /// A monitor that took over holds a process by these numbers.
    Kept {
        /// Its name.
        process: ProcessId,
        /// The numbers, instead of those before.
        descriptors: Descriptors,
    },
    /// The time of a process is up: it is killed from now on.
    TimeUp {
        /// Its name.
        process: ProcessId,
    },
    /// The program whose life it is bound to is gone: it is killed from now on, and removed.
    OwnerGone,
    /// A process ended.
    Exited {
        /// Its name.
        process: ProcessId,
        /// How.
        exit: Exit,
    },
    /// The kernel killed a process for want of memory.
    Oom,
    /// All processes are frozen.
    Paused,
    /// They go on.
    Resumed,
    /// What the kernel held for it (cgroups) is gone; the streams may still be read.
    Cleaned,
    /// It is gone.
    Deleted,
}

/// What a container is, from the request that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Creating {
    /// Its name.
    pub(crate) id: ContainerId,
    /// Which creation under that name.
    pub(crate) instance: Instance,
    /// Its bundle's directory.
    pub(crate) bundle: PathBuf,
    /// Its root file system.
    pub(crate) rootfs: Rootfs,
    /// The kernel's boot that its pids belong to.
    pub(crate) boot: String,
    /// Parent directory of its cgroup in every hierarchy.
    pub(crate) cgroup_parent: String,
    /// Its cgroup in there.
    pub(crate) cgroup_name: String,
    /// Who its processes run as, instead of the spec's user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<User>,
    /// How long it lasts.
    #[serde(default, skip_serializing_if = "Lifetime::is_plain")]
    pub(crate) lifetime: Lifetime,
}

/// How long a container lasts, beyond what its clients ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lifetime {
    /// The program whose life it is bound to.
    #[serde(default)]
    pub(crate) owner: Option<Owner>,
    /// Who removes it once it has ended.
    #[serde(default)]
    pub(crate) removal: Removal,
}

/// A program that a container is bound to, for longer than its pid is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    /// Its pid on the host.
    pub(crate) pid: u32,
    /// When it was made, in the kernel's clock ticks since boot.
    pub(crate) start_time: u64,
}

/// A process that was made, with what is needed to take it over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    /// Its name.
    pub(crate) id: ProcessId,
    /// Number of the exec, 0 for init: names its cgroup leaf.
    pub(crate) number: u64,
    /// Its pid on the host.
    pub(crate) pid: u32,
    /// When it was made, in the kernel's clock ticks since boot: with pid and boot its identity.
    pub(crate) start_time: u64,
    /// The uid that owns its streams.
    pub(crate) stream_owner: u32,
    /// Its program and arguments.
    pub(crate) args: Vec<String>,
    /// Its streams.
    pub(crate) endpoints: Endpoints,
    /// Numbers of its descriptors in the table that monitor and witness share.
    pub(crate) descriptors: Descriptors,
    /// How it is bounded.
    #[serde(default, skip_serializing_if = "Bounds::is_none")]
    pub(crate) bounds: Bounds,
}

/// How a process is bounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bounds {
    /// When its time is up, on the kernel's monotonic clock, which no one sets.
    #[serde(default)]
    pub(crate) deadline: Option<Duration>,
    /// What becomes of what it leaves running.
    #[serde(default)]
    pub(crate) left_overs: LeftOvers,
}

/// Numbers in the shared table. A later entry that names the same number takes it over; what a successor finds open
/// and not named here, it closes. A number is closed only after the entry that makes it superfluous.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Descriptors {
    /// The process itself.
    pub(crate) pidfd: Option<i32>,
    /// Keeper of its stdin: the end that is written.
    pub(crate) stdin: Option<i32>,
    /// The end of its stdin that is read, where that is relayed to a terminal.
    #[serde(default)]
    pub(crate) stdin_source: Option<i32>,
    /// Keeper of its stdout: the end that is read.
    pub(crate) stdout: Option<i32>,
    /// Keeper of its stdout: the end that is written, until the process has ended.
    #[serde(default)]
    pub(crate) stdout_sink: Option<i32>,
    /// Keeper of its stderr: the end that is read.
    pub(crate) stderr: Option<i32>,
    /// Keeper of its stderr: the end that is written, until the process has ended.
    #[serde(default)]
    pub(crate) stderr_sink: Option<i32>,
    /// Master of its terminal.
    pub(crate) terminal: Option<i32>,
    /// The lock of the reader of its live output, from when that is kept because nobody has read it.
    #[serde(default)]
    pub(crate) reader_lock: Option<i32>,
    /// What lets it go on to its program, until it has.
    #[serde(default)]
    pub(crate) gate: Option<i32>,
    /// What tells how its start goes, until it has started.
    #[serde(default)]
    pub(crate) report: Option<i32>,
}

impl Lifetime {
    /// Whether it lasts until somebody asks for its removal.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Lifetime::default()
    }
}

impl Bounds {
    /// Whether it is not bounded at all.
    pub(crate) fn is_none(&self) -> bool {
        *self == Bounds::default()
    }
}

impl Fact {
    /// The first version that knows it: a program of an older one must not go on as if it were not there.
    fn version(&self) -> u32 {
        match self {
            Fact::Creating(creating) if !creating.lifetime.is_plain() => 2,
            Fact::Created(process) | Fact::ExecCreated(process) if !process.bounds.is_none() => 2,
            Fact::TimeUp { .. } | Fact::OwnerGone => 2,
            _ => 1,
        }
    }
}

impl Entry {
    /// The entry that tells a fact.
    pub(crate) fn new(seq: u64, at: SystemTime, fact: Fact) -> Entry {
        Entry { v: fact.version(), seq, at, fact }
    }

    /// The entry as the journal's payload.
    ///
    /// # Errors
    /// Only where the type cannot be written as JSON, which is a mistake of ours.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// When it is no entry, or one of a later version.
    pub(crate) fn decode(payload: &[u8]) -> Result<Entry, serde_json::Error> {
        let version = serde_json::from_slice::<Version>(payload)?.v;
        if version > VERSION {
            return Err(serde::de::Error::custom(format_args!(
                "the journal is of version {version}, and this program reads up to {VERSION}: use the newer one"
            )));
        }
        serde_json::from_slice(payload)
    }

    /// The event that it is, for a container of which `history` is known up to and including it.
    pub(crate) fn event(&self, history: &History) -> Option<Event> {
        let kind = match &self.fact {
            Fact::Created(_) => EventKind::Created,
            Fact::Started { .. } => EventKind::Started { pid: history.init()?.made.pid },
            Fact::ExecStarted { process } => {
                EventKind::ExecStarted { process: process.clone(), pid: history.process(process)?.made.pid }
            }
            Fact::Exited { process, exit } => EventKind::Exited { process: process.clone(), exit: exit.clone() },
            Fact::Oom => EventKind::Oom,
            Fact::Paused => EventKind::Paused,
            Fact::Resumed => EventKind::Resumed,
            Fact::Deleted => EventKind::Deleted,
            _ => return None,
        };
        let what = &history.creating;
        Some(Event::new(what.id.clone(), what.instance, history.run, self.seq, self.at, kind))
    }
}

/// Just enough of an entry to see whether the rest can be understood.
#[derive(Deserialize)]
struct Version {
    v: u32,
}
