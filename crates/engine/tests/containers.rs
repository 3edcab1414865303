//! The engine with real containers: what a process inside sees, and what the host sees of it.

// A fixture that cannot be made is a failed test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "containers/cgroups.rs"]
mod cgroups;
#[path = "containers/failures.rs"]
mod failures;
#[path = "containers/fixture.rs"]
mod fixture;
#[path = "containers/hostile.rs"]
mod hostile;
#[path = "containers/isolation.rs"]
mod isolation;
#[path = "containers/joining.rs"]
mod joining;
#[path = "containers/monitors.rs"]
mod monitors;
#[path = "containers/roots.rs"]
mod roots;
#[path = "containers/terminals.rs"]
mod terminals;
