//! Start: lets a created container's program run.

use std::sync::Arc;

use super::order::Order;
use super::table::Container;
use super::tasks::to_the_end;
use super::{Client, Shared, is_lost};
use crate::error::{Error, Result};
use crate::id::{ContainerId, ProcessId};
use crate::ports::runtime::Started;
use crate::status::ProcessState;

impl Client {
    /// Lets a created container's program run.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` unless it waits for its start; `StartFailed` when the program cannot be run, and then
    /// the container is stopped.
    ///
    /// # Cancellation
    /// As [`Client::create`].
    pub async fn start(&self, id: &ContainerId) -> Result<Started> {
        let turn = self.shared.table.gate(id).write_owned().await;
        let (shared, name) = (Arc::clone(&self.shared), id.clone());
        to_the_end("start", id, async move {
            let _turn = turn;
            let container = shared.followed(&name).await?;
            shared.start(&container).await
        })
        .await
    }
}

impl Shared {
    async fn start(self: &Arc<Self>, container: &Arc<Container>) -> Result<Started> {
        let init = ProcessId::init();
        let begun = self.advance(container, Order::begin_init);
        let answer = match self.runtime.start(&container.id).await {
            Err(error) if is_lost(&error) => self.what_runs(container, &init, error).await,
            answer => answer,
        };
        let Some(stamp) = begun else { return answer };
        match &answer {
            Ok(started) => self.advance(container, |order| order.started(&init, stamp, started.pid)),
            Err(_) => {
                self.advance(container, |order| order.failed(&init, stamp));
                // A program that cannot be run has ended its container, whether an event says so or not. An error
                // here changes nothing: the events come all the same.
                let _ = self.look(container).await;
            }
        }
        answer
    }

    /// Whether a process whose start was not answered runs.
    ///
    /// # Errors
    /// `error`, unless it does.
    pub(super) async fn what_runs(&self, container: &Container, process: &ProcessId, error: Error) -> Result<Started> {
        let Ok(status) = self.runtime.state(&container.id).await else { return Err(error) };
        if status.instance != container.instance {
            return Err(error);
        }
        match status.process(process) {
            Some(found) if found.state == ProcessState::Running => {
                let at = status.started_at.filter(|_| process.is_init()).unwrap_or_else(std::time::SystemTime::now);
                Ok(Started::new(found.pid.unwrap_or(0), at))
            }
            _ => Err(error),
        }
    }
}
