//! The one call of the client side that the compiler cannot check: giving a descriptor to tokio's reactor.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::unix::AsyncFd;

/// Watches a descriptor, which must not block.
///
/// # Errors
/// When the kernel cannot poll it, or no runtime of tokio's with its reactor on runs here.
pub(super) fn watched(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor is owned by what is returned, and an OwnedFd is open as long as it lives.
    unsafe { AsyncFd::register(fd) }.map_err(io::Error::from)
}
