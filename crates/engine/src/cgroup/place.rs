//! Where cgroups are: from a parent's path to its directory in one hierarchy.
//!
//! Decision: in the unified hierarchy every directory on the way hands its controllers down, so that
//! limits can be set; in the cpuset hierarchy of version 1 every new directory takes over its parent's
//! CPUs and memory nodes, without which no process could enter.

use rustix::io::Errno;

use super::directory::Directory;
use crate::error::Error;
use crate::host::{Hierarchy, Kind};

/// Where a container's cgroup is, below the mount point of every hierarchy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CgroupPlace {
    /// The directory that holds containers, absolute: `/libcontainerd`.
    pub parent: String,
    /// The container's own directory in it, one path component.
    pub name: String,
}

impl CgroupPlace {
    /// Refuses a place that would reach out of its parent, or out of the hierarchy.
    pub(crate) fn check(&self) -> Result<(), Error> {
        components(&self.parent)?;
        match components(&format!("/{}", self.name))?.len() {
            1 => Ok(()),
            _ => Err(Error::invalid("cgroup name", "it is not one path component")),
        }
    }
}

/// Opens the parent's directory, making it and what is above it if `create`; `None` where it is not
/// there.
pub(crate) fn open_parent(hierarchy: &Hierarchy, parent: &str, create: bool) -> Result<Option<Directory>, Error> {
    let mut directory = top(hierarchy)?;
    for name in components(parent)? {
        if create {
            directory = create_below(hierarchy, &directory, name)?;
            continue;
        }
        match directory.open(name)? {
            Some(next) => directory = next,
            None => return Ok(None),
        }
    }
    if create && hierarchy.kind == Kind::Unified {
        hand_down(&directory)?;
    }
    Ok(Some(directory))
}

/// Opens what is above a path, and gives the path's last component.
pub(crate) fn open_above(hierarchy: &Hierarchy, path: &str) -> Result<Option<(Directory, String)>, Error> {
    let Some((name, above)) = components(path)?.split_last().map(|(name, above)| ((*name).to_owned(), above.join("/")))
    else {
        return Ok(None);
    };
    let above = open_parent(hierarchy, &format!("/{above}"), false)?;
    Ok(above.map(|above| (above, name)))
}

/// Makes a container's directory.
///
/// # Errors
/// [`Error::Cgroup`] with `EEXIST` where there is one.
pub(crate) fn create_new(hierarchy: &Hierarchy, parent: &Directory, name: &str) -> Result<Directory, Error> {
    if !parent.create(name)? {
        return Err(parent.failed("create", name, Errno::EXIST));
    }
    let directory = must_open(parent, name)?;
    if hierarchy.controls("cpuset") {
        take_over_cpuset(parent, &directory)?;
    }
    Ok(directory)
}

/// Makes or opens a leaf below a container's directory.
pub(crate) fn create_leaf(directory: &Directory, name: &str) -> Result<Directory, Error> {
    directory.create(name)?;
    must_open(directory, name)
}

/// Opens a directory on the way to the parent, and makes it first if it is missing.
fn create_below(hierarchy: &Hierarchy, directory: &Directory, name: &str) -> Result<Directory, Error> {
    if let Some(below) = directory.open(name)? {
        return Ok(below);
    }
    if hierarchy.kind == Kind::Unified {
        hand_down(directory)?;
    }
    directory.create(name)?;
    let below = must_open(directory, name)?;
    if hierarchy.controls("cpuset") {
        take_over_cpuset(directory, &below)?;
    }
    Ok(below)
}

fn must_open(directory: &Directory, name: &str) -> Result<Directory, Error> {
    let found = directory.open(name)?;
    found.ok_or_else(|| directory.failed("open", name, Errno::NOENT))
}

fn top(hierarchy: &Hierarchy) -> Result<Directory, Error> {
    let descriptor = hierarchy.directory.try_clone().map_err(|source| Error::Cgroup {
        act: "open",
        path: hierarchy.path.clone(),
        source,
    })?;
    Ok(Directory::new(descriptor, hierarchy.path.clone()))
}

/// Enables every controller of a directory for those below it.
fn hand_down(directory: &Directory) -> Result<(), Error> {
    const ENABLED: &str = "cgroup.subtree_control";
    let has = directory.read("cgroup.controllers")?.unwrap_or_default();
    let enabled = directory.read(ENABLED)?.unwrap_or_default();
    let missing: Vec<_> = has
        .split_whitespace()
        .filter(|controller| !enabled.split_whitespace().any(|other| other == *controller))
        .map(|controller| format!("+{controller}"))
        .collect();
    if missing.is_empty() || directory.write(ENABLED, &missing.join(" ")).is_ok() {
        return Ok(());
    }
    for controller in &missing {
        // One that cannot be handed down (`cpu` beside real-time processes, say) is missed only by who
        // asks for its limits, and is then named.
        let _ = directory.write(ENABLED, controller);
    }
    Ok(())
}

fn take_over_cpuset(from: &Directory, to: &Directory) -> Result<(), Error> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let own = to.read(file)?.unwrap_or_default();
        let inherited = from.read(file)?.unwrap_or_default();
        if own.trim().is_empty() && !inherited.trim().is_empty() {
            to.set(file, inherited.trim())?;
        }
    }
    Ok(())
}

/// Splits an absolute path into names, none of which climbs.
fn components(path: &str) -> Result<Vec<&str>, Error> {
    let relative =
        path.strip_prefix('/').ok_or_else(|| Error::invalid("cgroup parent", "it is not an absolute path"))?;
    let names: Vec<_> = relative.split('/').filter(|name| !name.is_empty()).collect();
    let bad = |name: &&str| *name == "." || *name == ".." || name.contains(['\0', '\n']) || name.len() > 255;
    if names.iter().any(bad) {
        return Err(Error::invalid("cgroup path", "a component is not a plain name"));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_cannot_climb() {
        for name in ["..", ".", "", "a/b", "/", "a\0b", "a\n"] {
            let place = CgroupPlace { parent: "/libcontainerd".into(), name: name.into() };
            assert!(matches!(place.check(), Err(Error::Invalid { .. })), "{name:?}");
        }
        for parent in ["relative", "/a/../b", "/a/./b", ""] {
            let place = CgroupPlace { parent: parent.into(), name: "x".into() };
            assert!(matches!(place.check(), Err(Error::Invalid { .. })), "{parent:?}");
        }
    }

    #[test]
    fn a_plain_place_is_fine_even_at_the_top() {
        for parent in ["/", "/libcontainerd", "/a//b/"] {
            let place = CgroupPlace { parent: parent.into(), name: "0123-1".into() };
            assert!(place.check().is_ok());
        }
    }
}
