//! What can go wrong between a client and its monitors: one variant for each act that failed.
//!
//! The one conversion into the core's error is here, so that kinds are decided in one place; the cause stays the
//! source, and its text is not repeated.

use std::io;
use std::path::PathBuf;

use libcontainerd_core::{Error as CoreError, ErrorKind};

/// An act of the embedded runtime that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something on the disk could not be made, read, written or removed.
    #[error("{act}")]
    Disk {
        /// What was to be done.
        act: &'static str,
        /// What failed.
        #[source]
        source: libcontainerd_durable::Error,
    },
    /// A journal holds an entry that cannot be understood.
    #[error("the journal {} cannot be understood", path.display())]
    Journal {
        /// Its directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// STATE or DATA is not an absolute path, or cannot be resolved.
    #[error("{} cannot be used as a state directory", path.display())]
    Root {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The program is not root.
    #[error("containers need root: run it as root, or with sudo")]
    NotRoot,
    /// No image to run as a monitor was found.
    #[error(
        "no program to run as a monitor was found: call `monitor_hook()` at the beginning of main, or put \
         `lctr-monitor` beside the program, or `lctr` into PATH, or name one when the runtime is built"
    )]
    NoImage,
    /// The image to run as a monitor cannot be opened.
    #[error("the monitor's image {} cannot be opened", path.display())]
    Image {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The monitor's image could not be run.
    #[error("the monitor cannot be started")]
    Spawn(#[source] io::Error),
    /// The connection to a monitor failed.
    #[error("the monitor cannot be reached")]
    Connect(#[source] io::Error),
    /// The connection to a monitor broke in the middle of a request.
    #[error("the monitor died or closed the connection; what it did is not known, look again")]
    Broken(#[source] io::Error),
    /// The monitor did not answer in time.
    #[error("the monitor does not answer within {0:?}; is it stopped, or is the disk stuck?")]
    Silent(std::time::Duration),
    /// The monitor answered something that does not belong to the question.
    #[error("the monitor gave an answer that does not fit: it is of a later version, or broken")]
    Confused,
    /// The socket that tells of new events cannot be had.
    #[error("the event log cannot be watched")]
    Watch(#[source] io::Error),
    /// A process's cgroups could not be looked at, killed or removed.
    #[error("the container's cgroups cannot be used")]
    Engine(#[source] libcontainerd_engine::Error),
    /// What a dead container left mounted could not be unmounted.
    #[error("it cannot be unmounted")]
    Unmount(#[source] io::Error),
    /// A task of ours did not come to its end.
    #[error("a task was torn down before its end")]
    Task(#[source] tokio::task::JoinError),
}

impl Error {
    /// An act on the disk that failed; for `map_err`.
    pub(crate) fn disk(act: &'static str) -> impl FnOnce(libcontainerd_durable::Error) -> Error {
        move |source| Error::Disk { act, source }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Error::Disk { source, .. } => disk_kind(source),
            Error::Journal { .. } | Error::Confused => ErrorKind::Unavailable,
            Error::Root { .. } | Error::NoImage | Error::Image { .. } => ErrorKind::InvalidArgument,
            Error::NotRoot => ErrorKind::PermissionDenied,
            Error::Spawn(source) | Error::Watch(source) => match source.raw_os_error() {
                Some(
                    nix::libc::EMFILE
                    | nix::libc::ENFILE
                    | nix::libc::ENOMEM
                    | nix::libc::EAGAIN
                    | nix::libc::ENOSPC
                    | nix::libc::EDQUOT,
                ) => ErrorKind::ResourceExhausted,
                _ => ErrorKind::System,
            },
            Error::Connect(_) | Error::Broken(_) => ErrorKind::Unavailable,
            Error::Silent(_) => ErrorKind::DeadlineExceeded,
            Error::Engine(_) | Error::Unmount(_) => ErrorKind::System,
            Error::Task(_) => ErrorKind::Internal,
        }
    }
}

/// What kind of failure an act on the disk is.
fn disk_kind(source: &libcontainerd_durable::Error) -> ErrorKind {
    use libcontainerd_durable::Error as Disk;
    match source {
        _ if source.is_full() => ErrorKind::ResourceExhausted,
        _ if source.is_not_found() => ErrorKind::NotFound,
        Disk::Exists(_) => ErrorKind::AlreadyExists,
        Disk::Foreign { .. } | Disk::WrongKind { .. } | Disk::TooWide { .. } => ErrorKind::PermissionDenied,
        Disk::Gap { .. } => ErrorKind::Gap,
        Disk::Cursor(_) => ErrorKind::InvalidArgument,
        _ => match source.raw_os_error() {
            Some(nix::libc::EACCES | nix::libc::EPERM | nix::libc::EROFS) => ErrorKind::PermissionDenied,
            Some(nix::libc::EMFILE | nix::libc::ENFILE | nix::libc::EDQUOT) => ErrorKind::ResourceExhausted,
            _ => ErrorKind::System,
        },
    }
}

impl From<Error> for CoreError {
    fn from(error: Error) -> Self {
        let kind = error.kind();
        let text = error.to_string();
        match std::error::Error::source(&error) {
            None => CoreError::new(kind, text),
            Some(_) => CoreError::new(kind, text).because(Cause(error)),
        }
    }
}

/// The cause of an error whose own text the core's error already has.
#[derive(Debug)]
struct Cause(Error);

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match std::error::Error::source(&self.0) {
            Some(source) => write!(f, "{source}"),
            None => write!(f, "{}", self.0),
        }
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.0).and_then(std::error::Error::source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_of_a_chain_is_printed_once() {
        let error = CoreError::from(Error::Connect(io::Error::other("nobody home")));
        let mut texts = vec![error.to_string()];
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            texts.push(cause.to_string());
            source = cause.source();
        }
        assert_eq!(texts, ["the monitor cannot be reached", "nobody home"]);
    }
}
