//! What no journal knows: cgroups, layers with their mounts, and bells of the dead.
//!
//! A cgroup is ours by its name, which begins with our state root's hash; a layer by the mark in it, since DATA may
//! serve several state roots; a mount by the layer that it writes into.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use libcontainerd_core::{Instance, Result};
use libcontainerd_durable::{Dir, tree};
use libcontainerd_engine::{Cgroup, CgroupPlace, Host};
use rustix::mount::{UnmountFlags, unmount};

use super::Broom;
use crate::doorbell::Doorbells;
use crate::error::Error;
use crate::layout;
use crate::recover;
use crate::runtime::Inner;

/// The most bytes of a layer's mark.
const LONGEST_MARK: u64 = 64;

/// The layers that our containers have, or have had.
///
/// # Errors
/// The directory of layers cannot be listed.
pub(super) fn layers(inner: &Inner) -> Result<Vec<Instance>> {
    let Some(all) = open_layers(inner)? else { return Ok(Vec::new()) };
    let names = all.names().map_err(Error::disk("list the layers"))?;
    let hash = layout::state_hash(inner.state.path());
    let is_ours = |instance: &Instance| {
        let mark = all.open(instance.to_string()).and_then(|layer| layer.read(layout::MARK, LONGEST_MARK));
        mark.is_ok_and(|mark| mark == hash.as_bytes())
    };
    let instances = names.iter().filter_map(|name| name.to_str()?.parse().ok());
    Ok(instances.filter(is_ours).collect())
}

impl Broom<'_> {
    /// Names, and kills and removes, cgroups of ours that are no container's.
    pub(super) fn sweep_cgroups(&mut self) {
        for (name, paths) in self.cgroups.clone() {
            let instance = layout::cgroup_instance(self.inner.state.path(), &name);
            if instance.is_none_or(|instance| self.known.contains(&instance)) {
                continue;
            }
            let removed = if self.removes { remove_cgroup(&self.host, self.inner, &name) } else { Ok(()) };
            for path in paths {
                let removed = removed.as_ref().map_err(|error| error.to_string());
                let mut swept = super::Swept::new("cgroup", path.display().to_string());
                swept.failed = removed.err();
                self.swept.push(swept);
            }
        }
    }

    /// Names, and removes, layers of ours that are no container's, and what is mounted on them.
    pub(super) fn sweep_layers(&mut self, layers: Vec<Instance>) {
        for instance in layers.into_iter().filter(|instance| !self.known.contains(instance)).collect::<Vec<_>>() {
            let layer = self.inner.data.join(layout::OVERLAY).join(instance.to_string());
            for mount in mounts_into(&layer) {
                self.sweep("mount", mount.display(), |_| {
                    let flags = UnmountFlags::DETACH | UnmountFlags::NOFOLLOW;
                    Ok(unmount(&mount, flags).map_err(|errno| Error::Unmount(errno.into()))?)
                });
            }
            self.sweep("directory", layer.display(), |inner| {
                let Some(all) = open_layers(inner)? else { return Ok(()) };
                Ok(tree::remove(&all, instance.to_string()).map_err(Error::disk("remove a layer"))?)
            });
        }
    }

    /// Names, and takes down, the bells of those who were killed while they followed the event log.
    pub(super) fn sweep_bells(&mut self) {
        let Ok(bells) = Doorbells::open(&self.inner.state) else { return };
        for bell in bells.abandoned().unwrap_or_default() {
            self.sweep("file", bell.display(), |_| Ok(bells.take_down(&bell).map_err(Error::Watch)?));
        }
    }
}

fn open_layers(inner: &Inner) -> Result<Option<Dir>> {
    match Dir::open_path(&inner.data).and_then(|data| data.open(layout::OVERLAY)) {
        Ok(layers) => Ok(Some(layers)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(Error::Disk { act: "open the directory of layers", source: error }.into()),
    }
}

fn remove_cgroup(host: &Host, inner: &Inner, name: &str) -> std::result::Result<(), crate::fault::Fault> {
    let place = CgroupPlace { parent: inner.cgroup_parent.clone(), name: name.to_owned() };
    match Cgroup::open(host, &place).map_err(crate::fault::Fault::Cgroup)? {
        Some(cgroup) => recover::remove_cgroup(&cgroup),
        None => Ok(()),
    }
}

/// Where overlays are mounted whose writes go into a layer.
fn mounts_into(layer: &Path) -> Vec<PathBuf> {
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let upper = format!("upperdir={}", layer.join("upper").display());
    table.lines().filter_map(|line| mounted(line, &upper)).collect()
}

/// The mount point in a line of the mount table, if it is an overlay with that option.
fn mounted(line: &str, option: &str) -> Option<PathBuf> {
    let (place, what) = line.split_once(" - ")?;
    let mut what = what.split(' ');
    let (kind, options) = (what.next()?, what.nth(1)?);
    let is_it = kind == "overlay" && options.split(',').any(|other| other == option);
    is_it.then(|| unescape(place.split(' ').nth(4)?)).flatten()
}

/// A path as the mount table writes it: blanks and the like as a backslash and three octal digits.
fn unescape(text: &str) -> Option<PathBuf> {
    let mut parts = text.split('\\');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(3)?;
        bytes.push(u8::from_str_radix(digits, 8).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    Some(OsString::from_vec(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_overlay_that_writes_into_the_layer_is_its_mount() {
        let line =
            "36 35 0:44 / /mnt/a\\040b rw - overlay overlay rw,lowerdir=/l,upperdir=/d/overlay/1/upper,workdir=/w";
        assert_eq!(mounted(line, "upperdir=/d/overlay/1/upper"), Some("/mnt/a b".into()));
        assert_eq!(mounted(line, "upperdir=/d/overlay/2/upper"), None);
        let bind = "36 35 0:44 / /mnt rw - ext4 /dev/sda rw,upperdir=/d/overlay/1/upper";
        assert_eq!(mounted(bind, "upperdir=/d/overlay/1/upper"), None);
        assert_eq!(mounted("torn", "x"), None);
    }
}
