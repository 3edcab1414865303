//! The limit of open descriptors: ours is raised, containers keep the caller's.
//!
//! A thousand containers are some thousand descriptors, so the soft limit goes up to the hard one. Programs that go
//! through all possible descriptors would suffer from that, which is why containers are given what we were given.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Soft and hard limit as the caller set them; `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenFiles {
    soft: Option<u64>,
    hard: Option<u64>,
}

impl OpenFiles {
    /// As numbers that a spec takes.
    pub(crate) fn numbers(self) -> (u64, u64) {
        (self.soft.unwrap_or(u64::MAX), self.hard.unwrap_or(u64::MAX))
    }
}

/// Raises the soft limit to the hard one, and tells what they were.
pub(crate) fn raise_open_files() -> OpenFiles {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: before.maximum, maximum: before.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "the limit of open files could not be raised");
    }
    OpenFiles { soft: before.current, hard: before.maximum }
}
