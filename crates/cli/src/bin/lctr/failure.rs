//! Why a verb could not do what it was asked.
//!
//! What the supervisor says is passed through; the rest is what only a command line can meet.

use std::io;

use libcontainerd::{Error, ProcessRef};

/// A verb that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The supervisor refused or failed.
    #[error(transparent)]
    Supervisor(#[from] Error),
    /// The options are each fine and make no sense together or here.
    #[error("{0}")]
    Usage(String),
    /// Attached to several at once.
    #[error("-a and -i take one container")]
    OneContainer,
    /// There is nothing that could be printed of its output.
    #[error("no output of {} is kept", named(.0))]
    NotKept(ProcessRef),
    /// The executor could not be made.
    #[error("the executor cannot be set up")]
    Executor(#[source] io::Error),
    /// Signals could not be listened for.
    #[error("signals cannot be received")]
    Signals(#[source] io::Error),
    /// The terminal could not be read or set.
    #[error("the terminal cannot be used")]
    Terminal(#[source] io::Error),
    /// A result could not be printed.
    #[error("the result cannot be printed")]
    Print(#[source] io::Error),
    /// A result could not be put into JSON.
    #[error("the result has no JSON text")]
    Json(#[source] serde_json::Error),
    /// A file of the caller's could not be read.
    #[error("{what} {} cannot be read", path.display())]
    Read {
        /// What it was for.
        what: &'static str,
        /// Which.
        path: std::path::PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Failure {
    /// Whether whoever read our output has left, of which nobody needs to hear.
    pub(crate) fn is_reader_gone(&self) -> bool {
        matches!(self, Failure::Print(e) if e.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn named(process: &ProcessRef) -> String {
    let container = format!("container {}", process.container);
    if process.process.is_init() { container } else { format!("process {} of {container}", process.process) }
}
