//! What is on this host: processes, cgroups, mounts and descriptors, as far as they tell of left-overs.
//!
//! Only what names a given directory or cgroup prefix is looked at: others may run containers here at the same time.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Processes, ourselves left out, that have something below `directory` open, with their names.
pub fn holders(directory: &Path) -> Vec<(u32, String)> {
    let own = std::process::id();
    let holds = |pid: u32| descriptors(pid).values().any(|target| target.starts_with(directory));
    let name = |pid: u32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned();
    processes().into_iter().filter(|pid| *pid != own && holds(*pid)).map(|pid| (pid, name(pid))).collect()
}

/// Mount points below `directory` in our mount table.
pub fn mounts(directory: &Path) -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").expect("the mount table can be read");
    let points = table.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
    points.filter(|point| point.starts_with(directory)).collect()
}

/// Cgroups of all hierarchies whose name begins with `prefix`, below any parent that the embedded runtime uses.
pub fn cgroups(prefix: &str) -> Vec<PathBuf> {
    let root = PathBuf::from("/sys/fs/cgroup");
    let hierarchies = children(&root).into_iter().chain([root]);
    let below = hierarchies.flat_map(|hierarchy| children(&hierarchy.join("libcontainerd")));
    below.filter(|path| path.file_name().is_some_and(|name| name.as_bytes().starts_with(prefix.as_bytes()))).collect()
}

/// The beginning of the names of all cgroups of a state root, as the embedded runtime makes them.
pub fn cgroup_prefix(state: &Path) -> String {
    let hash =
        state.as_os_str().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    format!("{hash:016x}-")
}

/// Descriptors of a process and what they are of; empty when it has ended.
pub fn descriptors(pid: u32) -> BTreeMap<u32, PathBuf> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return BTreeMap::new() };
    let number = |entry: &fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    entries.flatten().filter_map(|entry| Some((number(&entry)?, fs::read_link(entry.path()).ok()?))).collect()
}

/// Living and dead children of this process.
pub fn own_children() -> Vec<u32> {
    let own = std::process::id();
    processes().into_iter().filter(|pid| parent(*pid) == Some(own)).collect()
}

/// The parent of a process.
pub fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Whether a process is there and not only waiting to be reaped.
pub fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// Everything below a directory but directories, and with `empty` those that are empty too.
pub fn files_below(directory: &Path) -> Vec<PathBuf> {
    let (directories, mut files): (Vec<_>, Vec<_>) =
        entries(directory).into_iter().partition(|path| is_directory(path));
    files.extend(directories.iter().flat_map(|directory| files_below(directory)));
    files
}

/// The entries of a directory, sorted; none when it is not there.
pub fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn children(directory: &Path) -> Vec<PathBuf> {
    entries(directory).into_iter().filter(|path| is_directory(path)).collect()
}

fn is_directory(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
}

fn processes() -> Vec<u32> {
    entries(Path::new("/proc")).iter().filter_map(|path| path.file_name()?.to_str()?.parse().ok()).collect()
}
