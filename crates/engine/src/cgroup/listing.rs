//! What there is below a parent, and below a container: names, for whoever looks for what was left behind.
//!
//! Nothing is made or changed, and nothing is said about whose a directory is: that is the caller's to prove by its
//! name.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Cgroup, place};
use crate::error::Error;
use crate::host::Host;

/// Lists the directories below a parent by name, each with its paths in the hierarchies that have it.
///
/// # Errors
/// [`Error::Invalid`] where the parent is no absolute path; [`Error::Cgroup`] where it cannot be listed.
pub fn cgroups_below(host: &Host, parent: &str) -> Result<BTreeMap<String, Vec<PathBuf>>, Error> {
    let mut found = BTreeMap::<String, Vec<PathBuf>>::new();
    for hierarchy in &host.hierarchies {
        let Some(directory) = place::open_parent(hierarchy, parent, false)? else { continue };
        for name in directory.children()? {
            let path = directory.path().join(&name);
            found.entry(name).or_default().push(path);
        }
    }
    Ok(found)
}

impl Cgroup {
    /// Lists the names of the container's leaves.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where they cannot be listed.
    pub fn leaf_names(&self) -> Result<Vec<String>, Error> {
        self.leaf_holder().map_or_else(|| Ok(Vec::new()), |part| part.directory.children())
    }
}
