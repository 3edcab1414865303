//! The engine with real containers: what a process inside sees, and what the host sees of it.

// A fixture that cannot be made is a failed test.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "containers/fixture.rs"]
mod fixture;
#[path = "containers/isolation.rs"]
mod isolation;
