//! What can go wrong with bundles, and what kind of failure that is to core.
//!
//! Each variant is an act; core gets its text once, and as the source what failed below it.

use std::io;
use std::path::PathBuf;

use libcontainerd_core::{Error as CoreError, ErrorKind};
use libcontainerd_durable::Error as DiskError;

/// An act on a bundle that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The state root or a directory of ours in it cannot be used.
    #[error("the state directory {} cannot be used", .root.display())]
    OpenRoot {
        /// The state root.
        root: PathBuf,
        /// What failed.
        source: DiskError,
    },
    /// The bundle could not be made; nothing is left of it.
    #[error("the bundle cannot be written")]
    Write(#[source] DiskError),
    /// The spec has no text.
    #[error("the spec cannot be written as JSON")]
    Serialize(#[source] serde_json::Error),
    /// What an earlier container of the name has left could not be removed.
    #[error("what is left of an earlier bundle of that name cannot be removed")]
    RemoveStale(#[source] DiskError),
    /// The bundle could not be removed.
    #[error("the bundle cannot be removed")]
    Remove(#[source] DiskError),
    /// The bundle could not be read.
    #[error("the bundle cannot be read")]
    Read(#[source] DiskError),
    /// There is no bundle of that name.
    #[error("there is no bundle of that name")]
    NotFound,
    /// The bundle's spec is none. The reason is text, without what it quotes from the spec, which may be secret.
    #[error("{reason}")]
    NotASpec {
        /// Where it is wrong.
        reason: String,
    },
    /// The name could not be claimed.
    #[error("the name cannot be claimed")]
    Claim(#[source] DiskError),
    /// Another program has claimed the name for longer than we wait.
    #[error("the name is in use by {holder}; try again when it is done")]
    Claimed {
        /// Who has it, as it called itself.
        holder: String,
    },
    /// The mount table could not be read.
    #[error("the mount table cannot be read")]
    MountTable(#[source] io::Error),
}

impl Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Error::OpenRoot { source, .. } => match source {
                DiskError::Foreign { .. } | DiskError::TooWide { .. } => ErrorKind::PermissionDenied,
                DiskError::WrongKind { .. } | DiskError::Name(_) => ErrorKind::InvalidArgument,
                source => kind_of(source),
            },
            Error::Write(source)
            | Error::RemoveStale(source)
            | Error::Remove(source)
            | Error::Read(source)
            | Error::Claim(source) => kind_of(source),
            Error::NotFound => ErrorKind::NotFound,
            Error::NotASpec { .. } => ErrorKind::InvalidArgument,
            Error::Claimed { .. } => ErrorKind::WrongState,
            Error::MountTable(_) => ErrorKind::System,
            Error::Serialize(_) => ErrorKind::Internal,
        }
    }
}

impl From<Error> for CoreError {
    fn from(error: Error) -> CoreError {
        let kind = error.kind();
        let text = error.to_string();
        // Core's text is this one's: its source is ours, not this one again.
        match error {
            Error::OpenRoot { source, .. }
            | Error::Write(source)
            | Error::RemoveStale(source)
            | Error::Remove(source)
            | Error::Read(source)
            | Error::Claim(source) => CoreError::new(kind, text).because(source),
            Error::Serialize(source) => CoreError::new(kind, text).because(source),
            Error::MountTable(source) => CoreError::new(kind, text).because(source),
            Error::NotFound | Error::NotASpec { .. } | Error::Claimed { .. } => CoreError::new(kind, text),
        }
    }
}

fn kind_of(error: &DiskError) -> ErrorKind {
    if error.is_full() {
        return ErrorKind::ResourceExhausted;
    }
    let kind = error.raw_os_error().map(|code| io::Error::from_raw_os_error(code).kind());
    match (error, kind) {
        (DiskError::Foreign { .. }, _) | (_, Some(io::ErrorKind::PermissionDenied)) => ErrorKind::PermissionDenied,
        _ => ErrorKind::System,
    }
}
