//! What this host offers: cgroup hierarchies and kernel features.
use crate::error::Error;

/// What this host offers, found out once.
#[derive(Debug)]
pub struct Host {}

impl Host {
    /// Finds out what this host offers.
    ///
    /// # Errors
    /// [`Error::Probe`] where `/proc` cannot be read.
    pub fn probe() -> Result<Host, Error> {
        Err(Error::unsupported("host"))
    }
}
