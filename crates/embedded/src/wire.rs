//! What clients and monitors say to each other: frames of JSON over a Unix stream socket.
//!
//! A frame is its length as four bytes, little end first, and that many bytes of JSON, at most 16 MiB. A connection
//! carries one request at a time and its one answer. A request carries the version that it takes: of later ones a monitor
//! refuses creates and execs in words, and does all else, as for every client since the first version.
//!
//! Keeps: C-51 of SECURITY.md on this socket: what is not understood is an error, never a panic.

use std::path::PathBuf;
use std::time::SystemTime;

use libcontainerd_core::ports::runtime::SignalScope;
use libcontainerd_core::process::{LeftOvers, NewProcess, User};
use libcontainerd_core::rootfs::Rootfs;
use libcontainerd_core::start::StartFailure;
use libcontainerd_core::stdio::{Endpoints, TerminalSize};
use libcontainerd_core::{ContainerId, Error, ErrorKind, Instance, ProcessId, Signal};
use oci_spec::runtime::Spec;
use serde::{Deserialize, Serialize};

use crate::record::Lifetime;

/// The highest version that this build speaks; a request has the lowest that knows all that it says.
pub(crate) const VERSION: u32 = 2;

/// The most bytes of one frame.
pub(crate) const LONGEST_FRAME: usize = 16 * 1024 * 1024;

/// A request in its envelope.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Envelope {
    /// The version that a monitor must know to do it.
    pub(crate) v: u32,
    /// What it wants.
    pub(crate) request: Request,
}

/// What a client wants of a monitor. Never printed: execs carry environments.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Request {
    /// Make the container, and supervise it: the first request on the descriptor that a new monitor is born with.
    Create(Box<Launch>),
    /// Supervise a container whose monitor and witness are both dead: likewise.
    Adopt(Box<Adopt>),
    /// Nothing: is somebody there? The answer tells pid and version.
    Hello,
    /// Let init run its program.
    Start,
    /// Start a further process.
    Exec {
        /// Its name.
        process: ProcessId,
        /// What to run.
        what: Box<NewProcess>,
        /// Its streams.
        endpoints: Endpoints,
    },
    /// Send a signal.
    Signal {
        /// To whom.
        process: ProcessId,
        /// Which.
        signal: Signal,
        /// To whom else.
        scope: Scope,
    },
    /// Set the size of a terminal.
    Resize {
        /// Whose.
        process: ProcessId,
        /// To what.
        size: TerminalSize,
    },
    /// Close the stdin of a process.
    CloseStdin {
        /// Whose.
        process: ProcessId,
    },
    /// Remove the container and end.
    Delete {
        /// Only this creation.
        instance: Option<Instance>,
    },
}

/// Just enough of an envelope to see whether the rest can be understood.
#[derive(Deserialize)]
pub(crate) struct Version {
    /// The version that a monitor must know to do what is asked.
    pub(crate) v: u32,
}

impl Envelope {
    /// The request, in the oldest words that say it.
    pub(crate) fn of(request: Request) -> Envelope {
        let v = match &request {
            Request::Create(launch) if !launch.lifetime.is_plain() => 2,
            Request::Exec { what, .. } if what.timeout.is_some() || what.left_overs != LeftOvers::Leave => 2,
            _ => 1,
        };
        Envelope { v, request }
    }
}

impl Request {
    /// Whether it is done for clients of every version: it means the same to all of them, whatever else they say in it.
    pub(crate) fn is_for_everybody(&self) -> bool {
        match self {
            Request::Create(_) | Request::Adopt(_) | Request::Exec { .. } => false,
            Request::Hello | Request::Start | Request::Signal { .. } | Request::Resize { .. } => true,
            Request::CloseStdin { .. } | Request::Delete { .. } => true,
        }
    }
}

/// Where things are, and what a new monitor is to make.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Launch {
    /// Its name.
    pub(crate) id: ContainerId,
    /// Which creation.
    pub(crate) instance: Instance,
    /// STATE, absolute.
    pub(crate) state: PathBuf,
    /// DATA, absolute.
    pub(crate) data: PathBuf,
    /// Parent of its cgroup.
    pub(crate) cgroup_parent: String,
    /// Its cgroup there.
    pub(crate) cgroup_name: String,
    /// Its bundle's directory.
    pub(crate) bundle: PathBuf,
    /// What it is.
    pub(crate) spec: Spec,
    /// Its root file system.
    pub(crate) rootfs: Rootfs,
    /// Instead of the spec's user.
    pub(crate) user: Option<User>,
    /// Init's streams.
    pub(crate) endpoints: Endpoints,
    /// How long it lasts.
    #[serde(default)]
    pub(crate) lifetime: Lifetime,
}

/// Where the container is that is to be taken over; the rest is in its journal.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Adopt {
    /// Its name.
    pub(crate) id: ContainerId,
    /// STATE, absolute.
    pub(crate) state: PathBuf,
    /// DATA, absolute.
    pub(crate) data: PathBuf,
}

/// [`SignalScope`] as the wire has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scope {
    /// The process itself.
    Process,
    /// With all that it started.
    Tree,
    /// Every process of the container.
    Everyone,
}

impl TryFrom<SignalScope> for Scope {
    type Error = Error;
    fn try_from(scope: SignalScope) -> Result<Self, Error> {
        match scope {
            SignalScope::Process => Ok(Scope::Process),
            SignalScope::Tree => Ok(Scope::Tree),
            SignalScope::Everyone => Ok(Scope::Everyone),
            _ => Err(Error::new(ErrorKind::Unsupported, "the embedded runtime does not know this scope of signals")),
        }
    }
}

/// A monitor's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// It is done.
    Done,
    /// The container is made, and this is its init.
    Created {
        /// Its pid on the host.
        pid: u32,
    },
    /// The program runs.
    Started {
        /// Its pid on the host.
        pid: u32,
        /// Since when.
        at: SystemTime,
    },
    /// Somebody is there.
    Here {
        /// The monitor's pid.
        monitor: u32,
        /// The witness's pid.
        witness: u32,
        /// The version that it speaks.
        v: u32,
    },
    /// It is not done.
    Failed(Failure),
}

/// An [`Error`] on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// Its kind.
    pub(crate) kind: FailureKind,
    /// Its text, with the texts of its causes.
    pub(crate) message: String,
    /// Stage and errno of a failed start.
    pub(crate) start: Option<StartFailure>,
}

/// [`ErrorKind`] as the wire has it; a kind that an older client does not know reads as `System`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is the kind of the same name")]
pub(crate) enum FailureKind {
    InvalidArgument,
    NotFound,
    AlreadyExists,
    WrongState,
    PermissionDenied,
    Unsupported,
    ResourceExhausted,
    Unavailable,
    DeadlineExceeded,
    StartFailed,
    Internal,
    #[serde(other)]
    System,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let mut message = error.message().to_owned();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        let kind = match error.kind() {
            ErrorKind::InvalidArgument => FailureKind::InvalidArgument,
            ErrorKind::NotFound => FailureKind::NotFound,
            ErrorKind::AlreadyExists => FailureKind::AlreadyExists,
            ErrorKind::WrongState => FailureKind::WrongState,
            ErrorKind::PermissionDenied => FailureKind::PermissionDenied,
            ErrorKind::Unsupported => FailureKind::Unsupported,
            ErrorKind::ResourceExhausted => FailureKind::ResourceExhausted,
            ErrorKind::Unavailable => FailureKind::Unavailable,
            ErrorKind::DeadlineExceeded => FailureKind::DeadlineExceeded,
            ErrorKind::StartFailed => FailureKind::StartFailed,
            ErrorKind::Internal => FailureKind::Internal,
            _ => FailureKind::System,
        };
        Failure { kind, message, start: error.start_failure().cloned() }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        if let Some(start) = failure.start {
            return Error::start_failed(start);
        }
        let kind = match failure.kind {
            FailureKind::InvalidArgument => ErrorKind::InvalidArgument,
            FailureKind::NotFound => ErrorKind::NotFound,
            FailureKind::AlreadyExists => ErrorKind::AlreadyExists,
            FailureKind::WrongState => ErrorKind::WrongState,
            FailureKind::PermissionDenied => ErrorKind::PermissionDenied,
            FailureKind::Unsupported => ErrorKind::Unsupported,
            FailureKind::ResourceExhausted => ErrorKind::ResourceExhausted,
            FailureKind::Unavailable => ErrorKind::Unavailable,
            FailureKind::DeadlineExceeded => ErrorKind::DeadlineExceeded,
            FailureKind::StartFailed => ErrorKind::StartFailed,
            FailureKind::Internal => ErrorKind::Internal,
            FailureKind::System => ErrorKind::System,
        };
        Error::new(kind, failure.message)
    }
}

/// A message as a frame.
///
/// # Errors
/// `InvalidArgument` when it is longer than a frame may be.
pub(crate) fn frame(message: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)
        .map_err(|e| Error::new(ErrorKind::Internal, "a message cannot be written").because(e))?;
    let length = bytes.len() - 4;
    if length > LONGEST_FRAME {
        return Err(Error::new(ErrorKind::InvalidArgument, "the request is longer than 16 MiB"));
    }
    bytes[..4].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(bytes)
}

/// The length of the body that follows a frame's four bytes.
///
/// # Errors
/// `Unavailable` when it is longer than a frame may be: the peer speaks something else.
pub(crate) fn body_length(head: [u8; 4]) -> Result<usize, Error> {
    let length = u32::from_le_bytes(head) as usize;
    if length > LONGEST_FRAME {
        return Err(Error::new(ErrorKind::Unavailable, "the peer sends frames that are too long"));
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_kind_text_and_causes_over_the_wire() {
        let error = Error::new(ErrorKind::WrongState, "not now").because(std::io::Error::other("too late"));
        let failure: Failure = serde_json::from_slice(&serde_json::to_vec(&Failure::from(&error)).unwrap()).unwrap();
        let back = Error::from(failure);
        assert_eq!(back.kind(), ErrorKind::WrongState);
        assert_eq!(back.message(), "not now: too late");
    }

    #[test]
    fn a_kind_from_the_future_reads_as_system() {
        let failure: Failure =
            serde_json::from_str(r#"{"kind":"warp-core-breach","message":"m","start":null}"#).unwrap();
        assert_eq!(Error::from(failure).kind(), ErrorKind::System);
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused() {
        assert!(body_length(u32::MAX.to_le_bytes()).is_err());
        let framed = frame(&Answer::Done).unwrap();
        assert_eq!(body_length(framed[..4].try_into().unwrap()).unwrap(), framed.len() - 4);
    }
}
