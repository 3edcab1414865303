//! Clean-up of root file systems that old versions left mounted in bundles.
//!
//! The mount table says what is mounted; only what lies at `<id>/rootfs` below our own root is touched. It is detached
//! lazily, which also works while it is in use, and if that worked the bundle around it is removed.
//!
//! The table is read here and not by a library, since it need not be UTF-8 and only one field of it matters.
//!
//! Keeps: `an_old_rootfs_is_detached_and_its_bundle_removed`, `a_mount_elsewhere_with_the_same_end_is_left_alone`.
//! Source: the clean-up that the original did before a restore.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use libcontainerd_core::id::ContainerId;
use libcontainerd_durable::{Dir, tree};
use rustix::mount::{UnmountFlags, unmount};

use crate::error::Error;
use crate::layout::Layout;

#[cfg(test)]
mod tests;

/// The mount table that detaching works on: the calling thread's.
const TABLE: &str = "/proc/thread-self/mountinfo";
/// Which of its fields is the mount point, counted from 0.
const MOUNT_POINT: usize = 4;

/// Detaches old root file systems of `id`, and removes what was around them.
pub(crate) fn clean(root: &Path, id: &ContainerId) -> Result<(), Error> {
    // The table has paths without links. No root: nothing was mounted below it.
    let Ok(root) = root.canonicalize() else { return Ok(()) };
    let table = std::fs::read(TABLE).map_err(Error::MountTable)?;
    // What was mounted last lies on top.
    for mount_point in mount_points(&table).into_iter().rev() {
        if let Some(shelf) = Layout::shelf_of_old_mount(&root, &mount_point, id) {
            detach(&mount_point, &shelf, id);
        }
    }
    Ok(())
}

fn detach(mount_point: &Path, shelf: &Path, id: &ContainerId) {
    if let Err(error) = unmount(mount_point, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
        tracing::warn!(container.id = %id, mount = ?mount_point, %error, "cannot detach an old root file system");
        return;
    }
    // Another mount on the same place is detached by a later round, and the bundle goes with the last.
    if let Err(error) = Dir::open_path(shelf).and_then(|dir| tree::remove(&dir, id.as_str())) {
        tracing::debug!(container.id = %id, %error, "what was around an old root file system stays");
    }
}

/// Returns all mount points of a table, in its order.
fn mount_points(table: &[u8]) -> Vec<PathBuf> {
    table
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(MOUNT_POINT))
        .map(|field| PathBuf::from(OsString::from_vec(unescaped(field))))
        .collect()
}

/// Undoes the table's escapes: a backslash and three octal digits stand for one byte.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        match after {
            [high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', after @ ..] if byte == b'\\' => {
                plain.push((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'));
                rest = after;
            }
            _ => {
                plain.push(byte);
                rest = after;
            }
        }
    }
    plain
}
