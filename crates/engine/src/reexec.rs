//! A program's image that nobody can change, ourselves included.
//!
//! A container that gets hold of `/proc/PID/exe` of a process outside holds the file that it runs. So what we run again
//! is run from a detached, read-only clone of the mount that the file is on: writing to it is refused whoever asks. Where
//! the kernel gives no such clone (a mount in a foreign user namespace, say), the file is copied into sealed memory.
//! Source: CVE-2019-5736. Keeps: C-1.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, MemfdFlags, Mode, OFlags, SealFlags};
use rustix::mount::{OpenTreeFlags, open_tree};

use crate::error::Error;
use crate::sys::{MountAttributes, mount_setattr};

const OWN_PROGRAM: &str = "/proc/self/exe";

/// Opens our own program so that it can be executed, and not be written to.
///
/// # Errors
/// [`Error::Image`] where neither way works.
pub fn reexec_image() -> Result<OwnedFd, Error> {
    image_of(Path::new(OWN_PROGRAM))
}

/// Opens the program at `path` so that it can be executed, and not be written to through what is executed.
///
/// # Errors
/// [`Error::Image`] where neither way works.
pub fn image_of(path: &Path) -> Result<OwnedFd, Error> {
    read_only_clone(path).or_else(|_| sealed_copy(path))
}

/// A descriptor of the file on a mount of its own, which is read-only and attached nowhere.
fn read_only_clone(path: &Path) -> rustix::io::Result<OwnedFd> {
    let clone = open_tree(CWD, path, OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC)?;
    let read_only = MountAttributes { set: nix::libc::MOUNT_ATTR_RDONLY, ..MountAttributes::default() };
    mount_setattr(clone.as_fd(), c"", false, &read_only)?;
    let by_descriptor = format!("/proc/self/fd/{}", clone.as_raw_fd());
    // The open file keeps the mount alive when the clone's own descriptor is closed.
    rustix::fs::open(by_descriptor, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

fn sealed_copy(path: &Path) -> Result<OwnedFd, Error> {
    let failed = |act| move |source: io::Error| Error::Image { act, source };
    let mut from = File::open(path).map_err(failed("open"))?;
    let memory = rustix::fs::memfd_create(c"image", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)
        .map_err(|errno| failed("make room for")(errno.into()))?;
    let mut to = File::from(memory);
    io::copy(&mut from, &mut to).map_err(failed("copy"))?;
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    rustix::fs::fcntl_add_seals(&to, seals).map_err(|errno| failed("seal")(errno.into()))?;
    // Executed only once nobody has it open for writing.
    let by_descriptor = format!("/proc/self/fd/{}", to.as_raw_fd());
    rustix::fs::open(by_descriptor, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| failed("open the copy of")(errno.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    fn for_writing(image: &OwnedFd) -> rustix::io::Result<OwnedFd> {
        let path = format!("/proc/self/fd/{}", image.as_raw_fd());
        rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
    }

    fn runs(image: &OwnedFd) {
        let output = Command::new(format!("/proc/self/fd/{}", image.as_raw_fd())).arg0("true").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    #[test]
    fn c1_a_clone_runs_and_cannot_be_written() {
        let image = read_only_clone(Path::new("/bin/true")).unwrap();
        assert_eq!(for_writing(&image).unwrap_err(), Errno::ROFS);
        runs(&image);
    }

    #[test]
    fn c1_a_sealed_copy_runs_and_cannot_be_written() {
        let image = sealed_copy(Path::new("/bin/true")).unwrap();
        if let Ok(writable) = for_writing(&image) {
            assert_eq!(rustix::io::write(&writable, b"x").unwrap_err(), Errno::PERM);
            drop(writable);
        }
        runs(&image);
    }
}
