//! A procfs handle of our own, for everything that is written below `/proc`.
//!
//! Decision: never the `/proc` that the container sees, which its image or a bind mount may have
//! replaced (C-5); a fresh mount that is attached nowhere shows the kernel's own files.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};

use super::fault::{Step, ToStep};
use crate::plan::Blueprint;
use crate::report::Stage;

/// Writes sysctls, `oom_score_adj` and the label for exec, as far as the plan has them.
pub(super) fn write_all(blueprint: &Blueprint) -> Step<'_, ()> {
    let process = &blueprint.process;
    let asked = process.oom_score_adj.is_some() || process.label.is_some();
    if !asked && blueprint.sysctls.is_empty() {
        return Ok(());
    }
    let procfs = open().at(Stage::Sysctl)?;
    for sysctl in &blueprint.sysctls {
        write(&procfs, &sysctl.path, &sysctl.value).about(Stage::Sysctl, &sysctl.path)?;
    }
    if let Some(value) = &process.oom_score_adj {
        write(&procfs, c"thread-self/oom_score_adj", value).at(Stage::Process)?;
    }
    if let Some(label) = &process.label {
        write(&procfs, &label.path, &label.value).about(Stage::Label, &label.path)?;
    }
    Ok(())
}

fn open() -> rustix::io::Result<OwnedFd> {
    let context = rustix::mount::fsopen(c"proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
    rustix::mount::fsconfig_create(&context)?;
    let attributes =
        MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

fn write(procfs: &OwnedFd, path: &CStr, value: &[u8]) -> rustix::io::Result<()> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat2(procfs, path, flags, Mode::empty(), resolve)?;
    rustix::io::write(file, value).map(drop)
}
