//! What the client is asked: requests of the operations that take more than a name.
//!
//! Values with public fields and a constructor for what has no default; a further field breaks no caller.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use oci_spec::runtime::Spec;

use crate::cursor::Cursor;
use crate::error::Result;
use crate::id::Instance;
use crate::ports::runtime::{Lease, Removal};
use crate::process::User;
use crate::rootfs::Rootfs;
use crate::signal::Signal;
use crate::status::{ContainerStatus, Exit};
use crate::stdio::Stdio;

/// A container to make.
#[non_exhaustive]
pub struct NewContainer {
    /// What to run and how; its `root` is set from `rootfs` and is not looked at.
    pub spec: Spec,
    /// The root file system, absolute.
    pub rootfs: Rootfs,
    /// Instead of the spec's user.
    pub user: Option<User>,
    /// The streams of the first process; their terminal decides, not the spec's.
    pub stdio: Stdio,
    /// What becomes of the live streams.
    pub attach: Attach,
    /// Whose life it is bound to.
    pub lease: Option<Lease>,
    /// Who removes it once it has ended.
    pub removal: Removal,
    /// Changes to all of this, applied in order when the container is created.
    pub options: Vec<Box<dyn CreateOption>>,
}

impl NewContainer {
    /// A container of `spec` on `rootfs` with `stdio`, whose live streams go to the backend.
    pub fn new(spec: Spec, rootfs: Rootfs, stdio: Stdio) -> Self {
        let (lease, removal) = (None, Removal::default());
        NewContainer { spec, rootfs, user: None, stdio, attach: Attach::Streams, lease, removal, options: Vec::new() }
    }

    /// The same with a further option.
    #[must_use]
    pub fn with(mut self, option: impl CreateOption + 'static) -> Self {
        self.options.push(Box::new(option));
        self
    }
}

impl fmt::Debug for NewContainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The spec holds the environment.
        f.debug_struct("NewContainer")
            .field("rootfs", &self.rootfs)
            .field("user", &self.user)
            .field("stdio", &self.stdio)
            .field("attach", &self.attach)
            .field("lease", &self.lease)
            .field("removal", &self.removal)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// What becomes of the live streams of a new container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attach {
    /// They are opened and given to the backend before the program runs.
    #[default]
    Streams,
    /// They are made and left alone, for a later [`Client::attach`](crate::Client::attach).
    Nothing,
}

/// A change to a container that is about to be made.
///
/// # Implementers
/// Called once per create, before anything was made; an error ends the create and is its answer.
pub trait CreateOption: fmt::Debug + Send + Sync {
    /// Changes the request. Options that it adds are applied after all others.
    ///
    /// # Errors
    /// Whatever keeps the option from being honoured: it is never only logged.
    fn apply(&self, container: &mut NewContainer) -> Result<()>;
}

/// How to stop a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stop {
    /// What its first process is told.
    pub signal: Signal,
    /// How long it has to end before everyone is killed.
    pub grace: Duration,
}

impl Default for Stop {
    fn default() -> Self {
        Stop { signal: Signal::TERM, grace: Duration::from_secs(10) }
    }
}

impl Stop {
    /// `signal` first, and KILL for everyone after `grace`.
    pub fn new(signal: Signal, grace: Duration) -> Self {
        Stop { signal, grace }
    }
}

/// Whether a running container may be deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Force {
    /// It is refused.
    #[default]
    No,
    /// Everyone in it is killed first.
    Kill,
}

/// How to delete a container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delete {
    /// Whether a running one may be deleted.
    pub force: Force,
    /// Only if it is this creation under that name.
    pub instance: Option<Instance>,
}

impl Delete {
    /// Deletes it, running or not.
    pub fn killing() -> Self {
        Delete { force: Force::Kill, instance: None }
    }

    /// The same, but only if it is `instance`.
    #[must_use]
    pub fn only(mut self, instance: Instance) -> Self {
        self.instance = Some(instance);
        self
    }
}

/// All containers at one moment, and where their events go on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Sorted by name.
    pub containers: Vec<ContainerStatus>,
    /// For [`Client::watch`](crate::Client::watch).
    pub cursor: Cursor,
}

/// How a process ended, and all that may tell why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Autopsy {
    /// Which creation of its container.
    pub instance: Instance,
    /// Its program and arguments, where they are known.
    pub args: Vec<String>,
    /// Its end: status, how that is known, want of memory, usage and counters.
    pub exit: Exit,
    /// The last of what it complained, or of what its terminal showed: at most 4 KiB, where it was kept.
    pub last_output: Option<Bytes>,
}

/// One line of what runs in a container, as the original's `Summary`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The host's pid.
    pub pid: u32,
    /// The program.
    pub command: String,
}
