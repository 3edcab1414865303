//! Everything about a process that can be known before it exists.
use crate::error::Error;
use crate::host::Host;
use crate::request::{ExecRequest, InitRequest};
use crate::spawned::Spawned;

/// A process that is parsed, resolved and allocated, and not yet made.
#[derive(Debug)]
pub struct Plan {}

impl Plan {
    /// Plans the first process of a container.
    ///
    /// # Errors
    /// [`Error::Unsupported`] and [`Error::Invalid`] name the field of the spec; others name the path.
    pub fn init(_host: &Host, _request: InitRequest<'_>) -> Result<Plan, Error> {
        Err(Error::unsupported("init"))
    }

    /// Plans one more process in a running container.
    ///
    /// # Errors
    /// As [`Plan::init`]; [`Error::Open`] where the container's init is gone.
    pub fn exec(_host: &Host, _request: ExecRequest<'_>) -> Result<Plan, Error> {
        Err(Error::unsupported("exec"))
    }

    /// Makes the process, as a child of the caller; it sets itself up and waits at the gate.
    ///
    /// # Errors
    /// [`Error::Clone`] where the kernel refuses; [`Error::Start`] where joining failed at once.
    pub fn spawn(self) -> Result<Spawned, Error> {
        Err(Error::unsupported("spawn"))
    }
}
