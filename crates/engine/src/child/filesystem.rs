//! The container's file system: its root, every mount of the plan, and the turn from the host's root
//! to its own.
//!
//! The root is a detached clone (or an overlay) that is attached in the container's own mount namespace
//! only; everything below it is reached through its descriptor, and the host's tree goes away at once
//! with `pivot_root`.
//! Keeps: nothing of this shows in the host's mount table.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags};

use super::fault::{Step, ToStep};
use super::{devices, mask, target};
use crate::mounts::{Act, Bind, FileSystem, Hierarchies, Place};
use crate::plan::{FilesystemPlan, RootPlan, UpperPlan};
use crate::report::Stage;
use crate::sys::{self, MountAttributes};

const READ_ONLY: u64 = 1;

/// Mounts everything; gives the new root.
pub(super) fn build(plan: &FilesystemPlan) -> Step<'_, OwnedFd> {
    let root = open_root(plan)?;
    for act in &plan.acts {
        carry_out(plan, root.as_fd(), act)?;
    }
    if plan.devices_in_root {
        devices::make_in_root(plan, root.as_fd())?;
    }
    mask::read_only(plan, root.as_fd())?;
    mask::hide(plan, root.as_fd())?;
    Ok(root)
}

/// Makes the new root the only one.
pub(super) fn finish(plan: &FilesystemPlan, root: OwnedFd) -> Step<'_, ()> {
    if plan.read_only_root {
        let attributes = MountAttributes { set: READ_ONLY, ..MountAttributes::default() };
        sys::mount_setattr(root.as_fd(), c"", false, &attributes).at(Stage::Root)?;
    }
    rustix::process::fchdir(&root).at(Stage::Root)?;
    rustix::process::pivot_root(c".", c".").at(Stage::Root)?;
    // The old root lies over the new one now, and the working directory is in it.
    rustix::mount::unmount(c".", UnmountFlags::DETACH).at(Stage::Root)?;
    rustix::process::chdir(c"/").at(Stage::Root)?;
    if let Some((propagation, recursive)) = plan.propagation_after {
        let attributes = MountAttributes { propagation, ..MountAttributes::default() };
        sys::mount_setattr(CWD, c"/", recursive, &attributes).at(Stage::Root)?;
    }
    Ok(())
}

/// Opens the caller's own root as a handle.
pub(super) fn own_root() -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(c"/", flags, Mode::empty())
}

/// Mounts what is not attached yet onto what a descriptor is.
pub(super) fn attach(mount: &OwnedFd, place: &OwnedFd) -> rustix::io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(mount, c"", place, c"", flags)
}

/// Makes a file system that is attached nowhere.
pub(super) fn make_mount(
    kind: &CStr,
    parameters: &[(CString, Option<CString>)],
    attributes: u64,
) -> rustix::io::Result<OwnedFd> {
    let context = rustix::mount::fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in parameters {
        match value {
            Some(value) => {
                rustix::mount::fsconfig_set_string(&context, key.as_c_str(), value.as_c_str())?;
            }
            None => rustix::mount::fsconfig_set_flag(&context, key.as_c_str())?,
        }
    }
    rustix::mount::fsconfig_create(&context)?;
    let attributes = MountAttrFlags::from_bits_retain(attributes as u32);
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

/// Clones the mount that a descriptor is, attached nowhere.
pub(super) fn clone_mount(mount: BorrowedFd<'_>, recursive: bool) -> rustix::io::Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    rustix::mount::open_tree(mount, c"", flags)
}

fn open_root(plan: &FilesystemPlan) -> Step<'_, OwnedFd> {
    let cut_off = MountAttributes { propagation: plan.propagation_before, ..MountAttributes::default() };
    sys::mount_setattr(CWD, c"/", true, &cut_off).at(Stage::Root)?;
    let (root, place) = match &plan.root {
        RootPlan::Directory { source } => {
            let root = open_source(source, true).about(Stage::Root, source)?;
            (root, source)
        }
        RootPlan::Overlay { lower, option, upper } => (open_overlay(option, upper).about(Stage::Root, lower)?, lower),
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let under = rustix::fs::open(place.as_c_str(), flags, Mode::empty());
    let under = under.about(Stage::Root, place)?;
    attach(&root, &under).about(Stage::Root, place)?;
    Ok(root)
}

fn open_source(source: &CStr, recursive: bool) -> rustix::io::Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    rustix::mount::open_tree(CWD, source, flags)
}

fn open_overlay(lower: &CStr, upper: &UpperPlan) -> rustix::io::Result<OwnedFd> {
    let context = rustix::mount::fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    let set = |key: &CStr, value: &CStr| rustix::mount::fsconfig_set_string(&context, key, value);
    set(c"lowerdir", lower)?;
    // Held until the overlay has taken it over.
    let memory = match upper {
        UpperPlan::Directory { upper, work } => {
            set(c"upperdir", upper)?;
            set(c"workdir", work)?;
            None
        }
        UpperPlan::Memory { parameters, owner: (uid, gid), mode } => {
            let memory = make_mount(c"tmpfs", parameters, 0)?;
            for name in [c"upper", c"work"] {
                rustix::fs::mkdirat(&memory, name, Mode::RWXU)?;
            }
            rustix::fs::chownat(&memory, c"upper", Some(*uid), Some(*gid), AtFlags::empty())?;
            rustix::fs::chmodat(&memory, c"upper", *mode, AtFlags::empty())?;
            // Linux 6.1 takes no layer that is attached nowhere: over our root it hides nothing from who is there.
            attach(&memory, &own_root()?)?;
            rustix::process::fchdir(&memory)?;
            set(c"upperdir", c"upper")?;
            set(c"workdir", c"work")?;
            Some(memory)
        }
    };
    rustix::mount::fsconfig_create(&context)?;
    if memory.is_some() {
        rustix::mount::unmount(c".", UnmountFlags::DETACH)?;
    }
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
}

fn carry_out<'plan>(plan: &'plan FilesystemPlan, root: BorrowedFd<'_>, act: &'plan Act) -> Step<'plan, ()> {
    match act {
        Act::FileSystem(file_system) => mount_file_system(plan, root, file_system),
        Act::Bind(bind) => mount_bind(root, bind).about(Stage::Mount, &bind.place.path),
        Act::Hierarchies(hierarchies) => {
            mount_hierarchies(root, hierarchies).about(Stage::Mount, &hierarchies.place.path)
        }
        Act::Change { place, attributes, recursive } => {
            change(root, place, attributes, *recursive).about(Stage::Mount, &place.path)
        }
        Act::Cover(place) => mask::cover(root, place).about(Stage::Mask, &place.path),
    }
}

fn mount_file_system<'plan>(
    plan: &'plan FilesystemPlan,
    root: BorrowedFd<'_>,
    file_system: &'plan FileSystem,
) -> Step<'plan, ()> {
    let path = &file_system.place.path;
    let place = target::find_or_make(root, &file_system.place).about(Stage::Mount, path)?;
    let mount = make_mount(&file_system.kind, &file_system.parameters, file_system.attributes);
    let mount = mount.about(Stage::Mount, path)?;
    if file_system.devices {
        devices::make_in_memory(plan, mount.as_fd())?;
    }
    attach(&mount, &place).about(Stage::Mount, path)?;
    if file_system.propagation == 0 {
        return Ok(());
    }
    let attributes = MountAttributes { propagation: file_system.propagation, ..MountAttributes::default() };
    sys::mount_setattr(mount.as_fd(), c"", false, &attributes).about(Stage::Mount, path)
}

fn mount_bind(root: BorrowedFd<'_>, bind: &Bind) -> rustix::io::Result<()> {
    let mount = open_source(&bind.source, bind.recursive)?;
    for (attributes, recursive) in [(&bind.recursive_attributes, true), (&bind.attributes, false)] {
        if *attributes != MountAttributes::default() {
            sys::mount_setattr(mount.as_fd(), c"", recursive, attributes)?;
        }
    }
    attach(&mount, &target::find_or_make(root, &bind.place)?)
}

fn mount_hierarchies(root: BorrowedFd<'_>, hierarchies: &Hierarchies) -> rustix::io::Result<()> {
    let place = target::find_or_make(root, &hierarchies.place)?;
    let holder = make_mount(c"tmpfs", &[], hierarchies.attributes & !READ_ONLY)?;
    for mount in &hierarchies.mounts {
        rustix::fs::mkdirat(&holder, mount.name.as_c_str(), Mode::from_raw_mode(0o755))?;
    }
    for (link, to) in &hierarchies.links {
        rustix::fs::symlinkat(to.as_c_str(), &holder, link.as_c_str())?;
    }
    attach(&holder, &place)?;
    for mount in &hierarchies.mounts {
        let hierarchy = make_mount(&mount.kind, &mount.parameters, hierarchies.attributes)?;
        let place = target::open(holder.as_fd(), &mount.name, OFlags::PATH, false)?;
        attach(&hierarchy, &place)?;
    }
    let attributes = MountAttributes { set: hierarchies.attributes & READ_ONLY, ..MountAttributes::default() };
    sys::mount_setattr(holder.as_fd(), c"", false, &attributes)
}

fn change(
    root: BorrowedFd<'_>,
    place: &Place,
    attributes: &MountAttributes,
    recursive: bool,
) -> rustix::io::Result<()> {
    if *attributes == MountAttributes::default() {
        return Ok(());
    }
    let mount = target::find(root, place)?;
    sys::mount_setattr(mount.as_fd(), c"", recursive, attributes)
}
