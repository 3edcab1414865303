//! Processes that go on from the same line, with a descriptor table of their own or with ours.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::libc;

/// Which of the two processes is running on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forked {
    /// The caller, and the pid of the new process.
    Parent(u32),
    /// The new process.
    Child,
}

/// The kernel's `struct clone_args`, third version (88 bytes).
#[repr(C)]
#[derive(Default)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Makes a process with copies of our memory and of our descriptor table, in the cgroup of that directory if one is
/// given and it can be. The caller has one thread.
///
/// # Errors
/// The kernel's errno; there is no process then.
pub(crate) fn fork(cgroup: Option<BorrowedFd<'_>>) -> rustix::io::Result<Forked> {
    if let Some(directory) = cgroup
        && let Ok(forked) = clone(CLONE_INTO_CGROUP, directory.as_raw_fd())
    {
        return Ok(forked);
    }
    clone(0, 0)
}

/// Makes a process with a copy of our memory, and with our descriptor table: what either of the two opens or closes,
/// the other has open or closed, and what is open outlives either. The caller has one thread.
///
/// # Errors
/// The kernel's errno; there is no process then.
pub(crate) fn fork_sharing_descriptors() -> rustix::io::Result<Forked> {
    clone(libc::CLONE_FILES as u64, 0)
}

fn clone(flags: u64, cgroup: i32) -> rustix::io::Result<Forked> {
    let mut arguments =
        CloneArguments { flags, exit_signal: libc::SIGCHLD as u64, cgroup: cgroup as u64, ..CloneArguments::default() };
    // SAFETY: the arguments outlive the call and have the size that is told; without CLONE_VM the child runs on its own
    // copy of this stack, so both may return from here. There is no other thread that could hold a lock.
    let pid =
        super::answer(unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<CloneArguments>()) })?;
    Ok(if pid == 0 { Forked::Child } else { Forked::Parent(pid as u32) })
}
