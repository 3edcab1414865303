//! A process that was made and tells how its start goes.
use std::os::fd::OwnedFd;

use crate::error::Error;
use crate::report::Report;

/// A process that was made: a child of the caller, which reaps it.
#[derive(Debug)]
pub struct Spawned {
    /// Its number in the caller's pid namespace.
    pub pid: u32,
    /// The process itself.
    pub pidfd: OwnedFd,
    /// Where its reports come from; does not block, readable when [`Spawned::next_report`] has one.
    pub report: OwnedFd,
    /// The gate; closing it makes the process end in silence.
    pub gate: OwnedFd,
    /// The master of its terminal, if it asked for one; there once [`Report::Ready`] was seen.
    pub terminal: Option<OwnedFd>,
}

impl Spawned {
    /// Takes the next report, `None` where there is none yet.
    ///
    /// # Errors
    /// [`Error::Report`] where the pipe cannot be read; [`Error::Garbled`] where it has nonsense.
    pub fn next_report(&mut self) -> Result<Option<Report>, Error> {
        Err(Error::unsupported("report"))
    }

    /// Waits for the next report.
    ///
    /// # Errors
    /// As [`Spawned::next_report`].
    pub fn wait_report(&mut self) -> Result<Report, Error> {
        Err(Error::unsupported("report"))
    }

    /// Lets the process execute its program. A process that is gone already is no error: the report
    /// tells.
    ///
    /// # Errors
    /// [`Error::Report`] where the gate cannot be written.
    pub fn open_gate(&mut self) -> Result<(), Error> {
        Err(Error::unsupported("gate"))
    }
}
