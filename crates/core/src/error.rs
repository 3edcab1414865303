//! The one error of the supervisor: what was being done, to whom, what kind of failure it was and why.
//!
//! Adapters have their own enums, a variant per failed act, and convert them into this one at their border, with
//! the adapter's error as the source. The text of an [`Error`] never repeats its source's; print the chain once.
//!
//! Does not know: exit codes of a command line, or any adapter's error type.

use std::fmt;

use crate::id::{ContainerId, ProcessId};
use crate::start::StartFailure;

/// The result of every fallible operation of the core and its ports.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What kind of failure it was: what a program decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request itself is wrong and will be wrong again.
    InvalidArgument,
    /// The container, process or bundle does not exist, or no longer.
    NotFound,
    /// The name is taken.
    AlreadyExists,
    /// The container or process is not in a state that allows it; nothing was changed.
    WrongState,
    /// This host or this process may not do it.
    PermissionDenied,
    /// The runtime cannot do it, or not on this host; nothing was changed.
    Unsupported,
    /// A limit or a full disk: the text says which; nothing was changed.
    ResourceExhausted,
    /// The other end (daemon, monitor) does not answer; what it did is unknown until it is asked again.
    Unavailable,
    /// A deadline passed; what was asked for may still happen.
    DeadlineExceeded,
    /// A program did not start: [`Error::start_failure`] says at which stage and why.
    StartFailed,
    /// The events asked for are no longer kept: list first, then follow from now.
    Gap,
    /// The system refused a call that should work.
    System,
    /// A broken promise of ours: please report it.
    Internal,
}

/// A failed operation.
///
/// Carries the operation's name, the container and process it was about where there is one, and the cause as
/// [`std::error::Error::source`].
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    operation: &'static str,
    message: String,
    container: Option<ContainerId>,
    process: Option<ProcessId>,
    start: Option<StartFailure>,
    source: Option<Source>,
}

impl Error {
    /// An error of `kind`; `message` says what is wrong and, where it is not plain, what to do next.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            inner: Box::new(Inner {
                kind,
                operation: "",
                message: message.into(),
                container: None,
                process: None,
                start: None,
                source: None,
            }),
        }
    }

    /// A program that did not start.
    pub fn start_failed(failure: StartFailure) -> Self {
        let mut error = Error::new(ErrorKind::StartFailed, failure.to_string());
        error.inner.start = Some(failure);
        error
    }

    /// Names the operation, as the user knows it (`"create"`, `"exec"`); the innermost name stays.
    #[must_use]
    pub fn during(mut self, operation: &'static str) -> Self {
        if self.inner.operation.is_empty() {
            self.inner.operation = operation;
        }
        self
    }

    /// Names the container it was about, unless one is named already.
    #[must_use]
    pub fn on(mut self, container: &ContainerId) -> Self {
        self.inner.container.get_or_insert_with(|| container.clone());
        self
    }

    /// Names the process it was about, unless one is named already.
    #[must_use]
    pub fn of(mut self, process: &ProcessId) -> Self {
        self.inner.process.get_or_insert_with(|| process.clone());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Source>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// What kind of failure it was.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// The operation that failed; empty when nobody named it.
    pub fn operation(&self) -> &'static str {
        self.inner.operation
    }

    /// What is wrong, without operation, names and cause.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// The container it was about.
    pub fn container(&self) -> Option<&ContainerId> {
        self.inner.container.as_ref()
    }

    /// The process it was about.
    pub fn process(&self) -> Option<&ProcessId> {
        self.inner.process.as_ref()
    }

    /// Stage and errno of a program that did not start.
    pub fn start_failure(&self) -> Option<&StartFailure> {
        self.inner.start.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.inner;
        if !inner.operation.is_empty() {
            write!(f, "{}", inner.operation)?;
            if inner.container.is_some() {
                write!(f, " ")?;
            }
        }
        if let Some(container) = &inner.container {
            write!(f, "container {container}")?;
        }
        if let Some(process) = &inner.process
            && !process.is_init()
        {
            write!(f, ", process {process}")?;
        }
        if !inner.operation.is_empty() || inner.container.is_some() {
            write!(f, ": ")?;
        }
        write!(f, "{}", inner.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.inner.kind)
            .field("text", &self.to_string())
            .field("source", &self.inner.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_names_operation_and_container_and_leaves_the_cause_to_the_chain() {
        let id: ContainerId = "web".parse().unwrap();
        let error = Error::new(ErrorKind::System, "the state directory cannot be written")
            .during("create")
            .on(&id)
            .because(std::io::Error::other("disk on fire"));
        assert_eq!(error.to_string(), "create container web: the state directory cannot be written");
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("disk on fire"));
    }

    #[test]
    fn the_first_name_given_stays() {
        let error = Error::new(ErrorKind::NotFound, "x").during("wait").during("run");
        assert_eq!(error.operation(), "wait");
    }
}
