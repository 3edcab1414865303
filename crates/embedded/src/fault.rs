//! What can go wrong on the monitor's side: one variant for each act that failed.
//!
//! The one conversion into the core's error is here: which faults of the engine are a failed start, at which stage, and
//! which are the request's own; codes 126 and 127 follow from stage and errno, never from text.

use std::io;
use std::path::PathBuf;

use libcontainerd_core::start::{StartFailure, StartStage};
use libcontainerd_core::{Error as CoreError, ErrorKind};
use libcontainerd_engine as engine;
use libcontainerd_engine::Stage;

/// An act of a monitor, a witness or whoever settles after them, that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// Something on the disk could not be made, read, written or removed.
    #[error("{act}")]
    Disk {
        /// What was to be done.
        act: &'static str,
        /// What failed.
        source: libcontainerd_durable::Error,
    },
    /// An entry of the journal could not be written or understood.
    #[error("an entry of the container's journal makes no sense")]
    Entry(#[from] serde_json::Error),
    /// There is no journal to take over.
    #[error("the container has no journal")]
    NoJournal,
    /// A system call that should work did not.
    #[error("{act}")]
    System {
        /// What was to be done.
        act: &'static str,
        /// What failed.
        source: io::Error,
    },
    /// A path of the request could not be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// /dev/null is something else.
    #[error("/dev/null is not the null device")]
    NotNull,
    /// A FIFO could not be opened or examined.
    #[error("a stream of the process cannot be used")]
    Stream(#[from] libcontainerd_stream::Error),
    /// Output cannot be kept.
    #[error("output of the process cannot be kept")]
    Log(#[source] libcontainerd_stream::Error),
    /// The place of a stream is of another runtime.
    #[error("a stream has a place that this runtime cannot open")]
    Place,
    /// Whoever asked is not there to take a descriptor from.
    #[error("the program whose descriptor the process is to have cannot be reached")]
    Caller(#[source] io::Error),
    /// A descriptor of whoever asked cannot be taken.
    #[error("descriptor {number} of the calling program cannot be passed on")]
    Descriptor {
        /// Its number there.
        number: i32,
        /// Why.
        source: io::Error,
    },
    /// A descriptor of whoever asked is none to be given to a container.
    #[error("descriptor {number} of the calling program {why}")]
    Unfit {
        /// Its number there.
        number: i32,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The engine refused or failed.
    #[error("the container's process cannot be made")]
    Engine(#[source] engine::Error),
    /// The cgroup could not be used.
    #[error("the container's cgroup cannot be used")]
    Cgroup(#[source] engine::Error),
    /// A program did not start.
    #[error("{0}")]
    Start(StartFailure),
    /// A capability's name is none.
    #[error("{0:?} is not the name of a capability")]
    Capability(String),
    /// The program that the container was to be bound to is gone.
    #[error("the program that the container is bound to is not running")]
    NoOwner,
    /// The client is of a later release than this program.
    #[error(
        "the monitor's program is of an older release, which does not know all that is asked for: install the same"
    )]
    TooOld,
    /// What the spec says about its process is missing.
    #[error("the spec has no process to run")]
    NoProcess,
}

impl Fault {
    /// An act on the disk that failed; for `map_err`.
    pub(crate) fn disk(act: &'static str) -> impl FnOnce(libcontainerd_durable::Error) -> Fault {
        move |source| Fault::Disk { act, source }
    }

    /// A system call that failed; for `map_err`.
    pub(crate) fn system<E: Into<io::Error>>(act: &'static str) -> impl FnOnce(E) -> Fault {
        move |source| Fault::System { act, source: source.into() }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Fault::Disk { source, .. } if source.is_full() => ErrorKind::ResourceExhausted,
            Fault::Disk { .. } | Fault::Cgroup(_) => ErrorKind::System,
            Fault::Entry(_) | Fault::NoJournal => ErrorKind::Unavailable,
            Fault::System { source, .. } | Fault::Open { source, .. } => system_kind(source),
            Fault::NotNull | Fault::Stream(_) => ErrorKind::System,
            Fault::Log(source) => log_kind(source),
            Fault::Caller(_) => ErrorKind::Unavailable,
            Fault::Descriptor { source, .. } => descriptor_kind(source),
            Fault::Unfit { .. } | Fault::Place | Fault::Capability(_) | Fault::NoProcess | Fault::NoOwner => {
                ErrorKind::InvalidArgument
            }
            Fault::Engine(source) => engine_kind(source),
            Fault::Start(_) => ErrorKind::StartFailed,
            Fault::TooOld => ErrorKind::Unsupported,
        }
    }

    /// The failed start that this fault is, if it is one.
    fn start(&self) -> Option<StartFailure> {
        match self {
            Fault::Start(failure) => Some(failure.clone()),
            Fault::Engine(source) => failed_start(source),
            _ => None,
        }
    }
}

impl From<Fault> for CoreError {
    fn from(fault: Fault) -> Self {
        if let Some(failure) = fault.start() {
            return CoreError::start_failed(failure);
        }
        let (kind, text) = (fault.kind(), fault.to_string());
        match fault {
            Fault::Engine(source) | Fault::Cgroup(source) => CoreError::new(kind, text).because(source),
            Fault::Disk { source, .. } => CoreError::new(kind, text).because(source),
            Fault::System { source, .. } | Fault::Open { source, .. } => CoreError::new(kind, text).because(source),
            Fault::Caller(source) | Fault::Descriptor { source, .. } => CoreError::new(kind, text).because(source),
            Fault::Stream(source) | Fault::Log(source) => CoreError::new(kind, text).because(source),
            Fault::Entry(source) => CoreError::new(kind, text).because(source),
            _ => CoreError::new(kind, text),
        }
    }
}

/// The core's word for why a process did not start.
pub(crate) fn start_failure(failure: &engine::StartFailure) -> StartFailure {
    let subject = failure.path.as_ref().map(|path| path.display().to_string());
    let subject = match (subject, failure.stage) {
        (Some(path), _) => path,
        (None, Stage::Died) => "it died before it could say why".to_owned(),
        (None, stage) => stage.name().to_owned(),
    };
    StartFailure::new(stage(failure.stage), failure.errno, subject)
}

fn stage(stage: Stage) -> StartStage {
    match stage {
        Stage::Resolve => StartStage::Resolve,
        Stage::Interpreter => StartStage::Interpreter,
        Stage::Exec => StartStage::Exec,
        Stage::WorkingDirectory => StartStage::WorkingDirectory,
        Stage::User | Stage::Capabilities => StartStage::Identity,
        Stage::Cgroup => StartStage::Cgroup,
        Stage::Namespaces => StartStage::Namespaces,
        Stage::Root => StartStage::RootFs,
        Stage::Mount | Stage::Device | Stage::Mask => StartStage::Mount,
        Stage::Terminal => StartStage::Terminal,
        Stage::Seccomp => StartStage::Seccomp,
        Stage::Hook => StartStage::Hook,
        _ => StartStage::Setup,
    }
}

fn failed_start(error: &engine::Error) -> Option<StartFailure> {
    let of = |stage, source: &io::Error, subject: String| {
        StartFailure::new(stage, source.raw_os_error().unwrap_or(0), subject)
    };
    match error {
        engine::Error::Start(failure) => Some(start_failure(failure)),
        engine::Error::Open { role, path, source } => {
            let stage = match *role {
                "root" | "overlay layer" => StartStage::RootFs,
                "namespace" | "init process" => StartStage::Namespaces,
                _ => StartStage::Mount,
            };
            Some(of(stage, source, path.display().to_string()))
        }
        engine::Error::Cgroup { path, source, .. } => Some(of(StartStage::Cgroup, source, path.display().to_string())),
        engine::Error::LimitNotKept { .. } | engine::Error::DeviceRules { .. } => {
            Some(StartFailure::new(StartStage::Cgroup, 0, error.to_string()))
        }
        engine::Error::Identity(source) => Some(StartFailure::new(StartStage::Identity, 0, source.to_string())),
        _ => None,
    }
}

fn engine_kind(error: &engine::Error) -> ErrorKind {
    match error {
        engine::Error::Unsupported { .. } => ErrorKind::Unsupported,
        engine::Error::Invalid { .. } | engine::Error::Nul { .. } | engine::Error::Seccomp(_) => {
            ErrorKind::InvalidArgument
        }
        engine::Error::Clone { source } | engine::Error::Prepare { source, .. } => system_kind(source),
        engine::Error::Garbled => ErrorKind::Internal,
        _ => ErrorKind::System,
    }
}

/// A disk that is full or may not be written to is the host's word too.
fn log_kind(error: &libcontainerd_stream::Error) -> ErrorKind {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match error.io_kind() {
        Some(StorageFull | QuotaExceeded) => ErrorKind::ResourceExhausted,
        Some(ReadOnlyFilesystem | PermissionDenied) => ErrorKind::PermissionDenied,
        _ => ErrorKind::System,
    }
}

/// A number that is not open is the caller's mistake; that it may not be taken is the host's word.
fn descriptor_kind(error: &io::Error) -> ErrorKind {
    match error.raw_os_error() {
        Some(nix::libc::EBADF) => ErrorKind::InvalidArgument,
        Some(nix::libc::EPERM | nix::libc::EACCES) => ErrorKind::PermissionDenied,
        _ => system_kind(error),
    }
}

fn system_kind(error: &io::Error) -> ErrorKind {
    match error.raw_os_error() {
        Some(nix::libc::EMFILE | nix::libc::ENFILE | nix::libc::ENOMEM | nix::libc::EAGAIN | nix::libc::ENOSPC) => {
            ErrorKind::ResourceExhausted
        }
        _ => ErrorKind::System,
    }
}
