//! Places for unit tests: a directory that goes with the test, and mounts that nobody else sees.
//!
//! Both are in memory, where syncs are free and a file system of any size can be had.

use std::path::Path;
use std::sync::Arc;

use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};

use crate::Dir;

/// A directory of the test's own, `d`, and the path of the one above it; both go with the test.
pub(crate) struct Scratch {
    pub(crate) dir: Dir,
    pub(crate) above: Arc<tempfile::TempDir>,
}

impl Scratch {
    /// Makes one in memory.
    pub(crate) fn new() -> Scratch {
        Scratch::at(Arc::new(tempfile::tempdir_in("/dev/shm").unwrap()))
    }

    fn at(above: Arc<tempfile::TempDir>) -> Scratch {
        Scratch { dir: Dir::open_root(&above.path().join("d"), 0o700).unwrap(), above }
    }

    /// The path of `name` in the directory.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }
}

/// Runs `act` in a thread whose mounts are its own and go with it. The directory is made and removed outside, where
/// nothing is mounted on it.
pub(crate) fn with_own_mounts(act: impl FnOnce(&Scratch) + Send) {
    let outside = Scratch::new();
    let run = || {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).unwrap();
        // Opened again: a descriptor from before would not see the mounts.
        act(&Scratch::at(outside.above.clone()));
    };
    std::thread::scope(|scope| {
        if let Err(panic) = scope.spawn(run).join() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Mounts a file system in memory that holds `bytes`.
pub(crate) fn mount_small(on: &Path, bytes: u64) {
    let size = std::ffi::CString::new(format!("size={bytes}")).unwrap();
    mount("small", on, "tmpfs", MountFlags::empty(), size.as_c_str()).unwrap();
}
