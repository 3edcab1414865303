//! The place of monitors: beside the containers, outside of every container's limits.
//!
//! Monitors of all containers share one leaf below the parent, `monitors`, in the unified hierarchy,
//! and the parent itself in those of version 1. So a service manager that kills its own cgroup does
//! not reach them, a container's limits do not count them, and a container's cgroup can be removed
//! while its monitor still runs.

use rustix::io::Errno;

use super::directory::Directory;
use super::{CgroupPlace, place, removal};
use crate::error::Error;
use crate::host::{Host, Kind};

/// The leaf that all monitors below one parent share.
const MONITORS: &str = "monitors";

/// Moves the calling process, which must have one thread, out of its caller's cgroups into those for
/// monitors below the place's parent; `false` where it may not.
///
/// # Errors
/// [`Error::Cgroup`] where it may and the kernel refuses for another reason.
pub fn adopt_monitor_place(host: &Host, place: &CgroupPlace) -> Result<bool, Error> {
    place.check()?;
    for hierarchy in &host.hierarchies {
        let moved = match place::open_parent(hierarchy, &place.parent, true) {
            Ok(Some(parent)) => move_into(&parent, hierarchy.kind),
            Ok(None) => Ok(false),
            Err(error) => may_not(error),
        };
        if !moved? {
            return Ok(false);
        }
    }
    Ok(!host.hierarchies.is_empty())
}

fn move_into(parent: &Directory, kind: Kind) -> Result<bool, Error> {
    // For a single thread `tasks` does what `cgroup.procs` does, without the wait for a grace period.
    let written = match kind {
        Kind::V1 => parent.set("tasks", "0"),
        Kind::Unified => place::create_leaf(parent, MONITORS).and_then(|monitors| monitors.set("cgroup.procs", "0")),
    };
    match written {
        Ok(()) => Ok(true),
        Err(error) => may_not(error),
    }
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
