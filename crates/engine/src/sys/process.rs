//! What a child does to itself between clone and exec: descriptors, signals, limits, filter, exec.

use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::libc;
use rustix::io::Errno;

use crate::seccomp::Instruction;

/// Arguments or environment in the form that `execve` takes.
pub(crate) struct ArgumentVector {
    pointers: Vec<*const libc::c_char>,
    _strings: Vec<CString>,
}

/// The signals that were blocked before; they are so again when this is dropped.
#[derive(Debug)]
pub(crate) struct BlockedSignals {
    before: u64,
}

/// The kernel's `struct sigaction` for a default action: all zero.
#[repr(C)]
#[derive(Default)]
struct DefaultAction([u64; 4]);

const SIGNALS: libc::c_int = 64;
const SIGNAL_SET_BYTES: usize = 8;
const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;
const KEYCTL_JOIN_SESSION_KEYRING: libc::c_int = 1;
const SECCOMP_SET_MODE_FILTER: libc::c_uint = 1;

// SAFETY: the pointers point into the strings, which are never changed and move with the vector
// only by their owning pointer; nothing in it is bound to a thread.
unsafe impl Send for ArgumentVector {}
// SAFETY: as above; shared access only reads.
unsafe impl Sync for ArgumentVector {}

impl ArgumentVector {
    /// Lays the strings out; the only function here that allocates, for use before the clone.
    pub(crate) fn new(strings: Vec<CString>) -> Self {
        let pointers = strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect();
        Self { pointers, _strings: strings }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        let _ = set_signal_mask(self.before);
    }
}

/// Blocks every signal for the calling thread, so that no handler of the caller runs in a child.
pub(crate) fn block_signals() -> BlockedSignals {
    let before = set_signal_mask(u64::MAX).unwrap_or_default();
    BlockedSignals { before }
}

/// Gives every signal its default action and blocks none.
pub(crate) fn reset_signals() -> rustix::io::Result<()> {
    let action = DefaultAction::default();
    for signal in 1..=SIGNALS {
        // SAFETY: the action has the kernel's layout and outlives the call; KILL and STOP are refused
        // by the kernel, which is fine.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                &raw const action,
                std::ptr::null_mut::<DefaultAction>(),
                SIGNAL_SET_BYTES,
            );
        }
    }
    set_signal_mask(0).map(drop)
}

fn set_signal_mask(mask: u64) -> rustix::io::Result<u64> {
    let mut before = 0_u64;
    // SAFETY: both sets are as large as told and outlive the call.
    super::answer(unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, &raw mut before, SIGNAL_SET_BYTES)
    })?;
    Ok(before)
}

/// Closes every descriptor from `first` to `last`, both included.
pub(crate) fn close_range(first: u32, last: u32) -> rustix::io::Result<()> {
    close_range_with(first, last, 0)
}

/// Marks every descriptor from `first` on to be closed by exec.
pub(crate) fn mark_close_on_exec(first: u32) -> rustix::io::Result<()> {
    close_range_with(first, u32::MAX, CLOSE_RANGE_CLOEXEC)
}

fn close_range_with(first: u32, last: u32, flags: libc::c_uint) -> rustix::io::Result<()> {
    // SAFETY: only a child calls this, about descriptors of its own table that no owner of its uses.
    super::answer(unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) }).map(drop)
}

/// Makes the number `target` mean what `descriptor` means, open across exec.
pub(crate) fn duplicate_onto(descriptor: BorrowedFd<'_>, target: i32) -> rustix::io::Result<()> {
    if descriptor.as_raw_fd() == target {
        return rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::empty());
    }
    // SAFETY: takes two numbers; what `target` was is a standard stream that the child gives up.
    super::answer(unsafe { libc::syscall(libc::SYS_dup3, descriptor.as_raw_fd(), target, 0) }).map(drop)
}

/// Sets a limit of the calling process by its number.
pub(crate) fn set_rlimit(resource: u32, soft: u64, hard: u64) -> rustix::io::Result<()> {
    let limit = [soft, hard];
    // SAFETY: the new limit has the kernel's layout (two 64-bit numbers); no old one is asked for.
    super::answer(unsafe {
        libc::syscall(libc::SYS_prlimit64, 0, resource, limit.as_ptr(), std::ptr::null_mut::<u64>())
    })
    .map(drop)
}

/// Joins or makes the session keyring of that name, or makes one without a name.
pub(crate) fn join_session_keyring(name: Option<&CStr>) -> rustix::io::Result<()> {
    let name = name.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: the name outlives the call; null asks for a keyring without a name.
    super::answer(unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name) }).map(drop)
}

/// Sets the execution domain.
pub(crate) fn set_personality(domain: u64) -> rustix::io::Result<()> {
    // SAFETY: takes a number.
    super::answer(unsafe { libc::syscall(libc::SYS_personality, domain) }).map(drop)
}

/// Leaves the cgroup namespace for a new one, rooted at the caller's cgroups.
pub(crate) fn unshare_cgroup() -> rustix::io::Result<()> {
    // SAFETY: only a cgroup namespace is left; descriptors and memory stay as they are.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWCGROUP) }
}

/// Loads a seccomp filter; the calling process has one thread.
pub(crate) fn load_filter(filter: &[Instruction], flags: u32) -> rustix::io::Result<()> {
    let program = libc::sock_fprog { len: filter.len() as libc::c_ushort, filter: filter.as_ptr().cast_mut().cast() };
    // SAFETY: the program has the kernel's layout, its length is told, and it outlives the call.
    super::answer(unsafe { libc::syscall(libc::SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &raw const program) })
        .map(drop)
}

/// Tells whether the working directory is below the caller's root.
pub(crate) fn cwd_is_reachable() -> rustix::io::Result<bool> {
    let mut path = [0_u8; libc::PATH_MAX as usize];
    // SAFETY: the buffer is as long as told and outlives the call.
    super::answer(unsafe { libc::syscall(libc::SYS_getcwd, path.as_mut_ptr(), path.len()) })?;
    Ok(path[0] == b'/')
}

/// Makes sure that the caller, with its effective rights, may execute a file that is open as a handle.
pub(crate) fn may_execute(file: BorrowedFd<'_>) -> rustix::io::Result<()> {
    let flags = libc::AT_EACCESS | libc::AT_EMPTY_PATH;
    // SAFETY: the empty path is a valid string, and nothing is written.
    super::answer(unsafe { libc::syscall(libc::SYS_faccessat2, file.as_raw_fd(), c"".as_ptr(), libc::X_OK, flags) })
        .map(drop)
}

/// Executes a program; returns only if that failed.
pub(crate) fn execute(program: &CStr, arguments: &ArgumentVector, environment: &ArgumentVector) -> Errno {
    // SAFETY: all strings and both null-terminated vectors outlive the call.
    unsafe {
        libc::syscall(libc::SYS_execve, program.as_ptr(), arguments.pointers.as_ptr(), environment.pointers.as_ptr());
    }
    super::last_errno()
}

/// Ends the calling process at once, without any of the program's own clean-up.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: ends the process; nothing of it is used afterwards.
    unsafe { libc::_exit(code) }
}
