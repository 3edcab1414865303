//! Descriptors by number, in a table that outlives its processes, and what a process's descriptor tells.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::libc;
use rustix::io::Errno;

/// The kernel's `struct pidfd_info`, first version (64 bytes).
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    /// pid, tgid, ppid, and eight numbers of users and groups.
    numbers: [u32; 11],
    exit_code: i32,
}

const PIDFD_GET_INFO: u64 = (3 << 30) | ((size_of::<PidfdInfo>() as u64) << 16) | (0xff << 8) | 11;
const PIDFD_INFO_EXIT: u64 = 1 << 3;

/// Takes over a number of the table as ours, if something is open there.
///
/// For what a dead process of ours has left open: nothing else in this process owns that number.
pub(crate) fn claim(number: RawFd) -> Option<OwnedFd> {
    if number < 0 {
        return None;
    }
    // SAFETY: asks for the flags of a number and has no effect, whether it is open or not.
    if unsafe { libc::fcntl(number, libc::F_GETFD) } == -1 {
        return None;
    }
    // SAFETY: it is open, as was just asked, and the only process that owned it is dead.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Closes every descriptor from `first` to `last`, both included.
///
/// For numbers that nothing in this process owns: what strangers, or a dead process of ours, left open.
pub(crate) fn close_range(first: u32, last: u32) {
    if first <= last {
        // SAFETY: takes three numbers; that nobody owns the descriptors is the caller's promise.
        unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    }
}

/// Sends the signal of that number to a process.
///
/// # Errors
/// `SRCH` when it has ended, else the kernel's errno.
pub(crate) fn send_signal(process: BorrowedFd<'_>, signal: u8) -> rustix::io::Result<()> {
    // SAFETY: no details of the signal are passed; the descriptor is open for the call.
    super::answer(unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            process.as_raw_fd(),
            libc::c_int::from(signal),
            std::ptr::null_mut::<libc::siginfo_t>(),
            0,
        )
    })
    .map(drop)
}

/// Asks the kernel how a process has ended that somebody else has reaped (Linux 6.15 and later): a wait status.
pub(crate) fn exit_status_of(process: BorrowedFd<'_>) -> Option<i32> {
    let mut info = PidfdInfo { mask: PIDFD_INFO_EXIT, ..PidfdInfo::default() };
    loop {
        // SAFETY: the structure has the size that the request's number tells, and outlives the call.
        let done = unsafe { libc::ioctl(process.as_raw_fd(), PIDFD_GET_INFO as _, &raw mut info) };
        if done != -1 {
            return (info.mask & PIDFD_INFO_EXIT != 0).then_some(info.exit_code);
        }
        if super::last_errno() != Errno::INTR {
            return None;
        }
    }
}
