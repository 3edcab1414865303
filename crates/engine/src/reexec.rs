//! An image of our own program that nobody can change.
use std::os::fd::OwnedFd;

use crate::error::Error;

/// Opens our own program so that it can be executed and never be written to.
///
/// # Errors
/// [`Error::Image`] where neither way works.
pub fn reexec_image() -> Result<OwnedFd, Error> {
    Err(Error::unsupported("image"))
}
