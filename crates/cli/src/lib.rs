//! The container supervisor that programs embed: pick adapters, run containers, get their output and their exits.
//!
//! - [`Supervisor`]: one client over the bundle directory, the FIFOs and the embedded engine, or over ports of yours;
//! - [`ContainerBuilder`], [`Container`], [`Child`], [`ExecBuilder`]: as `std::process::Command`, for containers;
//! - [`Output`]: what a program wrote and how it ended, in one call;
//! - [`Relay`], [`DetachKeys`]: the caller's own descriptors connected to a process, as `lctr` does it;
//! - [`core`]: the words of the domain and the ports, for everything else.
//!
//! ```no_run
//! use libcontainerd::Supervisor;
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> libcontainerd::Result<()> {
//!     libcontainerd::monitor_hook();
//!     let supervisor = Supervisor::new()?;
//!     let output = supervisor.container().rootfs("/").command("/bin/echo").arg("hello").output().await?;
//!     println!("{:?}: {}", output.exit.status, String::from_utf8_lossy(&output.stdout));
//!     Ok(())
//! }
//! ```
//!
//! A program that lets its containers be watched by itself calls [`monitor_hook`] first of all in `main`.
#![forbid(unsafe_code)]

mod builder;
mod bundle;
mod child;
mod container;
pub mod default_spec;
mod detach;
mod exec;
mod handover;
pub mod log_format;
mod output;
mod placing;
mod preflight;
mod relay;
mod supervisor;
mod undo;

/// The programs in the README, built and run as tests of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

pub use builder::{ContainerBuilder, Network, Volume};
pub use bundle::Bundle;
pub use child::Child;
pub use container::Container;
pub use detach::{DetachKeys, DetachKeysError, DetachWatch};
pub use exec::ExecBuilder;
pub use libcontainerd_core as core;
pub use libcontainerd_core::client::{
    Autopsy, Client, Delete, Force, LogEntry, LogLine, LogLines, LogStream, Logs, Snapshot, Stop, Until,
};
pub use libcontainerd_core::ports::process_io::{EndOfOutput, OutputKind, Piece, ReadFrom};
pub use libcontainerd_core::ports::runtime::{Lease, Sweep, Swept};
pub use libcontainerd_core::process::LeftOvers;
pub use libcontainerd_core::rootfs::Rootfs;
pub use libcontainerd_core::status::Past;
pub use libcontainerd_core::stdio::{Drain, Keep, Place, Stdio, TerminalSize, Unread, WhenFull};
pub use libcontainerd_core::{
    ContainerId, ContainerState, ContainerStatus, Error, ErrorKind, Exit, ExitStatus, ProcessId, ProcessRef, Result,
    Signal,
};
pub use libcontainerd_embedded::{MonitorImage, monitor_hook};
pub use output::Output;
pub use relay::{Relay, Relayed};
pub use supervisor::{DEFAULT_DATA, DEFAULT_ROOT, Ports, Supervisor, SupervisorBuilder};
