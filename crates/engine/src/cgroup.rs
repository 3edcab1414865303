//! One container's cgroup in all hierarchies of the host.
//!
//! Limits are on the container's directory; its processes are in leaves below (`init`, `exec-7`), which
//! exist where processes are tracked: in the unified hierarchy, else in the freezer's, else nowhere.
//! In the other hierarchies of version 1 all processes share the container's directory.
//! Decision: hybrid hosts are tracked by the unified hierarchy, for `cgroup.kill`, `cgroup.freeze` and
//! `cgroup.events`, though it limits nothing there.
//! Keeps: a cgroup that was not made completely leaves nothing behind.

mod counters;
mod devices;
mod directory;
mod limits;
mod listing;
mod monitor;
mod place;
mod processes;
mod removal;
mod state;
mod v1;
mod v2;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use oci_spec::runtime::LinuxResources;
use rustix::fs::OFlags;

use crate::error::Error;
use crate::host::{Hierarchy, Host, Kind};
use directory::Directory;

pub use counters::Counters;
pub use listing::cgroups_below;
pub use monitor::{adopt_monitor_place, monitor_birthplace, remove_parent};
pub use place::CgroupPlace;

/// One container's cgroup in all hierarchies, held by descriptors.
#[derive(Debug)]
pub struct Cgroup {
    name: String,
    parts: Vec<Part>,
}

/// A cgroup below a container's, for one process and its children.
#[derive(Debug)]
pub struct Leaf {
    name: String,
    /// Its directory and hierarchy, `None` where nothing tracks processes.
    tracked: Option<(Kind, Directory)>,
}

/// A container's directory in one hierarchy.
#[derive(Debug)]
struct Part {
    hierarchy: Arc<Hierarchy>,
    parent: Directory,
    directory: Directory,
}

/// The leaf of the container's first process.
pub(crate) const INIT_LEAF: &str = "init";
/// A leaf that is never killed, frozen or listed: the monitor's, where a caller makes one.
const MONITOR_LEAF: &str = "monitor";

impl Cgroup {
    /// Makes the cgroup in every hierarchy, writes the limits and reads them back.
    ///
    /// # Errors
    /// [`Error::Unsupported`] names a limit that this host does not have; [`Error::LimitNotKept`] one
    /// that the kernel changed; [`Error::Cgroup`] where one of that name is there already. What was
    /// made is removed again.
    pub fn create(host: &Host, place: &CgroupPlace, resources: Option<&LinuxResources>) -> Result<Cgroup, Error> {
        place.check()?;
        let mut cgroup = Cgroup { name: place.name.clone(), parts: Vec::with_capacity(host.hierarchies.len()) };
        let made = cgroup.make(host, place).and_then(|()| cgroup.limit(host, resources));
        match made {
            Ok(()) => Ok(cgroup),
            Err(error) => {
                let _ = cgroup.remove();
                Err(error)
            }
        }
    }

    /// Opens what another process made; `None` where nothing is there.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where it is there and cannot be opened.
    pub fn open(host: &Host, place: &CgroupPlace) -> Result<Option<Cgroup>, Error> {
        place.check()?;
        let mut parts = Vec::new();
        for hierarchy in &host.hierarchies {
            let Some(parent) = place::open_parent(hierarchy, &place.parent, false)? else {
                continue;
            };
            if let Some(directory) = parent.open(&place.name)? {
                parts.push(Part { hierarchy: Arc::clone(hierarchy), parent, directory });
            }
        }
        let name = place.name.clone();
        Ok((!parts.is_empty()).then_some(Cgroup { name, parts }))
    }

    /// Makes or opens a cgroup below this one: `init`, `exec-7`.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where it cannot be made, [`Error::Invalid`] where the name is no plain name.
    pub fn leaf(&self, name: &str) -> Result<Leaf, Error> {
        check_leaf(name)?;
        let tracked = match self.leaf_holder() {
            Some(part) => {
                let directory = place::create_leaf(&part.directory, name)?;
                Some((part.hierarchy.kind, directory))
            }
            None => None,
        };
        Ok(Leaf { name: name.to_owned(), tracked })
    }

    /// Removes one leaf, which must have no processes left; nothing where there is no such leaf.
    ///
    /// # Errors
    /// [`Error::CgroupBusy`] where processes stay for five seconds.
    pub fn remove_leaf(&self, name: &str) -> Result<(), Error> {
        check_leaf(name)?;
        match self.leaf_holder() {
            Some(part) => removal::remove_tree(&part.directory, name),
            None => Ok(()),
        }
    }

    /// Removes all directories of the container, in every hierarchy; what is gone already is fine.
    /// Waits for dying processes, at most five seconds a hierarchy.
    ///
    /// # Errors
    /// [`Error::CgroupBusy`] where processes stay.
    pub fn remove(&self) -> Result<(), Error> {
        let removed = self.parts.iter().map(|part| removal::remove_tree(&part.parent, &self.name));
        removed.fold(Ok(()), Result::and)
    }

    /// Opens what a process must write `0` to in order to enter the hierarchies that a clone cannot
    /// put it into; the leaf takes the place of the container's directory where it has one.
    pub(crate) fn entrances(&self, leaf: &Leaf) -> Result<Vec<OwnedFd>, Error> {
        let mut entrances = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            if part.hierarchy.kind == Kind::Unified {
                continue;
            }
            let directory = match &leaf.tracked {
                Some((Kind::V1, directory)) if part.hierarchy.controls("freezer") => directory,
                _ => &part.directory,
            };
            let entrance = directory.file("tasks", OFlags::WRONLY);
            entrances.push(entrance.map_err(|errno| directory.failed("open", "tasks", errno))?);
        }
        Ok(entrances)
    }

    fn make(&mut self, host: &Host, place: &CgroupPlace) -> Result<(), Error> {
        for hierarchy in &host.hierarchies {
            let parent = place::open_parent(hierarchy, &place.parent, true)?;
            let parent = parent.ok_or_else(|| Error::invalid("cgroup parent", "it is not there"))?;
            let directory = place::create_new(hierarchy, &parent, &place.name)?;
            self.parts.push(Part { hierarchy: Arc::clone(hierarchy), parent, directory });
        }
        Ok(())
    }

    fn limit(&self, host: &Host, resources: Option<&LinuxResources>) -> Result<(), Error> {
        let spec_rules = resources.and_then(|resources| resources.devices().as_deref());
        let rules = devices::rules(spec_rules.unwrap_or_default())?;
        if let Some(part) = self.part_with("devices") {
            devices::write(&rules, &part.directory)?;
        } else if let Some(part) = self.unified() {
            devices::attach(&rules, &part.directory)?;
        } else {
            return Err(Error::unsupported("linux.resources.devices"));
        }
        let Some(resources) = resources else {
            return Ok(());
        };
        let unified_only = host.is_unified_only();
        let limits = if unified_only { v2::limits(resources)? } else { v1::limits(resources)? };
        for limit in limits {
            let part = if unified_only { self.unified() } else { self.part_with(limit.controller) };
            let part = part.ok_or_else(|| Error::unsupported(&limit.field))?;
            limit.apply(&part.directory)?;
        }
        Ok(())
    }

    fn part_with(&self, controller: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.hierarchy.controls(controller))
    }

    fn unified(&self) -> Option<&Part> {
        self.parts.iter().find(|part| part.hierarchy.kind == Kind::Unified)
    }

    /// The directory that leaves are made in.
    fn leaf_holder(&self) -> Option<&Part> {
        self.unified().or_else(|| self.part_with("freezer"))
    }

    /// The directory by which the container's processes are known.
    fn tracker(&self) -> Option<&Part> {
        self.leaf_holder().or_else(|| self.parts.first())
    }
}

impl Leaf {
    /// The leaf's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cgroup that a process can be born in.
    pub(crate) fn birthplace(&self) -> Option<BorrowedFd<'_>> {
        match &self.tracked {
            Some((Kind::Unified, directory)) => Some(directory.as_fd()),
            _ => None,
        }
    }
}

fn check_leaf(name: &str) -> Result<(), Error> {
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-_".contains(&letter);
    if name.is_empty() || name.len() > 200 || !name.bytes().all(plain) {
        return Err(Error::invalid("leaf", "it is not a plain name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
