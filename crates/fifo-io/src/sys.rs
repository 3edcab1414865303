//! Descriptors by promise: those given to the reactor, and those that a caller names by number.
//!
//! Tokio asks for a promise that no type can give in general, that the number stays the same open description; an
//! `OwnedFd` keeps it, since nothing but its drop closes it and nothing replaces it.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Gives `fd` to the reactor, or gives it back with the reason.
pub(crate) fn watch(fd: OwnedFd, interest: Interest) -> Result<AsyncFd<OwnedFd>, (OwnedFd, io::Error)> {
    // SAFETY: the descriptor is open and owned, so it stays open until the reactor's own drop of it, and an `OwnedFd`
    // always tells the same number.
    unsafe { AsyncFd::register_with_interest(fd, interest) }.map_err(|refused| refused.into_parts())
}

/// A descriptor of our own for what the caller says is open under this number.
pub(crate) fn duplicate(number: RawFd) -> io::Result<OwnedFd> {
    if number < 0 {
        return Err(io::Error::from(rustix::io::Errno::BADF));
    }
    // SAFETY: the number is used for this one call, which changes nothing and tells where nothing is open; it is not -1.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    borrowed.try_clone_to_owned()
}
