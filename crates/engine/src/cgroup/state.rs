//! Looking at a container's processes as a whole, and acting on all of them: kill, freeze, count.
//!
//! Each act goes over the leaves, never over the container's directory itself, so that a leaf for the
//! monitor is left out of all of them.
//! Keeps: a fork bomb dies in one act (C-52).

use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::directory::Directory;
use super::{Cgroup, MONITOR_LEAF, check_leaf, processes};
use crate::error::Error;
use crate::host::Kind;

/// Longest time to stop all processes.
const FREEZE_BOUND: Duration = Duration::from_secs(10);

impl Cgroup {
    /// Lists every process of the container, in the caller's pid namespace, once each.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where it cannot be read.
    pub fn pids(&self) -> Result<Vec<u32>, Error> {
        let mut pids = Vec::new();
        for leaf in self.leaves()? {
            pids.extend(processes::list(&leaf)?);
        }
        pids.sort_unstable();
        pids.dedup();
        Ok(pids)
    }

    /// Kills every process of the container. The signal is sent when this returns; the processes'
    /// ends are told by their pidfds.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where the kernel refuses.
    pub fn kill(&self) -> Result<(), Error> {
        for leaf in self.leaves()? {
            processes::kill(&leaf)?;
        }
        Ok(())
    }

    /// Lists the processes of one leaf; none where there is no such leaf.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where it cannot be read.
    pub fn leaf_pids(&self, name: &str) -> Result<Vec<u32>, Error> {
        match self.open_leaf(name)? {
            Some(leaf) => processes::list(&leaf),
            None => Ok(Vec::new()),
        }
    }

    /// Kills the processes of one leaf; nothing where there is no such leaf.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where the kernel refuses.
    pub fn kill_leaf(&self, name: &str) -> Result<(), Error> {
        match self.open_leaf(name)? {
            Some(leaf) => processes::kill(&leaf),
            None => Ok(()),
        }
    }

    /// Kills the processes of one leaf and waits until none is left, at most for `bound`; `false` when some are left.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where the kernel refuses.
    pub fn end_leaf(&self, name: &str, bound: Duration) -> Result<bool, Error> {
        let Some(leaf) = self.open_leaf(name)? else { return Ok(true) };
        let deadline = Instant::now() + bound;
        processes::kill(&leaf)?;
        while !processes::list(&leaf)?.is_empty() {
            if !processes::wait_for_change(&leaf, deadline) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Tells whether the container has any process.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where it cannot be read.
    pub fn is_populated(&self) -> Result<bool, Error> {
        for leaf in self.leaves()? {
            let populated = match leaf.read("cgroup.events")? {
                Some(events) => field(&events, "populated") == Some(1),
                None => !processes::list(&leaf)?.is_empty(),
            };
            if populated {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Stops all processes of the container; they are stopped when this returns.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where the kernel refuses or does not get it done in ten seconds;
    /// [`Error::Unsupported`] where the host has no freezer.
    pub fn freeze(&self) -> Result<(), Error> {
        self.set_frozen(true)
    }

    /// Lets the processes go on.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where the kernel refuses; [`Error::Unsupported`] where the host has no freezer.
    pub fn thaw(&self) -> Result<(), Error> {
        self.set_frozen(false)
    }

    /// Counts the processes that were killed because memory was short; 0 where nothing counts them.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where it cannot be read.
    pub fn oom_kills(&self) -> Result<u64, Error> {
        let (part, file) = match self.part_with("memory") {
            Some(part) => (Some(part), "memory.oom_control"),
            None => (self.unified(), "memory.events"),
        };
        let Some(part) = part else { return Ok(0) };
        let text = part.directory.read(file)?.unwrap_or_default();
        Ok(field(&text, "oom_kill").unwrap_or(0))
    }

    fn set_frozen(&self, frozen: bool) -> Result<(), Error> {
        let deadline = Instant::now() + FREEZE_BOUND;
        let kind = self.leaf_holder().map(|part| part.hierarchy.kind);
        let kind = kind.ok_or_else(|| Error::unsupported("pause"))?;
        let leaves = self.leaves()?;
        for leaf in &leaves {
            match kind {
                Kind::Unified => leaf.set("cgroup.freeze", if frozen { "1" } else { "0" })?,
                Kind::V1 => leaf.set("freezer.state", if frozen { "FROZEN" } else { "THAWED" })?,
            }
        }
        for leaf in leaves.iter().filter(|_| frozen) {
            await_frozen(leaf, deadline)?;
        }
        Ok(())
    }

    /// The directories that have the container's processes, without a monitor's.
    fn leaves(&self) -> Result<Vec<Directory>, Error> {
        let Some(part) = self.tracker() else {
            return Ok(Vec::new());
        };
        if self.leaf_holder().is_none() {
            // Nothing tracks leaves: the directory itself is the one.
            return Ok(part.parent.open(&self.name)?.into_iter().collect());
        }
        let mut leaves = Vec::new();
        for name in part.directory.children()? {
            if name != MONITOR_LEAF {
                leaves.extend(part.directory.open(&name)?);
            }
        }
        Ok(leaves)
    }

    fn open_leaf(&self, name: &str) -> Result<Option<Directory>, Error> {
        check_leaf(name)?;
        match self.leaf_holder() {
            Some(part) => part.directory.open(name),
            None => Ok(None),
        }
    }
}

fn await_frozen(leaf: &Directory, deadline: Instant) -> Result<(), Error> {
    loop {
        let frozen = match leaf.read("cgroup.events")? {
            Some(events) => field(&events, "frozen") == Some(1),
            None => leaf.read("freezer.state")?.is_none_or(|state| state.trim() == "FROZEN"),
        };
        if frozen {
            return Ok(());
        }
        if !processes::wait_for_change(leaf, deadline) {
            return Err(leaf.failed("freeze", "", Errno::TIMEDOUT));
        }
    }
}

/// The number behind a name in a file of `name number` lines.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| value.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_found_by_its_whole_name() {
        let text = "low 0\noom 3\noom_kill 2\noom_group_kill 7\n";
        assert_eq!(field(text, "oom_kill"), Some(2));
        assert_eq!(field(text, "oom_"), None);
        assert_eq!(field("", "oom_kill"), None);
    }
}
