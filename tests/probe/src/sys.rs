//! The few calls of the C library that the standard library does not offer: signals, terminal, identity, a fault.
//!
//! Signals are blocked and waited for, never handled: so they are never lost, not even for the first process of a
//! container, which the kernel spares every signal that it neither handles nor blocks.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_ulong};

/// Please end.
pub(crate) const TERM: c_int = 15;
/// The user's own.
pub(crate) const USR1: c_int = 10;
/// The terminal has another size.
pub(crate) const WINCH: c_int = 28;

const SIG_BLOCK: c_int = 0;
const TIOCGWINSZ: c_ulong = 0x5413;

/// As large as the C library's set of signals.
#[repr(C)]
struct SignalSet([u64; 16]);

unsafe extern "C" {
    fn sigemptyset(set: *mut SignalSet) -> c_int;
    fn sigaddset(set: *mut SignalSet, signal: c_int) -> c_int;
    fn sigprocmask(how: c_int, set: *const SignalSet, old: *mut SignalSet) -> c_int;
    fn sigwait(set: *const SignalSet, signal: *mut c_int) -> c_int;
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
    fn getuid() -> u32;
    fn getgid() -> u32;
    fn getgroups(size: c_int, list: *mut u32) -> c_int;
}

fn set(signals: &[c_int]) -> SignalSet {
    let mut set = SignalSet([0; 16]);
    // SAFETY: the set lives, and is as large as the library's.
    unsafe {
        sigemptyset(&mut set);
        for signal in signals {
            sigaddset(&mut set, *signal);
        }
    }
    set
}

/// Holds these signals back until they are waited for.
pub(crate) fn block(signals: &[c_int]) {
    let set = set(signals);
    // SAFETY: the set lives; the old one is not asked for; no thread was started before.
    unsafe { sigprocmask(SIG_BLOCK, &set, std::ptr::null_mut()) };
}

/// Waits for one of these signals.
pub(crate) fn wait(signals: &[c_int]) -> c_int {
    let set = set(signals);
    let mut signal = 0;
    // SAFETY: set and signal live as long as the call.
    unsafe { sigwait(&set, &mut signal) };
    signal
}

/// Columns and rows of the terminal at stdout.
pub(crate) fn terminal_size() -> Option<(u16, u16)> {
    let mut size = [0u16; 4];
    // SAFETY: the request writes four short numbers.
    let answer = unsafe { ioctl(1, TIOCGWINSZ, size.as_mut_ptr()) };
    (answer == 0).then_some((size[1], size[0]))
}

/// User, group and further groups.
pub(crate) fn identity() -> (u32, u32, Vec<u32>) {
    let mut groups = vec![0; 256];
    // SAFETY: the list has the size that is told.
    let count = unsafe { getgroups(groups.len() as c_int, groups.as_mut_ptr()) };
    groups.truncate(usize::try_from(count).unwrap_or(0));
    // SAFETY: these calls cannot fail and touch no memory.
    let (uid, gid) = unsafe { (getuid(), getgid()) };
    (uid, gid, groups)
}

/// Reads where nothing is.
pub(crate) fn fault() -> ! {
    // SAFETY: it is not: the fault is what is wanted, and nothing comes after it.
    unsafe { std::ptr::without_provenance::<u8>(8).read_volatile() };
    std::process::abort()
}
