//! What of the host must be the same after an attack as before: a fingerprint of each thing, by name.
//!
//! Configuration is compared by content, programs by all that the kernel tells of them, kernel settings by value, the
//! supervisor's own programs by both. Times of access are left out: to read is no attack.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::host::entries;

/// Settings by which a container could take over its host or hurt it.
const SETTINGS: [&str; 12] = [
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/core_uses_pid",
    "/proc/sys/kernel/domainname",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/kernel/msgmax",
    "/proc/sys/kernel/panic",
    "/proc/sys/kernel/sysrq",
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv4/ip_unprivileged_port_start",
    "/proc/sys/vm/overcommit_memory",
    "/sys/kernel/uevent_helper",
];

/// The host as it was.
#[derive(Debug)]
pub struct HostHash {
    programs: Vec<PathBuf>,
    found: BTreeMap<PathBuf, u64>,
}

impl HostHash {
    /// Takes the fingerprints, those of `programs` and of what they hold among them.
    pub fn take(programs: &[&Path]) -> Self {
        let programs: Vec<PathBuf> = programs.iter().map(|path| path.to_path_buf()).collect();
        let found = fingerprints(&programs);
        HostHash { programs, found }
    }

    /// Fails when anything is not as it was, and names it.
    #[track_caller]
    pub fn assert_unchanged(&self) {
        let now = fingerprints(&self.programs);
        let differs = |path: &&PathBuf| self.found.get(*path) != now.get(*path);
        let changed: Vec<_> = self.found.keys().chain(now.keys()).filter(differs).collect();
        assert!(changed.is_empty(), "changed on the host: {changed:?}");
    }
}

fn fingerprints(programs: &[PathBuf]) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    tree(Path::new("/etc"), &mut found);
    let named = ["/", "/usr/bin", "/usr/sbin", "/dev"].iter().flat_map(|directory| entries(Path::new(directory)));
    found.extend(named.map(|path| (path.clone(), identity(&path, false))));
    found.extend(SETTINGS.iter().map(|path| (path.into(), of(&fs::read(path).ok()))));
    found.extend(programs.iter().map(|path| (path.clone(), of(&(identity(path, true), fs::read(path).ok())))));
    found
}

fn tree(path: &Path, found: &mut BTreeMap<PathBuf, u64>) {
    let content = fs::symlink_metadata(path).is_ok_and(|about| about.is_file()).then(|| fs::read(path).ok());
    found.insert(path.to_owned(), of(&(identity(path, true), content)));
    if fs::symlink_metadata(path).is_ok_and(|about| about.is_dir()) {
        entries(path).iter().for_each(|path| tree(path, found));
    }
}

/// What it is and whose; of files, with `times`, also when it was written.
fn identity(path: &Path, times: bool) -> u64 {
    let about = fs::symlink_metadata(path).ok().map(|about| {
        let written = (times || about.is_file()).then(|| (about.mtime(), about.mtime_nsec(), about.size()));
        (about.ino(), about.mode(), about.uid(), about.gid(), about.rdev(), written)
    });
    of(&(about, fs::read_link(path).ok()))
}

fn of(thing: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_changed_in_place_is_noticed() {
        let scratch = tempfile::tempdir().unwrap();
        let program = scratch.path().join("program");
        fs::write(&program, "one").unwrap();
        let before = HostHash::take(&[&program]);
        before.assert_unchanged();
        fs::write(&program, "two").unwrap();
        assert!(std::panic::catch_unwind(|| before.assert_unchanged()).is_err());
    }
}
