//! The container supervisor's core: the words of the domain, four ports and the client that decides everything.
//!
//! - one module a word: [`id`], [`signal`], [`status`], [`event`], [`cursor`], [`process`], [`stdio`], [`rootfs`],
//!   [`spec`], [`start`], [`error`];
//! - [`ports`]: the traits that adapters implement;
//! - [`client`]: the operations, written once over the ports.
//!
//! Features: `mock` gives mockall mocks of every port; `testing` gives the in-memory runtime and the conformance suite.
//!
//! Does no file, socket or process IO of its own, and compiles on every platform.
#![forbid(unsafe_code)]

pub mod client;
pub mod cursor;
pub mod error;
pub mod event;
pub mod id;
#[cfg(any(test, feature = "mock"))]
pub mod mock;
pub mod ports;
pub mod process;
pub mod rootfs;
pub mod signal;
pub mod spec;
pub mod start;
pub mod status;
pub mod stdio;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use client::{Client, ClientBuilder};
pub use error::{Error, ErrorKind, Result};
pub use id::{ContainerId, Instance, ProcessId, ProcessRef, Run};
pub use signal::Signal;
pub use status::{ContainerState, ContainerStatus, Exit, ExitStatus, How};
