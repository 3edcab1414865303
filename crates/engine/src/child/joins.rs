//! Joining the namespaces of others: all but the cgroup namespace first, that one when the process is in its cgroup.
//!
//! Decision: two steps, since a cgroup namespace is a boundary where the unified hierarchy is mounted with
//! `nsdelegate` (systemd does): who is inside neither moves nor is cloned into a cgroup outside of it, and the leaf of
//! an exec is beside the one that the container's namespace begins at.
//! Keeps: execs start on hosts with systemd: the conformance suite on the emulated host (tests/hosts).

use std::os::fd::AsFd;

use rustix::thread::{LinkNameSpaceType, ThreadNameSpaceType};

use super::fault::{Step, ToStep};
use crate::plan::Joins;
use crate::report::Stage;

/// Joins all but the cgroup namespace; tells whether there was a pid namespace among them, which only children enter.
pub(super) fn before_the_cgroup(joins: &Joins) -> Step<'_, bool> {
    match joins {
        Joins::None => Ok(false),
        Joins::Each { namespaces, pid } => {
            for (namespace, kind) in namespaces.iter().filter(|(_, kind)| *kind != LinkNameSpaceType::ControlGroup) {
                rustix::thread::move_into_link_name_space(namespace.as_fd(), Some(*kind)).at(Stage::Namespaces)?;
            }
            Ok(*pid)
        }
        Joins::Process { pidfd, kinds } => {
            let first = kinds.difference(ThreadNameSpaceType::CONTROL_GROUP);
            rustix::thread::move_into_thread_name_spaces(pidfd.as_fd(), first).at(Stage::Namespaces)?;
            Ok(kinds.contains(ThreadNameSpaceType::PROCESS_ID))
        }
    }
}

/// Joins the cgroup namespace, if one is to be joined.
pub(super) fn in_the_cgroup(joins: &Joins) -> Step<'_, ()> {
    match joins {
        Joins::None => {}
        Joins::Each { namespaces, .. } => {
            for (namespace, kind) in namespaces.iter().filter(|(_, kind)| *kind == LinkNameSpaceType::ControlGroup) {
                rustix::thread::move_into_link_name_space(namespace.as_fd(), Some(*kind)).at(Stage::Namespaces)?;
            }
        }
        Joins::Process { pidfd, kinds } => {
            let last = kinds.intersection(ThreadNameSpaceType::CONTROL_GROUP);
            if !last.is_empty() {
                rustix::thread::move_into_thread_name_spaces(pidfd.as_fd(), last).at(Stage::Namespaces)?;
            }
        }
    }
    Ok(())
}
