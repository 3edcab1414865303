//! The mounts of a container as the child carries them out: resolved, allocated, in order.
//!
//! The spec's list becomes [`Act`]s. What is one line there can be several steps here (every cgroup
//! hierarchy, a bind with what must be hidden in it), but the order is the spec's.
//! Decision: sources of binds are the caller's and are looked up on the host; places are the image's
//! and are only ever looked up inside the root.

mod cover;
mod options;
mod planning;

use std::ffi::CString;

use crate::sys::MountAttributes;

pub(crate) use cover::{covers_below, resolve as resolve_covers};
pub(crate) use options::{private, propagation, slave};
pub(crate) use planning::{Planned, check, inside, plan};

/// A place inside the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Relative to the root, without `.` and `..`; `.` is the root itself.
    pub(crate) path: CString,
    /// Whether symbolic links may be passed on the way, always inside the root.
    pub(crate) links: bool,
    /// Whether a missing one is made as a directory or as an empty file.
    pub(crate) directory: bool,
}

/// One step on the mount table.
#[derive(Debug)]
pub(crate) enum Act {
    /// Mounts a new file system.
    FileSystem(FileSystem),
    /// Mounts a part of the host.
    Bind(Bind),
    /// Mounts every hierarchy of version 1 below a small file system.
    Hierarchies(Hierarchies),
    /// Changes a mount that is there.
    Change {
        /// Where it is.
        place: Place,
        /// What changes.
        attributes: MountAttributes,
        /// Whether mounts below change too.
        recursive: bool,
    },
    /// Hides a directory, if it is there.
    Cover(Place),
}

/// A file system to be made.
#[derive(Debug)]
pub(crate) struct FileSystem {
    /// Its type.
    pub(crate) kind: CString,
    /// Parameters of its superblock; a flag has no value.
    pub(crate) parameters: Vec<(CString, Option<CString>)>,
    /// `MOUNT_ATTR_*`.
    pub(crate) attributes: u64,
    /// `MS_*` propagation; 0 leaves it as it is.
    pub(crate) propagation: u64,
    /// Where it goes.
    pub(crate) place: Place,
    /// Whether the default devices are made in it.
    pub(crate) devices: bool,
}

/// A part of the host to be mounted.
#[derive(Debug)]
pub(crate) struct Bind {
    /// On the host.
    pub(crate) source: CString,
    /// With all mounts below it.
    pub(crate) recursive: bool,
    /// What changes on the mount itself.
    pub(crate) attributes: MountAttributes,
    /// What changes on it and all below it.
    pub(crate) recursive_attributes: MountAttributes,
    /// Where it goes.
    pub(crate) place: Place,
}

/// The hierarchies of version 1 (and the unified one of a hybrid host).
#[derive(Debug)]
pub(crate) struct Hierarchies {
    /// Where their directory goes.
    pub(crate) place: Place,
    /// `MOUNT_ATTR_*` of each.
    pub(crate) attributes: u64,
    /// Each hierarchy's directory, type and choosing options.
    pub(crate) mounts: Vec<HierarchyMount>,
    /// Links from a controller's name to its hierarchy's directory.
    pub(crate) links: Vec<(CString, CString)>,
}

/// One hierarchy to be mounted.
#[derive(Debug)]
pub(crate) struct HierarchyMount {
    /// Its directory's name.
    pub(crate) name: CString,
    /// `cgroup` or `cgroup2`.
    pub(crate) kind: CString,
    /// What chooses it.
    pub(crate) parameters: Vec<(CString, Option<CString>)>,
}

impl Place {
    /// A place whose way may pass links inside the root.
    pub(crate) fn of(path: CString, directory: bool) -> Self {
        Self { path, links: true, directory }
    }

    /// A place of our own, where every link is refused.
    pub(crate) fn own(path: CString, directory: bool) -> Self {
        Self { path, links: false, directory }
    }
}
