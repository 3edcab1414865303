//! The end that the user has set to a following: what comes is taken until then, and what happened before a moment longer.

use std::time::{Duration, SystemTime};

/// For how long after its time something may take to come.
const GRACE: Duration = Duration::from_secs(1);

/// A time at which to stop; none is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Until(pub(crate) Option<SystemTime>);

impl Until {
    /// What comes next, or nothing when the time is over.
    pub(crate) async fn next<T, E>(self, next: impl Future<Output = Result<Option<T>, E>>) -> Result<Option<T>, E> {
        let Some(until) = self.0 else { return next.await };
        let left = until.duration_since(SystemTime::now()).unwrap_or_default();
        tokio::time::timeout(left + GRACE, next).await.unwrap_or(Ok(None))
    }

    /// Whether something that happened then is too late.
    pub(crate) fn is_before(self, at: SystemTime) -> bool {
        self.0.is_some_and(|until| until < at)
    }

    /// Whether nothing that happens from now on is wanted.
    pub(crate) fn is_past(self) -> bool {
        self.is_before(SystemTime::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_there_is_taken_and_what_never_comes_is_not_waited_for() {
        let past = Until(Some(SystemTime::UNIX_EPOCH));
        assert_eq!(past.next(async { Ok::<_, ()>(Some(1)) }).await, Ok(Some(1)));
        assert_eq!(past.next(std::future::pending::<Result<Option<u8>, ()>>()).await, Ok(None));
        assert!(past.is_past() && past.is_before(SystemTime::now()));
        assert!(!Until(None).is_past());
    }
}
