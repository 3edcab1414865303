//! Host name, domain name, loopback and the cgroup namespace: what is set before any mount.
//!
//! Decision: the cgroup namespace is made here and not by the clone, since its root is wherever the
//! process is when it is made, and the clone happens before the version 1 cgroups are entered.

use rustix::io::Errno;

use super::fault::{Step, ToStep};
use crate::plan::Blueprint;
use crate::report::Stage;
use crate::sys;

/// Sets what the plan asks for.
pub(super) fn set(blueprint: &Blueprint) -> Step<'_, ()> {
    if blueprint.new_cgroup_namespace {
        sys::unshare_cgroup().at(Stage::Namespaces)?;
    }
    if let Some(name) = &blueprint.hostname {
        rustix::system::sethostname(name).at(Stage::Hostname)?;
    }
    if let Some(name) = &blueprint.domainname {
        rustix::system::setdomainname(name).at(Stage::Hostname)?;
    }
    if blueprint.loopback {
        sys::loopback_up().at(Stage::Network)?;
    }
    match sys::join_session_keyring(blueprint.process.keyring.as_deref()) {
        // A host without keyrings, or one that forbids or limits them, has nothing to leak either.
        Ok(()) | Err(Errno::NOSYS | Errno::PERM | Errno::ACCESS | Errno::DQUOT) => Ok(()),
        Err(errno) => Err(errno).at(Stage::Keyring),
    }
}
