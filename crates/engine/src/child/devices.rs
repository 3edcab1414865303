//! Device nodes and the links of `/dev`.
//!
//! Decision: where `/dev` is a file system of ours, nodes are made through its descriptor before it is
//! attached, so that nobody else can have touched it. Where the image's own `/dev` stays, each node is
//! made below the root, and what is there already must be that very device (C-6).

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::fault::{Step, ToStep};
use super::target;
use crate::plan::{DevicePlan, FilesystemPlan, LinkPlan};
use crate::report::Stage;

/// Fills a `/dev` of ours; devices elsewhere are made by [`make_in_root`].
pub(super) fn make_in_memory<'plan>(plan: &'plan FilesystemPlan, directory: BorrowedFd<'_>) -> Step<'plan, ()> {
    for device in &plan.devices {
        make_node(directory, device).about(Stage::Device, &device.name)?;
    }
    for link in &plan.links {
        make_link(directory, link).about(Stage::Device, &link.name)?;
    }
    Ok(())
}

/// Makes devices and links in the image's own `/dev`.
pub(super) fn make_in_root<'plan>(plan: &'plan FilesystemPlan, root: BorrowedFd<'_>) -> Step<'plan, ()> {
    let directory = target::find_or_make(root, &plan.device_directory);
    let directory = directory.about(Stage::Device, &plan.device_directory.path)?;
    make_in_memory(plan, directory.as_fd())
}

fn make_node(directory: BorrowedFd<'_>, device: &DevicePlan) -> rustix::io::Result<()> {
    let found;
    let parent = if device.parent.path.as_bytes() == b"." {
        directory
    } else {
        found = target::find_or_make(directory, &device.parent)?;
        found.as_fd()
    };
    let mode = Mode::from_raw_mode(device.mode);
    let name = device.name.as_c_str();
    match rustix::fs::mknodat(parent, name, device.kind, mode, device.number) {
        Ok(()) => {}
        Err(Errno::EXIST) => return check_node(parent, device),
        Err(errno) => return Err(errno),
    }
    if device.owner.is_none() && device.group.is_none() {
        return Ok(());
    }
    rustix::fs::chownat(parent, name, device.owner, device.group, AtFlags::SYMLINK_NOFOLLOW)
}

/// Makes sure that what is there is the device that was asked for, and not a link to something else.
fn check_node(parent: BorrowedFd<'_>, device: &DevicePlan) -> rustix::io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let node = rustix::fs::openat(parent, device.name.as_c_str(), flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&node)?;
    let kind = rustix::fs::FileType::from_raw_mode(stat.st_mode);
    if kind == device.kind && stat.st_rdev == device.number { Ok(()) } else { Err(Errno::EXIST) }
}

fn make_link(directory: BorrowedFd<'_>, link: &LinkPlan) -> rustix::io::Result<()> {
    match rustix::fs::symlinkat(link.target.as_c_str(), directory, link.name.as_c_str()) {
        // The image's own; a link is followed by the container only.
        Err(Errno::EXIST) => Ok(()),
        other => other,
    }
}
