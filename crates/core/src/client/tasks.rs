//! Who runs what: operations that outlive their futures, and background work that ends with the client.

use std::future::Future;
use std::sync::Mutex;

use tokio::task::{AbortHandle, JoinSet};
use tracing::Instrument;

use super::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::id::ContainerId;

/// The background work of a client. Dropping it ends it.
#[derive(Debug, Default)]
pub(super) struct Tasks(Mutex<JoinSet<()>>);

impl Tasks {
    /// Runs `work` until it is done or the client is dropped.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let mut tasks = lock(&self.0);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(work)
    }
}

/// Runs an operation within the caller's future, in a span of its own.
pub(super) async fn within<T>(
    operation: &'static str,
    id: &ContainerId,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let span = tracing::info_span!("client", operation, container.id = %id);
    work.instrument(span).await.map_err(|e| e.during(operation).on(id))
}

/// Runs an operation to its end, also when the returned future is dropped meanwhile.
pub(super) async fn to_the_end<T: Send + 'static>(
    operation: &'static str,
    id: &ContainerId,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let span = tracing::info_span!("client", operation, container.id = %id);
    let done = tokio::spawn(work.instrument(span)).await;
    let lost = |e| Error::new(ErrorKind::Internal, "the operation was torn down before its end").because(e);
    done.unwrap_or_else(|e| Err(lost(e))).map_err(|e| e.during(operation).on(id))
}
