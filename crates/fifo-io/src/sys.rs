//! Registration of owned descriptors with the reactor.
//!
//! Tokio asks for a promise that no type can give in general, that the number stays the same open description; an
//! `OwnedFd` keeps it, since nothing but its drop closes it and nothing replaces it.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Gives `fd` to the reactor, or gives it back with the reason.
pub(crate) fn watch(fd: OwnedFd, interest: Interest) -> Result<AsyncFd<OwnedFd>, (OwnedFd, io::Error)> {
    // SAFETY: the descriptor is open and owned, so it stays open until the reactor's own drop of it, and an `OwnedFd`
    // always tells the same number.
    unsafe { AsyncFd::register_with_interest(fd, interest) }.map_err(|refused| refused.into_parts())
}
