//! What this host offers, found out once: cgroup hierarchies and the kernel's newest capability.
//!
//! The mount table of the caller says where hierarchies are; each is held by a descriptor of its
//! mount point, so that later mounts over it change nothing.
//! Decision: hybrid hosts are the general case. A v1 host has no unified hierarchy, a v2 host has
//! nothing but that one, and everything else asks for "the hierarchy with this controller".

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};

use crate::error::Error;

/// What this host offers, found out once.
#[derive(Debug)]
pub struct Host {
    /// Every mounted hierarchy, the unified one last.
    pub(crate) hierarchies: Vec<Arc<Hierarchy>>,
    /// The number of the newest capability that the kernel knows.
    pub(crate) last_capability: u8,
}

/// One mounted cgroup hierarchy.
#[derive(Debug)]
pub(crate) struct Hierarchy {
    /// Version 1 or the unified one.
    pub(crate) kind: Kind,
    /// The mount options that choose it (`cpu`, `cpuacct`, `name=systemd`); none for the unified one.
    pub(crate) options: Vec<String>,
    /// The last component of the mount point: `cpu,cpuacct`, `unified`.
    pub(crate) label: String,
    /// The mount point.
    pub(crate) path: PathBuf,
    /// The mount point, opened.
    pub(crate) directory: OwnedFd,
}

/// The two generations of cgroups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A hierarchy of version 1 with a fixed set of controllers.
    V1,
    /// The hierarchy of version 2.
    Unified,
}

const MOUNT_TABLE: &str = "/proc/self/mountinfo";
const LAST_CAPABILITY: &str = "/proc/sys/kernel/cap_last_cap";
const CONTROLLERS: [&str; 15] = [
    "blkio",
    "cpu",
    "cpuacct",
    "cpuset",
    "debug",
    "devices",
    "freezer",
    "hugetlb",
    "memory",
    "misc",
    "net_cls",
    "net_prio",
    "perf_event",
    "pids",
    "rdma",
];

impl Host {
    /// Finds out what this host offers.
    ///
    /// # Errors
    /// [`Error::Probe`] where `/proc` or a hierarchy cannot be read.
    pub fn probe() -> Result<Host, Error> {
        let table = fs::read_to_string(MOUNT_TABLE).map_err(|source| probe(MOUNT_TABLE, source))?;
        let mut hierarchies = Vec::<Arc<Hierarchy>>::new();
        for mount in table.lines().filter_map(CgroupMount::parse) {
            let known = hierarchies.iter().any(|other| other.kind == mount.kind && other.options == mount.options);
            if !known {
                hierarchies.push(Arc::new(mount.open()?));
            }
        }
        hierarchies.sort_by_key(|hierarchy| hierarchy.kind == Kind::Unified);
        Ok(Host { hierarchies, last_capability: last_capability()? })
    }

    /// Whether the unified hierarchy is the only one.
    pub(crate) fn is_unified_only(&self) -> bool {
        self.hierarchies.iter().all(|hierarchy| hierarchy.kind == Kind::Unified)
    }
}

impl Hierarchy {
    /// Whether it is the version 1 hierarchy with that controller.
    pub(crate) fn controls(&self, controller: &str) -> bool {
        self.options.iter().any(|option| option == controller)
    }
}

/// A line of the mount table that is about cgroups.
#[derive(Debug, PartialEq, Eq)]
struct CgroupMount {
    kind: Kind,
    options: Vec<String>,
    path: PathBuf,
}

impl CgroupMount {
    fn parse(line: &str) -> Option<Self> {
        let (mount, file_system) = line.split_once(" - ")?;
        let path = PathBuf::from(unescape(mount.split(' ').nth(4)?));
        let mut words = file_system.split(' ');
        let kind = match words.next()? {
            "cgroup" => Kind::V1,
            "cgroup2" => Kind::Unified,
            _ => return None,
        };
        let options = match kind {
            Kind::V1 => choosing_options(words.nth(1)?),
            Kind::Unified => Vec::new(),
        };
        Some(Self { kind, options, path })
    }

    fn open(self) -> Result<Hierarchy, Error> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory =
            rustix::fs::open(&self.path, flags, Mode::empty()).map_err(|errno| probe(&self.path, errno.into()))?;
        let label = self.path.file_name().unwrap_or_default();
        Ok(Hierarchy {
            kind: self.kind,
            options: self.options,
            label: label.to_string_lossy().into_owned(),
            directory,
            path: self.path,
        })
    }
}

fn choosing_options(options: &str) -> Vec<String> {
    options
        .split(',')
        .filter(|option| option.starts_with("name=") || CONTROLLERS.contains(option))
        .map(str::to_owned)
        .collect()
}

/// Undoes the mount table's octal escapes of blanks and backslashes.
fn unescape(word: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(word.to_owned(), |word, (from, to)| word.replace(from, to))
}

fn last_capability() -> Result<u8, Error> {
    let text = fs::read_to_string(LAST_CAPABILITY).map_err(|source| probe(LAST_CAPABILITY, source))?;
    text.trim().parse().map_err(|_| probe(LAST_CAPABILITY, io::ErrorKind::InvalidData.into()))
}

fn probe(path: impl AsRef<Path>, source: io::Error) -> Error {
    Error::Probe { path: path.as_ref().to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_v1_mount_is_known_by_its_controllers() {
        let line = "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct";
        let mount = CgroupMount::parse(line).unwrap();
        assert_eq!(mount.kind, Kind::V1);
        assert_eq!(mount.options, ["cpu", "cpuacct"]);
        assert_eq!(mount.path, Path::new("/sys/fs/cgroup/cpu,cpuacct"));
    }

    #[test]
    fn a_named_hierarchy_is_chosen_by_its_name() {
        let line = "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd";
        assert_eq!(CgroupMount::parse(line).unwrap().options, ["name=systemd"]);
    }

    #[test]
    fn the_unified_mount_and_its_escaped_path_are_understood() {
        let line = "41 31 0:38 / /sys/my\\040groups rw,relatime - cgroup2 cgroup2 rw,nsdelegate";
        let mount = CgroupMount::parse(line).unwrap();
        assert_eq!((mount.kind, mount.options.len()), (Kind::Unified, 0));
        assert_eq!(mount.path, Path::new("/sys/my groups"));
    }

    #[test]
    fn other_mounts_are_not_hierarchies() {
        assert_eq!(CgroupMount::parse("22 27 0:21 / /proc rw - proc proc rw"), None);
        assert_eq!(CgroupMount::parse(""), None);
    }
}
