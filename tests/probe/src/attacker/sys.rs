//! The calls of the C library that an attacker needs: to type into a terminal that others read, to reap strangers.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_ulong};

const TIOCSTI: c_ulong = 0x5412;
const TIOCLINUX: c_ulong = 0x541C;
/// Of TIOCLINUX: paste what is selected.
const PASTE: u8 = 3;

const CHLD: c_int = 17;
const IGNORE: usize = 1;

unsafe extern "C" {
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
    fn signal(signal: c_int, handler: usize) -> usize;
}

/// Has the kernel reap every child at once.
pub(crate) fn reap_by_itself() {
    // SAFETY: no handler runs: the signal is ignored, which for this one means just that.
    unsafe { signal(CHLD, IGNORE) };
}

/// Pushes a byte into a terminal's input; whether it was let.
pub(crate) fn push(descriptor: c_int, byte: u8) -> bool {
    // SAFETY: the request reads the one byte.
    unsafe { ioctl(descriptor, TIOCSTI, &byte) == 0 }
}

/// Pastes the console's selection into its input; whether it was let.
pub(crate) fn paste(descriptor: c_int) -> bool {
    // SAFETY: the request reads one byte, which says what to do.
    unsafe { ioctl(descriptor, TIOCLINUX, &PASTE) == 0 }
}
