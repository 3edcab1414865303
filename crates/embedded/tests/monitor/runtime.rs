//! The client side, on a test's own state.

use std::future::Future;

use libcontainerd_embedded::EmbeddedRuntime;

use crate::scratch::Scratch;

/// The runtime of the test's state; its monitors are this very program.
pub(crate) fn runtime(scratch: &Scratch) -> EmbeddedRuntime {
    let builder = EmbeddedRuntime::builder(scratch.path("state"), scratch.path("data"));
    builder.cgroup_parent(scratch.cgroup_parent()).build().unwrap()
}

/// Runs what is asynchronous to its end.
pub(crate) fn block_on<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(what)
}
