//! What can be known to fail before anything is made, and what is only looked at once something failed.
//!
//! Cheap looks at what the caller named, with one plain error each; what only the adapters can know, they say. A host
//! without cgroups is looked for afterwards: it is rare, and a look at every mount would cost each good run.

use std::path::Path;

use libcontainerd_core::rootfs::Rootfs;
use libcontainerd_core::start::StartStage;
use libcontainerd_core::{Error, ErrorKind, Result};

/// Fails unless the root file system is a directory.
pub(crate) fn is_rootfs(rootfs: &Rootfs) -> Result<()> {
    is_directory(rootfs.directory(), "the root file system")
}

/// Fails unless there is something at `path`.
pub(crate) fn exists(path: &Path, what: &str) -> Result<()> {
    std::fs::symlink_metadata(path).map(drop).map_err(|e| unusable(path, what, e))
}

/// The plain reason behind a container that could not be made, where there is one.
pub(crate) fn explained(error: Error) -> Error {
    let stage = error.start_failure().map(|start| start.stage);
    if error.kind() != ErrorKind::Unsupported && stage != Some(StartStage::Cgroup) {
        return error;
    }
    match std::fs::read_to_string("/proc/self/mounts") {
        Ok(mounts) if !has_cgroups(&mounts) => no_cgroups(&error),
        _ => error,
    }
}

fn no_cgroups(error: &Error) -> Error {
    let text = "no cgroup file system is mounted; mount one, as with `mount -t cgroup2 none /sys/fs/cgroup`";
    let plain = Error::new(ErrorKind::Unsupported, text).during(error.operation());
    match error.container() {
        Some(container) => plain.on(container),
        None => plain,
    }
}

fn has_cgroups(mounts: &str) -> bool {
    mounts.lines().filter_map(|line| line.split(' ').nth(2)).any(|kind| kind == "cgroup" || kind == "cgroup2")
}

fn is_directory(path: &Path, what: &str) -> Result<()> {
    let metadata = std::fs::metadata(path).map_err(|e| unusable(path, what, e))?;
    if metadata.is_dir() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidArgument, format!("{what} {} is no directory", path.display())))
}

fn unusable(path: &Path, what: &str, e: std::io::Error) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("{what} {} cannot be used", path.display())).because(e)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_cgroups_is_told_by_its_mounts() {
        assert!(!has_cgroups("proc /proc proc rw 0 0\ntmpfs /sys/fs/cgroup tmpfs rw 0 0\n"));
        assert!(has_cgroups("proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n"));
        assert!(has_cgroups("none /cg cgroup rw,cpu 0 0\n"));
    }

    #[test]
    fn a_missing_rootfs_and_one_that_is_a_file_are_told_apart() {
        let missing = is_rootfs(&Rootfs::Overlay("/no/such/rootfs".into())).unwrap_err();
        assert!(missing.message().contains("cannot be used"), "{missing}");
        let file = is_rootfs(&Rootfs::Directory("/proc/self/status".into())).unwrap_err();
        assert!(file.message().contains("no directory"), "{file}");
        assert!(is_rootfs(&Rootfs::ReadOnly("/".into())).is_ok());
    }
}
