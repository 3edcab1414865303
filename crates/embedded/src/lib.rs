//! The daemonless runtime: one small monitor process per container, our own code in a process of its own.
//!
//! Two sides that never import each other:
//! - the client's: [`EmbeddedRuntime`] (`runtime/`), asynchronous, in the embedding program;
//! - the monitor's: [`monitor_hook`] (`hook`), `birth`, `witness`, `monitor/`, synchronous, single-threaded.
//!
//! Both know: what they say to each other (`wire`), what the journal says (`record`), names on disk (`layout`), what
//! becomes of a container that nobody supervises (`recover`), and where its output is kept (`output_log`).

mod belongings;
mod birth;
mod diary;
mod doorbell;
mod error;
mod fault;
#[cfg(test)]
mod golden;
mod hook;
mod identity;
mod journal;
mod layout;
mod lease;
mod ledger;
mod monitor;
mod output_log;
mod own_directory;
mod record;
mod recover;
mod runtime;
mod shared;
mod sys;
mod wire;
mod witness;

pub use error::Error;
pub use hook::monitor_hook;
pub use runtime::{Builder, EmbeddedRuntime, MonitorImage};
