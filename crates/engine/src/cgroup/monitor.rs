//! The place of monitors: beside the containers, outside of every container's limits.
//!
//! Monitors of all containers share one leaf below the parent, `monitors`, in the unified hierarchy,
//! and the parent itself in those of version 1. So a service manager that kills its own cgroup does
//! not reach them, a container's limits do not count them, and a container's cgroup can be removed
//! while its monitor still runs.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::directory::Directory;
use super::{CgroupPlace, place, removal};
use crate::error::Error;
use crate::host::{Hierarchy, Host, Kind};

/// The leaf that all monitors below one parent share.
const MONITORS: &str = "monitors";

/// Moves the calling process, which must have one thread, out of its caller's cgroups into those for
/// monitors below the place's parent; `false` where it may not.
///
/// In the unified hierarchy the move waits for a grace period of the kernel (about 10 ms); a process
/// that was cloned into [`monitor_birthplace`] is there already and does not wait.
///
/// # Errors
/// [`Error::Cgroup`] where it may and the kernel refuses for another reason.
pub fn adopt_monitor_place(host: &Host, place: &CgroupPlace) -> Result<bool, Error> {
    place.check()?;
    for hierarchy in &host.hierarchies {
        let moved = match place::open_parent(hierarchy, &place.parent, true) {
            Ok(Some(parent)) => move_into(&parent, hierarchy, place),
            Ok(None) => Ok(false),
            Err(error) => may_not(error),
        };
        if !moved? {
            return Ok(false);
        }
    }
    Ok(!host.hierarchies.is_empty())
}

/// Opens the directory that a monitor can be cloned into (`CLONE_INTO_CGROUP`), so that it need not
/// move there; `None` where the host has no unified hierarchy or we may not.
///
/// # Errors
/// [`Error::Cgroup`] where we may and the kernel refuses for another reason.
pub fn monitor_birthplace(host: &Host, place: &CgroupPlace) -> Result<Option<OwnedFd>, Error> {
    place.check()?;
    let unified = host.hierarchies.iter().find(|hierarchy| hierarchy.kind == Kind::Unified);
    let Some(unified) = unified else { return Ok(None) };
    let made = place::open_parent(unified, &place.parent, true).and_then(|parent| match parent {
        Some(parent) => place::create_leaf(&parent, MONITORS).map(Some),
        None => Ok(None),
    });
    match made {
        Ok(monitors) => Ok(monitors.map(OwnedFd::from)),
        Err(error) => may_not(error).map(|_| None),
    }
}

fn move_into(parent: &Directory, hierarchy: &Hierarchy, place: &CgroupPlace) -> Result<bool, Error> {
    // For a single thread `tasks` does what `cgroup.procs` does, without the wait for a grace period.
    let written = match hierarchy.kind {
        Kind::V1 => parent.set("tasks", "0"),
        Kind::Unified if is_in(&format!("{}/{MONITORS}", place.parent)) => Ok(()),
        Kind::Unified => place::create_leaf(parent, MONITORS).and_then(|monitors| monitors.set("cgroup.procs", "0")),
    };
    match written {
        Ok(()) => Ok(true),
        Err(error) => may_not(error),
    }
}

/// Whether the calling process is in that cgroup of the unified hierarchy.
fn is_in(path: &str) -> bool {
    let cgroups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    cgroups.lines().any(|line| line.strip_prefix("0::") == Some(path))
}

/// Tells a lack of permission from a failure.
fn may_not(error: Error) -> Result<bool, Error> {
    const REFUSALS: [Errno; 3] = [Errno::ACCESS, Errno::PERM, Errno::ROFS];
    match &error {
        Error::Cgroup { source, .. }
            if REFUSALS.iter().any(|errno| source.raw_os_error() == Some(errno.raw_os_error())) =>
        {
            Ok(false)
        }
        _ => Err(error),
    }
}

/// Removes a parent of containers' cgroups from every hierarchy if nothing is in it any more; tells
/// whether it is gone everywhere.
///
/// # Errors
/// [`Error::Invalid`] where the parent is no absolute path.
pub fn remove_parent(host: &Host, parent: &str) -> Result<bool, Error> {
    let mut gone = true;
    for hierarchy in &host.hierarchies {
        let Some((above, name)) = place::open_above(hierarchy, parent)? else {
            continue;
        };
        if let Some(directory) = above.open(&name)? {
            let _ = directory.remove(MONITORS);
            gone &= directory.children()?.is_empty() && removal::remove_empty(&above, &name)?;
        }
    }
    Ok(gone)
}
