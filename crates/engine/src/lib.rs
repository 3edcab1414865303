//! Makes a process in a container from an OCI runtime spec.
//!
//! Synchronous, and safe to call from a threaded process: everything is parsed, resolved and
//! allocated before the clone ([`Plan`]); the child makes system calls only, tells its steps over a
//! pipe and waits at a gate ([`Spawned`]). Mounts are made by descriptor, never by path.
//! Decision: what cannot be enforced is an error that names the field ([`check_spec`]), never silence.
//! What a container can get hold of through `/proc/PID/exe` is the caller's program, so a caller that runs
//! untrusted images runs itself from [`reexec_image`].
//! Does not know: the supervisor's core, tokio, and what a bundle or a state directory looks like.

pub mod identity;
pub mod seccomp;

mod cgroup;
mod child;
mod error;
mod host;
mod mounts;
mod plan;
mod reexec;
mod report;
mod request;
mod spawned;
mod spec;
mod sys;

pub use cgroup::{
    Cgroup, CgroupPlace, Counters, Leaf, adopt_monitor_place, cgroups_below, monitor_birthplace, remove_parent,
};
pub use error::Error;
pub use host::Host;
pub use plan::Plan;
pub use reexec::{image_of, reexec_image};
pub use report::{Report, Stage, StartFailure};
pub use request::{ExecRequest, InitRequest, Root, Stdio, Upper};
pub use spawned::Spawned;
pub use spec::{Warning, check_spec};
