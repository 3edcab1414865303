//! The loopback interface of a new network namespace.

use std::os::fd::AsRawFd;

use nix::libc;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

/// The kernel's `struct ifreq` as far as flags are concerned.
#[repr(C)]
struct InterfaceFlags {
    name: [u8; libc::IFNAMSIZ],
    flags: libc::c_short,
    rest: [u8; 22],
}

/// Brings `lo` up in the caller's network namespace.
pub(crate) fn loopback_up() -> rustix::io::Result<()> {
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let mut name = [0; libc::IFNAMSIZ];
    name[..2].copy_from_slice(b"lo");
    let request = InterfaceFlags { name, flags: (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short, rest: [0; 22] };
    // SAFETY: the request is as large as the kernel's structure and outlives the call.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request) };
    super::answer(libc::c_long::from(done)).map(drop)
}
