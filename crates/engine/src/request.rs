//! What a caller asks for: the init process of a container, or one more process in it.
//!
//! Requests borrow everything; [`crate::Plan`] turns them into owned, resolved and allocated form
//! before anything is cloned. A request never carries standard streams of unknown origin: they are
//! the caller's descriptors, or a terminal that the container makes for itself.

use std::fmt;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use oci_spec::runtime::{Process, Spec};

use crate::cgroup::{Cgroup, Leaf};
use crate::identity::UserRequest;

/// Where the container's root file system comes from; it takes the place of the spec's `root.path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// A directory, used as it is.
    Directory(PathBuf),
    /// A directory that the container cannot write to.
    ReadOnly(PathBuf),
    /// A directory that stays as it is below a layer that takes the writes; the overlay exists in
    /// the container's mount namespace only.
    Overlay {
        /// The directory below.
        lower: PathBuf,
        /// Where the writes go.
        upper: Upper,
    },
}

/// The layer of an overlay that takes the writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upper {
    /// A directory in which `work` and `upper` are made; the writes stay when the container is gone.
    /// Where the kernel refuses an upper layer inside its own lower one (a lower layer of `/` on the
    /// same file system), the writes go to memory instead.
    Directory(PathBuf),
    /// Memory, gone with the container.
    Tmpfs {
        /// Most bytes that it may hold; the kernel's default is half of the memory.
        size: Option<u64>,
    },
}

/// Standard input, output and error of a process.
#[derive(Clone, Copy, Debug)]
pub enum Stdio<'fd> {
    /// The caller's descriptors; the engine only duplicates them.
    Descriptors {
        /// Becomes descriptor 0.
        stdin: BorrowedFd<'fd>,
        /// Becomes descriptor 1.
        stdout: BorrowedFd<'fd>,
        /// Becomes descriptor 2.
        stderr: BorrowedFd<'fd>,
    },
    /// A pseudo-terminal of the container's own; its master comes with [`crate::Spawned`].
    Terminal {
        /// Width in characters.
        columns: u16,
        /// Height in lines.
        rows: u16,
    },
}

/// Asks for the first process of a container.
#[derive(Clone)]
pub struct InitRequest<'a> {
    /// What the container is.
    pub spec: &'a Spec,
    /// The bundle's directory; relative paths of the spec start here.
    pub bundle: &'a Path,
    /// The container's id, for the name of its keyring.
    pub id: &'a str,
    /// The root file system.
    pub root: Root,
    /// The user in place of the spec's, if any.
    pub user: Option<&'a UserRequest>,
    /// The standard streams.
    pub stdio: Stdio<'a>,
    /// The container's cgroup.
    pub cgroup: &'a Cgroup,
    /// Host directories that are hidden by an empty read-only file system wherever the root or a
    /// bind mount contains them.
    pub cover: &'a [PathBuf],
}

/// Asks for one more process in a running container.
#[derive(Clone, Copy)]
pub struct ExecRequest<'a> {
    /// What the container is.
    pub spec: &'a Spec,
    /// What the process is.
    pub process: &'a Process,
    /// The user in place of the process's, if any.
    pub user: Option<&'a UserRequest>,
    /// The container's init process, as a pidfd.
    pub init: BorrowedFd<'a>,
    /// The same as a number in the caller's pid namespace.
    pub init_pid: u32,
    /// The standard streams.
    pub stdio: Stdio<'a>,
    /// The cgroup of this process alone.
    pub leaf: &'a Leaf,
    /// The container's cgroup.
    pub cgroup: &'a Cgroup,
}

impl fmt::Debug for InitRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InitRequest")
            .field("id", &self.id)
            .field("bundle", &self.bundle)
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ExecRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecRequest")
            .field("init_pid", &self.init_pid)
            .field("leaf", &self.leaf)
            .finish_non_exhaustive()
    }
}
