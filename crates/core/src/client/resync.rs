//! What is true of a container now, where events alone do not tell.
//!
//! A container that somebody else made is looked at before it is followed; after a break in the events every followed
//! one is looked at again. What a state does not show has ten seconds to arrive as an event, since a state may be
//! ahead of the events; then it is looked up once more, and told as it is or as unknown.
//!
//! Keeps: "never invented" of the exits, and that no waiter is left hanging; `tests/feed.rs`.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::backoff::Backoff;
use super::order::Order;
use super::table::Container;
use super::{Shared, is_lost};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ContainerId, ProcessId};
use crate::status::{ContainerStatus, Evidence};

/// How long events may be behind a state, and one exit behind another.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How long a state may be ahead of the events on a good day: so long they go first, in their order.
pub(super) const LEAD: Duration = Duration::from_secs(1);

/// Why a container has to be looked at once more.
#[derive(Debug, Clone)]
pub(super) enum Doubt {
    /// Its end is held back until the exits of its other processes are heard.
    Waiting,
    /// These processes, known at the mark, are missing in its state.
    Missing(u64, Vec<ProcessId>),
    /// The runtime does not know it.
    Gone,
}

impl Shared {
    /// The container that is followed under a name, or else the one that the runtime has.
    ///
    /// # Errors
    /// `NotFound`; the runtime's.
    pub(super) async fn followed(self: &Arc<Self>, id: &ContainerId) -> Result<Arc<Container>> {
        match self.table.find(id) {
            Some(container) => Ok(container),
            None => self.opened(id).await.map(|(container, _)| container),
        }
    }

    /// The container that the runtime has now under a name, followed from here on.
    ///
    /// # Errors
    /// `NotFound`; the runtime's.
    pub(super) async fn opened(self: &Arc<Self>, id: &ContainerId) -> Result<(Arc<Container>, ContainerStatus)> {
        self.subscribe().await?;
        loop {
            let known = self.table.find(id);
            if let Some(known) = &known {
                if let Some(status) = self.peek(known).await? {
                    return Ok((Arc::clone(known), status));
                }
                // The name is another instance's by now: the events of this one's end are on their way.
                self.outlast(known).await;
            }
            let status = self.runtime.state(id).await?;
            let container = self.table.follow(id, known.as_ref(), status.instance, Order::of(&status));
            if container.instance == status.instance {
                container.set_bundle(&status.bundle);
                // What happened between that state and the following was heard by nobody.
                let status = self.look(&container).await?.unwrap_or(status);
                return Ok((container, status));
            }
        }
    }

    /// Looks at a followed container and takes what its state tells, ahead of events that are still to come. `None`
    /// when the name is another instance's now.
    ///
    /// # Errors
    /// `NotFound`; the runtime's.
    pub(super) async fn look(self: &Arc<Self>, container: &Arc<Container>) -> Result<Option<ContainerStatus>> {
        let mark = self.advance(container, Order::mark);
        let status = self.peek(container).await?;
        if let Some(status) = &status {
            let missing = self.advance(container, |order| {
                order.observe(mark, status);
                order.missing(mark, status)
            });
            if !missing.is_empty() {
                self.conclude_later(container, Doubt::Missing(mark, missing));
            }
        }
        Ok(status)
    }

    /// Looks at a followed container and leaves it to the events to tell what is new. `None` when the name is another
    /// instance's now.
    ///
    /// # Errors
    /// `NotFound`; the runtime's.
    pub(super) async fn peek(self: &Arc<Self>, container: &Arc<Container>) -> Result<Option<ContainerStatus>> {
        match self.runtime.state(&container.id).await {
            Ok(status) => Ok((status.instance == container.instance).then_some(status)),
            Err(error) => {
                if error.kind() == ErrorKind::NotFound {
                    self.conclude_later(container, Doubt::Gone);
                }
                Err(error)
            }
        }
    }

    /// Looks at every followed container, each on its own.
    pub(super) fn resync(self: &Arc<Self>) {
        for container in self.table.all() {
            self.tasks.spawn(resync(Arc::downgrade(self), Arc::downgrade(&container)));
        }
    }

    /// Looks at a container once more when its events had their time.
    pub(super) fn conclude_later(self: &Arc<Self>, container: &Arc<Container>, doubt: Doubt) {
        self.tasks.spawn(conclude(Arc::downgrade(self), Arc::downgrade(container), doubt));
    }

    /// Looks once more, and says whether that settled it.
    async fn conclude(self: &Arc<Self>, container: &Arc<Container>, doubt: &Doubt) -> bool {
        let mark = self.advance(container, Order::mark);
        let answer = self.runtime.state(&container.id).await;
        match answer {
            Ok(status) if status.instance == container.instance => {
                self.advance(container, |order| {
                    order.observe(mark, &status);
                    give_up(order, mark, doubt);
                });
                true
            }
            Err(error) if is_unheard(&error) => {
                let waiting = matches!(doubt, Doubt::Waiting);
                if waiting {
                    self.advance(container, |order| give_up(order, mark, doubt));
                }
                waiting
            }
            Ok(_) | Err(_) => {
                self.bury(container).await;
                true
            }
        }
    }
}

/// What neither events nor state have told by now is unknown.
fn give_up(order: &mut Order, mark: u64, doubt: &Doubt) {
    match doubt {
        Doubt::Waiting if order.is_waiting() => {
            let awaited = order.awaited();
            order.give_up(mark, &awaited, Evidence::ContainerGone);
        }
        Doubt::Missing(mark, processes) => order.give_up(*mark, processes, Evidence::RuntimeState),
        Doubt::Waiting | Doubt::Gone => {}
    }
}

/// Whether an error leaves open what is true of a container.
fn is_unheard(error: &Error) -> bool {
    error.kind() != ErrorKind::NotFound
}

async fn resync(shared: Weak<Shared>, container: Weak<Container>) {
    let mut backoff = Backoff::new();
    // What the new subscription replays goes first.
    tokio::time::sleep(LEAD).await;
    while let (Some(shared), Some(container)) = (shared.upgrade(), container.upgrade()) {
        match shared.look(&container).await {
            Ok(Some(_)) => return,
            Ok(None) => return shared.conclude_later(&container, Doubt::Gone),
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) if !is_lost(&error) => tracing::warn!(container.id = %container.id, %error, "no state"),
            Err(_) => {}
        }
        drop((shared, container));
        tokio::time::sleep(backoff.wait()).await;
    }
}

async fn conclude(shared: Weak<Shared>, container: Weak<Container>, doubt: Doubt) {
    let mut wait = PATIENCE;
    let mut backoff = Backoff::new();
    loop {
        tokio::time::sleep(wait).await;
        let (Some(shared), Some(container)) = (shared.upgrade(), container.upgrade()) else { return };
        if shared.conclude(&container, &doubt).await {
            return;
        }
        wait = backoff.wait();
    }
}
