//! Children: how they ended, with what they used, looked at first and reaped later.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::libc;
use rustix::io::Errno;

/// Which child is asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'fd> {
    /// Any.
    Any,
    /// The one of this pid.
    Pid(u32),
    /// The one of this descriptor.
    Descriptor(BorrowedFd<'fd>),
}

/// A child that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Its pid.
    pub(crate) pid: u32,
    /// Its code, or with `signal` the number of the signal.
    pub(crate) status: i32,
    /// Whether a signal ended it.
    pub(crate) signal: bool,
    /// Processor time in the program, in microseconds.
    pub(crate) user: u64,
    /// Processor time in the kernel, in microseconds.
    pub(crate) system: u64,
    /// The most memory that was resident at once, in KiB.
    pub(crate) max_resident: u64,
}

/// Waits for a child to end, or with `wait` false only looks, and leaves it to be reaped.
///
/// # Errors
/// `CHILD` when there is no such child of ours.
pub(crate) fn peek(which: Which<'_>, wait: bool) -> rustix::io::Result<Option<Ended>> {
    let look = if wait { libc::WNOWAIT } else { libc::WNOWAIT | libc::WNOHANG };
    wait_for(which, look)
}

/// Reaps a child that has ended; one that has not, or is none of ours, is left alone.
pub(crate) fn reap(which: Which<'_>) {
    let _ = wait_for(which, libc::WNOHANG);
}

fn wait_for(which: Which<'_>, flags: libc::c_int) -> rustix::io::Result<Option<Ended>> {
    let (kind, id) = match which {
        Which::Any => (libc::P_ALL, 0),
        Which::Pid(pid) => (libc::P_PID, pid),
        Which::Descriptor(process) => (libc::P_PIDFD, process.as_raw_fd() as u32),
    };
    // SAFETY: both are plain structures of the kernel's, for which zeros are a value.
    let (mut details, mut usage) = unsafe {
        (MaybeUninit::<libc::siginfo_t>::zeroed().assume_init(), MaybeUninit::<libc::rusage>::zeroed().assume_init())
    };
    loop {
        // SAFETY: both structures have the kernel's layout and outlive the call.
        let done = super::answer(unsafe {
            let flags = flags | libc::WEXITED | libc::__WALL;
            libc::syscall(libc::SYS_waitid, kind, id, &raw mut details, flags, &raw mut usage)
        });
        match done {
            Ok(_) => break,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    // SAFETY: the kernel has written the fields of a child's end, or left the zeros.
    let (pid, status) = unsafe { (details.si_pid(), details.si_status()) };
    let signal = details.si_code != libc::CLD_EXITED;
    Ok((pid > 0).then(|| Ended::new(pid as u32, status, signal, &usage)))
}

impl Ended {
    fn new(pid: u32, status: i32, signal: bool, usage: &libc::rusage) -> Self {
        Ended {
            pid,
            status,
            signal,
            user: microseconds(usage.ru_utime),
            system: microseconds(usage.ru_stime),
            max_resident: u64::try_from(usage.ru_maxrss).unwrap_or(0),
        }
    }
}

fn microseconds(time: libc::timeval) -> u64 {
    u64::try_from(time.tv_sec * 1_000_000 + time.tv_usec).unwrap_or(0)
}

/// Gives every signal its default action and blocks none; only a closed pipe or connection is an error, not a signal.
pub(crate) fn reset_signals() {
    for signal in 1..=64 {
        let action = if signal == libc::SIGPIPE { libc::SIG_IGN } else { libc::SIG_DFL };
        // SAFETY: neither action runs code of ours; those that cannot be set are refused by the kernel.
        unsafe { libc::signal(signal, action) };
    }
    let _ = nix::sys::signal::SigSet::empty().thread_set_mask();
}

/// Ends the process at once: no destructor runs, so that what is open in a shared table stays open.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: ends the process; nothing of it is used afterwards.
    unsafe { libc::_exit(code) }
}
