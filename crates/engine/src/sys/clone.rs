//! `clone3`: a process with namespaces, a pidfd and a cgroup of its own from the first instruction.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::libc;

/// What the new process gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CloneRequest<'fd> {
    /// `CLONE_NEW*` flags; the pidfd flag is added here.
    pub(crate) namespaces: u64,
    /// The directory of the cgroup that the process is born in.
    pub(crate) cgroup: Option<BorrowedFd<'fd>>,
    /// Makes it a sibling of the caller instead of a child.
    pub(crate) sibling: bool,
}

/// Which of the two processes is running on.
#[derive(Debug)]
pub(crate) enum Cloned {
    /// The caller: the new process's number and descriptor.
    Parent {
        /// In the caller's pid namespace.
        pid: u32,
        /// Closed on exec.
        pidfd: OwnedFd,
    },
    /// The new process.
    Child,
}

/// The kernel's `struct clone_args`, second version (88 bytes).
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

const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Makes a process. It has a copy of the caller's memory and descriptor table, one thread, and the
/// default action for every signal that the caller handles.
///
/// # Errors
/// The kernel's errno; there is no process then.
pub(crate) fn clone3(request: CloneRequest<'_>) -> rustix::io::Result<Cloned> {
    let mut pidfd: libc::c_int = -1;
    let mut arguments = CloneArguments {
        flags: request.namespaces | libc::CLONE_PIDFD as u64 | CLONE_CLEAR_SIGHAND,
        pidfd: (&raw mut pidfd) as u64,
        exit_signal: if request.sibling { 0 } else { libc::SIGCHLD as u64 },
        ..CloneArguments::default()
    };
    if request.sibling {
        arguments.flags |= libc::CLONE_PARENT as u64;
    }
    if let Some(cgroup) = request.cgroup {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: the arguments outlive the call and have the size that is told; without CLONE_VM the
    // child runs on its own copy of this stack, so both may return from here.
    let pid =
        super::answer(unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<CloneArguments>()) })?;
    if pid == 0 {
        return Ok(Cloned::Child);
    }
    // SAFETY: with CLONE_PIDFD the kernel has stored a new descriptor that nobody else owns.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Cloned::Parent { pid: pid as u32, pidfd })
}
