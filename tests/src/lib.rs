//! What the tests of the whole house stand on: state roots that look for left-overs, root file systems, the probe,
//! the binary `lctr`, stages for the conformance suite, and faults from outside.
//!
//! Fixtures are values: a [`scratch::Scratch`] checks when it is dropped that nothing of it is left on the host.
// Fixtures are test code: what cannot be prepared ends the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]
#![forbid(unsafe_code)]

pub mod built;
pub mod evil;
pub mod fault;
mod heard;
pub mod host;
pub mod host_hash;
pub mod lctr;
pub mod nobody;
pub mod patience;
pub mod rootfs;
pub mod running;
pub mod runtimes;
pub mod scratch;
pub mod terminal;
