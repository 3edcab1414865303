//! The system calls that rustix does not have, as safe functions over descriptors and C strings.
//!
//! Every function here may be called in a child that was cloned from a threaded process: none
//! allocates, takes a lock or keeps state. This is the only place of the crate with `unsafe`.
//! Decision: `clone3` without `CLONE_VM` and without `CLONE_FILES`, called through libc's `syscall`,
//! so that parent and child go on from the same line on stacks of their own.

mod bpf;
mod clone;
mod mount;
mod network;
mod process;

pub(crate) use bpf::{BpfInstruction, attach_device_program, load_device_program};
pub(crate) use clone::{CloneRequest, Cloned, clone3};
pub(crate) use mount::{MountAttributes, mount_setattr, namespace_kind};
pub(crate) use network::loopback_up;
pub(crate) use process::{
    ArgumentVector, block_signals, close_range, cwd_is_reachable, duplicate_onto, execute, exit_now,
    join_session_keyring, load_filter, mark_close_on_exec, may_execute, reset_signals, set_personality, set_rlimit,
    unshare_cgroup,
};

use nix::libc;
use rustix::io::Errno;

/// Turns the answer of libc's `syscall` into a result.
fn answer(value: libc::c_long) -> rustix::io::Result<libc::c_long> {
    if value == -1 { Err(last_errno()) } else { Ok(value) }
}

fn last_errno() -> Errno {
    // SAFETY: libc gives the address of this thread's errno, valid as long as the thread is.
    Errno::from_raw_os_error(unsafe { *libc::__errno_location() })
}
