//! The system calls of the monitor's side that no crate has in the form needed, as safe functions.
//!
//! This is the only place of the monitor's side with `unsafe`. Processes are cloned with `clone3` and go on from the
//! same line; whoever calls that has one thread.
//!
//! Does not know: containers, journals, what a descriptor is for.

mod clone;
mod descriptor;
mod process;

pub(crate) use clone::{Forked, fork, fork_sharing_descriptors};
pub(crate) use descriptor::{claim, close_range, exit_status_of, send_signal};
pub(crate) use process::{Ended, Which, exit_now, peek, reap, reset_signals};

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
