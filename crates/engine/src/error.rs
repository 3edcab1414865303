//! The errors of the engine: one enum, a variant per failed act.
//!
//! What goes wrong before the clone is a plain variant; what goes wrong in the child arrives as a
//! [`StartFailure`] (stage, errno, path), so that 126 and 127 follow from codes and never from text.

use std::io;
use std::path::PathBuf;

use crate::report::StartFailure;

/// What the engine could not do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field of the spec is known and cannot be enforced here.
    #[error("the spec's {field} cannot be enforced; {hint}")]
    Unsupported {
        /// The field, as a path in the spec: `linux.intelRdt`.
        field: String,
        /// What the caller can do about it.
        hint: &'static str,
    },
    /// A field of the spec has a value that makes no sense.
    #[error("the spec's {field} is not valid: {reason}")]
    Invalid {
        /// The field, as a path in the spec.
        field: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What this host offers could not be found out.
    #[error("cannot learn what the host offers from {}", path.display())]
    Probe {
        /// The file or directory that was read.
        path: PathBuf,
        /// Why it could not be read.
        source: io::Error,
    },
    /// A directory or file of a cgroup refused an act.
    #[error("cannot {act} the cgroup's {}", path.display())]
    Cgroup {
        /// The act: `create`, `open`, `write`, `remove`, …
        act: &'static str,
        /// The path below the hierarchy's mount point.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The kernel took a limit and then showed another value.
    #[error("the limit {field} was set to {wanted}, and the kernel shows {found}")]
    LimitNotKept {
        /// The cgroup's file.
        field: String,
        /// What was written.
        wanted: String,
        /// What was read back.
        found: String,
    },
    /// Processes were still there when the time for removal was over.
    #[error("the cgroup {} still has processes", path.display())]
    CgroupBusy {
        /// The path below the hierarchy's mount point.
        path: PathBuf,
    },
    /// The program that decides about devices was refused by the kernel.
    #[error("cannot {act} the cgroup's device rules")]
    DeviceRules {
        /// The act: `load` or `attach`.
        act: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A path that the request names could not be opened or looked at.
    #[error("cannot open the {role} {}", path.display())]
    Open {
        /// What the path is for: `root`, `mount source`, `namespace`, …
        role: &'static str,
        /// The path on the host.
        path: PathBuf,
        /// Why it could not be opened.
        source: io::Error,
    },
    /// A path or string of the request contains a NUL byte.
    #[error("the spec's {field} contains a NUL byte")]
    Nul {
        /// The field, as a path in the spec.
        field: String,
    },
    /// A descriptor, pipe or socket for the start could not be made.
    #[error("cannot prepare the start: {act}")]
    Prepare {
        /// The act.
        act: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The kernel refused to make the process.
    #[error("cannot clone the container's process")]
    Clone {
        /// The kernel's answer.
        source: io::Error,
    },
    /// The child said that it could not go on.
    #[error(transparent)]
    Start(#[from] StartFailure),
    /// The report could not be read, or the gate not be opened.
    #[error("cannot {act} of the starting process")]
    Report {
        /// The act.
        act: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The child wrote something that is no report.
    #[error("the starting process sent a report that makes no sense")]
    Garbled,
    /// No unchangeable copy of our own program could be made.
    #[error("cannot {act} our own program")]
    Image {
        /// The act.
        act: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The seccomp profile could not be compiled.
    #[error("cannot compile the seccomp profile")]
    Seccomp(#[from] crate::seccomp::Error),
    /// The process's user, groups, capabilities or limits could not be resolved.
    #[error("cannot resolve the process's identity")]
    Identity(#[from] crate::identity::Error),
}

impl Error {
    /// Says that `field` is known and not enforced, with the usual way out.
    pub(crate) fn unsupported(field: impl Into<String>) -> Self {
        Self::Unsupported { field: field.into(), hint: "remove it, or use an OCI runtime that has it (--runtime PATH)" }
    }

    /// Says that `field` has a bad value.
    pub(crate) fn invalid(field: impl Into<String>, reason: &'static str) -> Self {
        Self::Invalid { field: field.into(), reason }
    }
}
