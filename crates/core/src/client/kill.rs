//! Stop: a signal, time to end, and KILL for everyone who is left.
//!
//! Decided: the grace begins before the signal is sent, so that a runtime which hangs on the signal does not prolong
//! it; that the container ended meanwhile is what was wanted, and no error.
//!
//! Keeps: escalation at exactly the end of the grace; `tests/kill.rs`.

use std::pin::pin;
use std::sync::Arc;

use tokio::time::{Instant, timeout, timeout_at};

use super::resync::PATIENCE;
use super::table::Container;
use super::tasks::within;
use super::{Client, Shared, Stop, is_past};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ContainerId, ProcessId};
use crate::ports::runtime::SignalRequest;
use crate::signal::Signal;
use crate::status::Exit;

impl Client {
    /// Ends a container: `how.signal` to its first process, and when that has not ended after `how.grace`, KILL to
    /// everyone. Takes no lock. One that has stopped already answers with its exit.
    ///
    /// # Errors
    /// `NotFound`; `DeadlineExceeded` when it lives 10 s after it was killed.
    ///
    /// # Cancellation
    /// What was sent stays sent; a dropped call kills nobody any more.
    pub async fn stop(&self, id: &ContainerId, how: Stop) -> Result<Exit> {
        within("stop", id, self.shared.stop(id, how)).await
    }
}

impl Shared {
    async fn stop(self: &Arc<Self>, id: &ContainerId, how: Stop) -> Result<Exit> {
        let deadline = Instant::now() + how.grace;
        let container = self.followed(id).await?;
        match timeout_at(deadline, self.end(&container, how.signal)).await {
            Ok(ended) => ended,
            Err(_) => self.kill(&container).await,
        }
    }

    /// Signals the first process and waits for its end.
    async fn end(self: &Arc<Self>, container: &Arc<Container>, signal: Signal) -> Result<Exit> {
        let init = container.process(&ProcessId::init());
        if container.is_live(&init.process) {
            self.send(SignalRequest::new(init.clone(), signal)).await?;
        }
        let known = self.ended(container, &init.process).await?;
        container.queue.told(known.ticket).await;
        Ok(known.exit)
    }

    /// Kills everyone in a container and waits for its end, for at most 10 s.
    ///
    /// # Errors
    /// `DeadlineExceeded`; the runtime's.
    pub(super) async fn kill(self: &Arc<Self>, container: &Arc<Container>) -> Result<Exit> {
        let survived =
            |_| Error::new(ErrorKind::DeadlineExceeded, "it was killed and has not ended after 10 s; try again");
        let mut killed = pin!(async {
            self.send(SignalRequest::everyone(container.id.clone(), Signal::KILL)).await?;
            self.ended(container, &ProcessId::init()).await
        });
        let known = match timeout(PATIENCE, &mut killed).await {
            // It is dead; only the exits of its other processes are awaited, and that has a limit of its own.
            Err(_) if container.is_ending() => timeout(PATIENCE, killed).await,
            known => known,
        };
        let known = known.map_err(survived)??;
        container.queue.told(known.ticket).await;
        Ok(known.exit)
    }

    /// Sends a signal to who may be gone already.
    async fn send(&self, request: SignalRequest) -> Result<()> {
        match self.runtime.signal(request).await {
            Err(error) if !is_past(&error) => Err(error),
            _ => Ok(()),
        }
    }
}
