//! The in-memory host and the conformance suite, for the tests of everything above the ports.
//!
//! [`MemoryHost`] is one machine in memory: a [`MemoryRuntime`], a [`MemoryProcessIo`] and a [`MemoryBundleStore`] that
//! belong together, under any number of clients. [`Fault`] and [`EventFault`] break it on purpose, [`Program`] says
//! what its containers run, [`RecordingBackend`] keeps what a client told. [`conformance`] is the set of cases that
//! every runtime passes, this one too.
//!
//! Time is tokio's clock: in a runtime that was started paused an hour takes no time.
//!
//! Does not know: any adapter, or the machine that it runs on.

pub mod conformance;

mod backend;
mod bundle_store;
mod fault;
mod host;
mod kept;
pub mod pattern;
mod pipe;
mod process_io;
mod program;
mod runtime;

pub use backend::RecordingBackend;
pub use bundle_store::MemoryBundleStore;
pub use fault::{Break, Call, EventFault, Fault};
pub use host::MemoryHost;
pub use process_io::MemoryProcessIo;
pub use program::Program;
pub use runtime::MemoryRuntime;
