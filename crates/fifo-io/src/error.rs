//! What can fail with the FIFOs of a process: one variant per failed act, and their one conversion into the core's.

use std::io;
use std::path::PathBuf;

use libcontainerd_core::error::{Error as CoreError, ErrorKind};
use libcontainerd_stream as stream;
use rustix::io::Errno;

/// A failed act on the streams of a process.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The directory of the FIFOs could not be opened.
    #[error("cannot open the directory {}", path.display())]
    OpenDirectory {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The FIFOs could not be made; none of them is left.
    #[error("cannot make the streams")]
    Make {
        /// The cause, which names the FIFO.
        source: stream::Error,
    },
    /// A FIFO could not be opened, or is not what was made.
    #[error("cannot open the streams")]
    Open {
        /// The cause, which names the FIFO.
        source: stream::Error,
    },
    /// A FIFO could not be removed.
    #[error("cannot remove the streams")]
    Remove {
        /// The cause, which names the FIFO.
        source: stream::Error,
    },
    /// Another program, or another part of this one, reads the streams.
    #[error("the streams are already read by {reader}")]
    AlreadyRead {
        /// Its name and pid, as far as it told them.
        reader: String,
    },
    /// What stands at the name of the reader's lock was not made by us.
    #[error("{name} is not a lock of ours")]
    ForeignLock {
        /// The name below the directory.
        name: String,
    },
    /// The reader's lock could not be opened, taken or written.
    #[error("cannot lock {name}")]
    Lock {
        /// The name below the directory.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// A descriptor could not be watched for readiness.
    #[error("cannot watch a stream")]
    Watch {
        /// The cause.
        source: io::Error,
    },
    /// Bytes could not be thrown away.
    #[error("cannot discard the output")]
    Discard {
        /// The cause.
        source: stream::Error,
    },
    /// Bytes could not be moved by the kernel.
    #[error("cannot move bytes between two streams")]
    Move {
        /// The cause.
        source: stream::Error,
    },
    /// Output is to be kept, but nobody said where.
    #[error("these streams keep no output")]
    KeepsNone,
    /// Output is to be kept of a container that was not told from others of its name.
    #[error("output is kept only for a creation of a container")]
    NoInstance,
    /// Stdin is to be kept.
    #[error("stdin cannot be kept: give it a stream, a descriptor or nothing")]
    KeptStdin,
    /// The directory of kept output could not be made or made ours.
    #[error("cannot make {} for kept output", path.display())]
    MakeLog {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Where output is kept could not be written down beside the streams.
    #[error("cannot write {}", path.display())]
    WriteInstance {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// What stands where output is to be kept was not made by us.
    #[error("{} is not a directory of ours", path.display())]
    ForeignLog {
        /// The directory.
        path: PathBuf,
    },
    /// No output of the process is kept, or it cannot be opened.
    #[error("cannot open kept output in {}", path.display())]
    FindLog {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Kept output could not be read.
    #[error("cannot read kept output")]
    ReadLog {
        /// The cause, which names the segment.
        source: stream::Error,
    },
    /// Kept output could not be removed.
    #[error("cannot remove {}", path.display())]
    RemoveLog {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It could not be found out what output is kept.
    #[error("cannot list {}", path.display())]
    ListLogs {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The caller's descriptor is not open.
    #[error("descriptor {number} cannot be given to a process")]
    Descriptor {
        /// Its number.
        number: i32,
        /// The cause.
        source: io::Error,
    },
    /// The caller's descriptor is a terminal.
    #[error(
        "descriptor {number} is a terminal, which a process could type into: ask for a terminal of its own instead"
    )]
    TerminalHandedIn {
        /// Its number.
        number: i32,
    },
    /// The caller's descriptor cannot be read, or not be written, as its place wants.
    #[error("descriptor {number} is not open for what it is to be used for")]
    WrongWay {
        /// Its number.
        number: i32,
    },
    /// Bytes could not be read.
    #[error("cannot read a stream")]
    Read {
        /// The cause.
        source: io::Error,
    },
    /// Bytes could not be written.
    #[error("cannot write to a stream")]
    Write {
        /// The cause.
        source: io::Error,
    },
}

impl Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyRead { .. } => ErrorKind::WrongState,
            Self::ForeignLock { .. } | Self::ForeignLog { .. } => ErrorKind::PermissionDenied,
            Self::Make { source } | Self::Open { source } | Self::Remove { source } => kind_of_stream(source),
            Self::OpenDirectory { source, .. }
            | Self::MakeLog { source, .. }
            | Self::WriteInstance { source, .. }
            | Self::FindLog { source, .. }
            | Self::RemoveLog { source, .. }
            | Self::ListLogs { source, .. }
            | Self::Lock { source, .. }
            | Self::Watch { source } => kind_of_io(source),
            Self::ReadLog { source } => kind_of_stream(source),
            Self::KeepsNone => ErrorKind::Unsupported,
            Self::NoInstance => ErrorKind::Internal,
            Self::KeptStdin | Self::Descriptor { .. } | Self::TerminalHandedIn { .. } | Self::WrongWay { .. } => {
                ErrorKind::InvalidArgument
            }
            Self::Discard { .. } | Self::Move { .. } | Self::Read { .. } | Self::Write { .. } => ErrorKind::System,
        }
    }

    fn into_source(self) -> Option<Box<dyn std::error::Error + Send + Sync>> {
        match self {
            Self::AlreadyRead { .. }
            | Self::ForeignLock { .. }
            | Self::KeepsNone
            | Self::NoInstance
            | Self::KeptStdin
            | Self::ForeignLog { .. }
            | Self::TerminalHandedIn { .. }
            | Self::WrongWay { .. } => None,
            Self::Make { source }
            | Self::Open { source }
            | Self::Remove { source }
            | Self::Discard { source }
            | Self::ReadLog { source }
            | Self::Move { source } => Some(source.into()),
            Self::OpenDirectory { source, .. }
            | Self::MakeLog { source, .. }
            | Self::WriteInstance { source, .. }
            | Self::FindLog { source, .. }
            | Self::RemoveLog { source, .. }
            | Self::ListLogs { source, .. }
            | Self::Descriptor { source, .. }
            | Self::Lock { source, .. }
            | Self::Watch { source }
            | Self::Read { source }
            | Self::Write { source } => Some(source.into()),
        }
    }
}

impl From<Error> for CoreError {
    fn from(error: Error) -> Self {
        let kind = error.kind();
        let text = match kind {
            ErrorKind::ResourceExhausted => {
                format!("{error}: a limit is reached, see RLIMIT_NOFILE and the free space")
            }
            _ => error.to_string(),
        };
        match error.into_source() {
            Some(source) => CoreError::new(kind, text).because(source),
            None => CoreError::new(kind, text),
        }
    }
}

fn kind_of_stream(error: &stream::Error) -> ErrorKind {
    match error {
        stream::Error::BadName { .. } => ErrorKind::InvalidArgument,
        stream::Error::NotAFifo { .. } | stream::Error::ForeignOwner { .. } => ErrorKind::PermissionDenied,
        _ => cause(error).map_or(ErrorKind::System, kind_of_io),
    }
}

fn cause(error: &stream::Error) -> Option<&io::Error> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref())
}

fn kind_of_io(error: &io::Error) -> ErrorKind {
    match Errno::from_io_error(error) {
        Some(Errno::NOENT) => ErrorKind::NotFound,
        Some(Errno::EXIST) => ErrorKind::AlreadyExists,
        Some(Errno::ACCESS | Errno::PERM | Errno::LOOP) => ErrorKind::PermissionDenied,
        Some(Errno::MFILE | Errno::NFILE | Errno::NOSPC | Errno::DQUOT) => ErrorKind::ResourceExhausted,
        _ => ErrorKind::System,
    }
}

/// Turns "it is not there" into `None`.
pub(crate) fn unless_missing<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}
