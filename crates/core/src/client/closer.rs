//! The end of one process's stdin: passed on exactly once, and never before the process runs.
//!
//! The wish to close (from the stream or from an operation), the start and the exit come in any order. The wish is
//! kept until the start, then sent; after the exit it is forgotten. While the runtime does not answer it is repeated,
//! since a lost close would leave the process reading for ever; a repeated one does no harm.
//!
//! Keeps: "input"; `closer/tests.rs` tries every order.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::backoff::Backoff;
use super::lock;
use crate::error::{ErrorKind, Result};
use crate::id::ProcessRef;
use crate::ports::process_io::ProcessLink;
use crate::ports::runtime::Runtime;

/// The end of one process's stdin.
#[derive(Debug)]
pub(super) struct Closer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    process: ProcessRef,
    runtime: Arc<dyn Runtime>,
    /// Streams are closed from anywhere; the wish is sent from here.
    tasks: Handle,
    stage: Mutex<Stage>,
    /// Whether the process has ended.
    over: watch::Sender<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not started; whether the close is wanted as soon as it is.
    Waiting {
        wanted: bool,
    },
    Running,
    /// The close was sent, or is on its way.
    Closed,
    Ended,
}

impl Closer {
    /// The end of `process`'s stdin, which has not started. Must be called within a tokio runtime.
    pub(super) fn new(process: ProcessRef, runtime: Arc<dyn Runtime>) -> Self {
        let stage = Mutex::new(Stage::Waiting { wanted: false });
        let over = watch::Sender::new(false);
        Closer(Arc::new(Inner { process, runtime, tasks: Handle::current(), stage, over }))
    }

    /// The process runs.
    pub(super) fn started(&self) {
        let wanted = {
            let mut stage = lock(&self.0.stage);
            let Stage::Waiting { wanted } = *stage else { return };
            *stage = if wanted { Stage::Closed } else { Stage::Running };
            wanted
        };
        if wanted {
            self.send();
        }
    }

    /// The process has ended.
    pub(super) fn ended(&self) {
        *lock(&self.0.stage) = Stage::Ended;
        self.0.over.send_replace(true);
    }

    /// Closes, and waits until the runtime has taken it; at once where there is nothing to send now.
    ///
    /// # Errors
    /// As the runtime's, but for a process that is gone.
    pub(super) async fn closed(&self) -> Result<()> {
        match self.wish() {
            true => self.send().await.unwrap_or(Ok(())),
            false => Ok(()),
        }
    }

    /// Notes the wish, and says whether to send it now.
    fn wish(&self) -> bool {
        let mut stage = lock(&self.0.stage);
        match *stage {
            Stage::Waiting { .. } => {
                *stage = Stage::Waiting { wanted: true };
                false
            }
            Stage::Running => {
                *stage = Stage::Closed;
                true
            }
            Stage::Closed | Stage::Ended => false,
        }
    }

    fn send(&self) -> tokio::task::JoinHandle<Result<()>> {
        self.0.tasks.spawn(send(Arc::clone(&self.0)))
    }
}

#[async_trait]
impl ProcessLink for Closer {
    fn close(&self) {
        if self.wish() {
            self.send();
        }
    }

    async fn ended(&self) {
        // The sender is ours: it lives as long as we wait.
        let _ = self.0.over.subscribe().wait_for(|over| *over).await;
    }
}

async fn send(closer: Arc<Inner>) -> Result<()> {
    let mut backoff = Backoff::new();
    loop {
        let error = match closer.runtime.close_stdin(&closer.process).await {
            Ok(()) => return Ok(()),
            Err(e) => e,
        };
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::WrongState => return Ok(()),
            ErrorKind::Unavailable | ErrorKind::DeadlineExceeded => {}
            _ => return Err(give_back(&closer, error)),
        }
        if *lock(&closer.stage) == Stage::Ended {
            return Ok(());
        }
        tokio::time::sleep(backoff.wait()).await;
    }
}

/// A close that was refused may be wished again.
fn give_back(closer: &Inner, error: crate::Error) -> crate::Error {
    tracing::warn!(process = %closer.process, %error, "stdin could not be closed");
    let mut stage = lock(&closer.stage);
    if *stage == Stage::Closed {
        *stage = Stage::Running;
    }
    error
}
