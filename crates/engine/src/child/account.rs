//! Who the process is: limits, user, groups, capabilities, working directory; and the last seal.
//!
//! Decision: everything is in place before the gate, so that failures are known before `create`
//! returns, but for the seccomp filter, which would bind the gate too. Without `no_new_privs` loading
//! it needs CAP_SYS_ADMIN: it is then kept as permitted, not effective, until the filter is loaded.
//! Keeps: the inheritable set is the spec's (C-15), groups are exactly the spec's (C-19).

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::DumpableBehavior;
use rustix::thread::{CapabilitySet, CapabilitySets, Gid, Uid};

use super::fault::{Fault, Step, ToStep};
use super::program::{self, Program};
use super::{filesystem, target};
use crate::plan::ProcessPlan;
use crate::report::Stage;
use crate::sys;

/// Becomes who the plan says and finds the program with that one's rights.
pub(super) fn assume(process: &ProcessPlan) -> Step<'_, Program> {
    if let Some(domain) = process.personality {
        sys::set_personality(domain).at(Stage::Process)?;
    }
    for (resource, soft, hard) in &process.identity.rlimits {
        sys::set_rlimit(*resource, *soft, *hard).at(Stage::Rlimits)?;
    }
    if process.make_working_directory {
        make_working_directory(process)?;
    }
    become_user(process)?;
    set_capabilities(process)?;
    enter_working_directory(process)?;
    program::find(process)
}

/// Does what can only be done after the gate; only exec may follow.
pub(super) fn seal(process: &ProcessPlan) -> Step<'_, ()> {
    sys::reset_signals().at(Stage::Process)?;
    if process.identity.no_new_privileges {
        rustix::thread::set_no_new_privs(true).at(Stage::Capabilities)?;
    }
    sys::mark_close_on_exec(3).at(Stage::Prepare)?;
    let Some(filter) = &process.filter else {
        return Ok(());
    };
    if process.keeps_admin() {
        apply(process, ADMIN, ADMIN).at(Stage::Capabilities)?;
    }
    sys::load_filter(filter, filter.flags).at(Stage::Seccomp)?;
    if process.keeps_admin() {
        apply(process, 0, 0).at(Stage::Capabilities)?;
    }
    Ok(())
}

const ADMIN: u64 = CapabilitySet::SYS_ADMIN.bits();

fn become_user(process: &ProcessPlan) -> Step<'_, ()> {
    let identity = &process.identity;
    drop_bounding(process).at(Stage::Capabilities)?;
    rustix::thread::set_keep_capabilities(true).at(Stage::Capabilities)?;
    rustix::thread::set_thread_groups(&process.groups).at(Stage::User)?;
    let (uid, gid) = (Uid::from_raw(identity.uid), Gid::from_raw(identity.gid));
    rustix::thread::set_thread_res_gid(gid, gid, gid).at(Stage::User)?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).at(Stage::User)?;
    rustix::process::umask(Mode::from_raw_mode(identity.umask));
    // Changing the user may have made the process dumpable, as a sysctl has it.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).at(Stage::User)
}

fn drop_bounding(process: &ProcessPlan) -> rustix::io::Result<()> {
    for number in 0..=process.last_capability {
        let capability = 1_u64.checked_shl(number.into()).unwrap_or(0);
        if process.identity.capabilities.bounding & capability == 0 {
            let capability = CapabilitySet::from_bits_retain(capability);
            rustix::thread::remove_capability_from_bounding_set(capability)?;
        }
    }
    Ok(())
}

fn set_capabilities(process: &ProcessPlan) -> Step<'_, ()> {
    let kept = if process.keeps_admin() { ADMIN } else { 0 };
    apply(process, 0, kept).at(Stage::Capabilities)?;
    let ambient = process.identity.capabilities.ambient;
    for number in 0..=process.last_capability {
        let capability = 1_u64.checked_shl(number.into()).unwrap_or(0);
        if ambient & capability != 0 {
            let capability = CapabilitySet::from_bits_retain(capability);
            rustix::thread::configure_capability_in_ambient_set(capability, true).at(Stage::Capabilities)?;
        }
    }
    Ok(())
}

/// Sets the three sets with additions to two of them.
fn apply(process: &ProcessPlan, effective: u64, permitted: u64) -> rustix::io::Result<()> {
    let wanted = &process.identity.capabilities;
    let sets = CapabilitySets {
        effective: CapabilitySet::from_bits_retain(wanted.effective | effective),
        permitted: CapabilitySet::from_bits_retain(wanted.permitted | permitted),
        inheritable: CapabilitySet::from_bits_retain(wanted.inheritable),
    };
    rustix::thread::set_capabilities(None, sets)
}

fn make_working_directory(process: &ProcessPlan) -> Step<'_, ()> {
    use std::os::fd::AsFd;
    let place = &process.working_directory;
    let root = filesystem::own_root().at(Stage::WorkingDirectory)?;
    target::find_or_make(root.as_fd(), place).map(drop).about(Stage::WorkingDirectory, &place.path)
}

/// Enters the working directory with the user's rights, and makes sure that it is inside (C-2).
fn enter_working_directory(process: &ProcessPlan) -> Step<'_, ()> {
    use std::os::fd::AsFd;
    let path = &process.working_directory.path;
    let root = filesystem::own_root().at(Stage::WorkingDirectory)?;
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    let directory = target::open(root.as_fd(), path, flags, true);
    let directory = directory.about(Stage::WorkingDirectory, path)?;
    rustix::process::fchdir(&directory).about(Stage::WorkingDirectory, path)?;
    match sys::cwd_is_reachable() {
        Ok(true) => Ok(()),
        Ok(false) | Err(Errno::NOENT) => {
            Err(Fault { stage: Stage::WorkingDirectory, errno: Errno::XDEV, path: Some(path) })
        }
        Err(errno) => Err(errno).about(Stage::WorkingDirectory, path),
    }
}
