//! When containers go, and what is left of those that went badly: leases, removal, the sweep.

use serde::{Deserialize, Serialize};

/// A program whose life a container is bound to: when it is gone, by whatever cause, everything in the container is
/// killed and the container is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lease {
    /// The program's pid on the host. It must be alive when the container is created.
    pub owner: u32,
}

impl Lease {
    /// Bound to the program with this pid.
    pub fn on(owner: u32) -> Self {
        Lease { owner }
    }
}

/// Who removes a container that has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Removal {
    /// Whoever asks for it.
    #[default]
    Asked,
    /// The runtime, as soon as its exit is told: with its bundle and its kept output. The ledger remembers the exit.
    Ended,
}

/// What is to be done with what is left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sweep {
    /// It is found and named.
    Find,
    /// It is found, named and removed.
    Remove,
}

/// Something that was left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Swept {
    /// What it is: `process`, `cgroup`, `mount`, `directory`, `file`.
    pub kind: String,
    /// Which: a pid or a path.
    pub name: String,
    /// Why it was not removed, if it was to be.
    pub failed: Option<String>,
}

impl Swept {
    /// Something of that kind.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Swept { kind: kind.into(), name: name.into(), failed: None }
    }
}
