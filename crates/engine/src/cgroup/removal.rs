//! Taking a cgroup's directories away, from the leaves up, in one hierarchy.
//!
//! A directory with a process in it answers `EBUSY`; then its next event is awaited, within a bound.
//! Decision: nothing is killed here. Who removes has killed before, and sees `CgroupBusy` if not.

use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::directory::Directory;
use super::processes;
use crate::error::Error;

/// Longest wait for dying processes.
const BOUND: Duration = Duration::from_secs(5);

/// Removes the directory `name` below `parent` with everything in it.
pub(crate) fn remove_tree(parent: &Directory, name: &str) -> Result<(), Error> {
    remove_until(parent, name, Instant::now() + BOUND)
}

fn remove_until(parent: &Directory, name: &str, deadline: Instant) -> Result<(), Error> {
    match parent.remove(name) {
        Ok(()) => return Ok(()),
        Err(Errno::BUSY | Errno::NOTEMPTY) => {}
        Err(errno) => return Err(parent.failed("remove", name, errno)),
    }
    let Some(directory) = parent.open(name)? else {
        return Ok(());
    };
    for child in directory.children()? {
        remove_until(&directory, &child, deadline)?;
    }
    remove_when_empty(parent, name, &directory, deadline)
}

fn remove_when_empty(parent: &Directory, name: &str, directory: &Directory, deadline: Instant) -> Result<(), Error> {
    loop {
        match parent.remove(name) {
            Ok(()) => return Ok(()),
            Err(Errno::BUSY) if processes::wait_for_change(directory, deadline) => {}
            Err(Errno::BUSY) => {
                return Err(Error::CgroupBusy { path: directory.path().to_owned() });
            }
            Err(errno) => return Err(parent.failed("remove", name, errno)),
        }
    }
}

/// Removes an empty directory; `false` where something is in it.
pub(crate) fn remove_empty(parent: &Directory, name: &str) -> Result<bool, Error> {
    match parent.remove(name) {
        Ok(()) => Ok(true),
        Err(Errno::BUSY | Errno::NOTEMPTY) => Ok(false),
        Err(errno) => Err(parent.failed("remove", name, errno)),
    }
}
