//! What can be known to fail before anything is made.
//!
//! Cheap looks at what the caller named, with one plain error each; what only the adapters can know, they say.

use std::path::Path;

use libcontainerd_core::rootfs::Rootfs;
use libcontainerd_core::{Error, ErrorKind, Result};

/// Fails unless the root file system is a directory.
pub(crate) fn is_rootfs(rootfs: &Rootfs) -> Result<()> {
    is_directory(rootfs.directory(), "the root file system")
}

/// Fails unless there is something at `path`.
pub(crate) fn exists(path: &Path, what: &str) -> Result<()> {
    std::fs::symlink_metadata(path).map(drop).map_err(|e| unusable(path, what, e))
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
    fn a_missing_rootfs_and_one_that_is_a_file_are_told_apart() {
        let missing = is_rootfs(&Rootfs::Overlay("/no/such/rootfs".into())).unwrap_err();
        assert!(missing.message().contains("cannot be used"), "{missing}");
        let file = is_rootfs(&Rootfs::Directory("/proc/self/status".into())).unwrap_err();
        assert!(file.message().contains("no directory"), "{file}");
        assert!(is_rootfs(&Rootfs::ReadOnly("/".into())).is_ok());
    }
}
