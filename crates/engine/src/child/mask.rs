//! Paths that are hidden or closed for writing.
//!
//! A hidden file gets a clone of the container's null device over it, a hidden directory an empty
//! read-only file system. What is not there needs no mask.
//! Keeps: the null is checked to be character device 1:3 by its descriptor, never trusted by its name
//! (C-3).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use super::fault::{Step, ToStep};
use super::filesystem::{attach, clone_mount, make_mount};
use super::target;
use crate::mounts::Place;
use crate::plan::FilesystemPlan;
use crate::report::Stage;
use crate::sys::{self, MountAttributes};

/// Read-only, and nothing in it gives rights, is a device or can be executed.
const EMPTY: u64 = 0x1 | 0x2 | 0x4 | 0x8;
const READ_ONLY: u64 = 0x1;

/// Closes the plan's read-only paths, with what is mounted below them.
pub(super) fn read_only<'plan>(plan: &'plan FilesystemPlan, root: BorrowedFd<'_>) -> Step<'plan, ()> {
    for place in &plan.read_only {
        close(root, place).about(Stage::Mask, &place.path)?;
    }
    Ok(())
}

fn close(root: BorrowedFd<'_>, place: &Place) -> rustix::io::Result<()> {
    let Some(found) = find(root, place)? else {
        return Ok(());
    };
    let clone = clone_mount(found.as_fd(), true)?;
    let attributes = MountAttributes { set: READ_ONLY, ..MountAttributes::default() };
    sys::mount_setattr(clone.as_fd(), c"", true, &attributes)?;
    attach(&clone, &found)
}

/// Hides the plan's masked paths.
pub(super) fn hide<'plan>(plan: &'plan FilesystemPlan, root: BorrowedFd<'_>) -> Step<'plan, ()> {
    let mut empty = None;
    let mut null = None;
    for place in &plan.masked {
        let Some(found) = find(root, place).about(Stage::Mask, &place.path)? else {
            continue;
        };
        let hidden = if is_directory(&found).about(Stage::Mask, &place.path)? {
            hide_directory(&found, &mut empty)
        } else {
            hide_file(&found, root, &mut null)
        };
        hidden.about(Stage::Mask, &place.path)?;
    }
    Ok(())
}

/// Hides one directory, if it is there.
pub(super) fn cover(root: BorrowedFd<'_>, place: &Place) -> rustix::io::Result<()> {
    match find(root, place)? {
        Some(found) => hide_directory(&found, &mut None),
        None => Ok(()),
    }
}

fn find(root: BorrowedFd<'_>, place: &Place) -> rustix::io::Result<Option<OwnedFd>> {
    match target::find(root, place) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(errno),
    }
}

fn is_directory(found: &OwnedFd) -> rustix::io::Result<bool> {
    let mode = rustix::fs::fstat(found)?.st_mode;
    Ok(FileType::from_raw_mode(mode) == FileType::Directory)
}

/// The first directory gets the file system itself, every other one a clone of it.
fn hide_directory(found: &OwnedFd, empty: &mut Option<OwnedFd>) -> rustix::io::Result<()> {
    if let Some(empty) = empty {
        return attach(&clone_mount(empty.as_fd(), false)?, found);
    }
    let made = make_mount(c"tmpfs", &[], EMPTY)?;
    attach(&made, found)?;
    *empty = Some(made);
    Ok(())
}

fn hide_file(found: &OwnedFd, root: BorrowedFd<'_>, null: &mut Option<OwnedFd>) -> rustix::io::Result<()> {
    if null.is_none() {
        *null = Some(open_null(root)?);
    }
    match null {
        Some(null) => attach(&clone_mount(null.as_fd(), false)?, found),
        None => Err(Errno::NODEV),
    }
}

fn open_null(root: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    let null = target::open(root, c"dev/null", OFlags::PATH, false)?;
    let stat = rustix::fs::fstat(&null)?;
    let is_device = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
    if is_device && stat.st_rdev == rustix::fs::makedev(1, 3) { Ok(null) } else { Err(Errno::NODEV) }
}
