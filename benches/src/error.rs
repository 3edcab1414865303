//! What can go wrong in a benchmark.

use std::io;

/// A benchmark that could not be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The command line.
    #[error("usage: libcontainerd-benches [--runs N] [--only run|exec|many|stdout|kept|latency|memory]")]
    Usage,
    /// A program that could not be run.
    #[error("cannot run {0}; is it installed?")]
    Spawn(String, #[source] io::Error),
    /// A program that failed.
    #[error("{0} failed: {1}")]
    Failed(String, String),
    /// A file.
    #[error("cannot use {0}")]
    File(String, #[source] io::Error),
    /// The library.
    #[error("the library failed")]
    Library(#[from] libcontainerd::Error),
    /// A specification that is none.
    #[error("lctr spec printed no JSON")]
    Spec(#[source] serde_json::Error),
}

/// The error and its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
