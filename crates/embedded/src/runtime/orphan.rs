//! Reaping witnesses where they become children of ours.
//!
//! A witness is orphaned at birth, so that init reaps it. In a program that is a subreaper, or is pid 1 itself, it
//! becomes that program's child instead, and would stay a zombie.

use std::os::fd::{AsFd, OwnedFd};

use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions};

use super::sys::watched;

/// Whether processes that are orphaned below us become our children.
pub(super) fn inherits_orphans() -> bool {
    rustix::process::getpid().is_init() || nix::sys::prctl::get_child_subreaper().unwrap_or(false)
}

/// A process that will be our child to reap.
#[derive(Debug)]
pub(super) struct Orphan {
    process: OwnedFd,
}

impl Orphan {
    /// The process `pid`, which must not have been reaped yet.
    pub(super) fn of_pid(pid: u32) -> Option<Orphan> {
        let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
        let process = rustix::process::pidfd_open(pid, PidfdFlags::NONBLOCK).ok()?;
        Some(Orphan { process })
    }

    /// Reaps it once it has ended; somebody else may have done it.
    pub(super) async fn reap(self) {
        if let Ok(process) = watched(self.process)
            && process.readable().await.is_ok()
        {
            let ended = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
            let _ = rustix::process::waitid(WaitId::PidFd(process.get_ref().as_fd()), ended);
        }
    }
}
