//! The client's one subscription to the runtime's events, for as long as the client lives.
//!
//! Made before the first container is created or looked at. Each event goes to the container that is followed under
//! its name, if it is that instance; all others are logged and skipped. A subscription that breaks is opened again
//! from the cursor, with growing waits; when events were lost, and whenever it was broken, every followed container
//! is looked at afresh.
//!
//! Keeps: "exits", over breaks of the connection; `tests/feed.rs`.
//! Does not know: what an event means.

use std::sync::{Arc, Weak};

use tokio::task::AbortHandle;

use super::Shared;
use super::backoff::Backoff;
use crate::cursor::{Cursor, Since};
use crate::error::{ErrorKind, Result};
use crate::event::Event;
use crate::ports::runtime::{EventSource, Runtime};

/// The subscription's task, once there is one.
#[derive(Debug, Default)]
pub(super) struct Feed(tokio::sync::Mutex<Option<AbortHandle>>);

impl Shared {
    /// Subscribes, unless that is done: what happens after this returned is heard.
    ///
    /// # Errors
    /// The runtime's.
    pub(super) async fn subscribe(self: &Arc<Self>) -> Result<()> {
        let mut task = self.feed.0.lock().await;
        if task.as_ref().is_some_and(|task| !task.is_finished()) {
            return Ok(());
        }
        let source = self.runtime.events(Since::Now).await?;
        let listener = Listener {
            shared: Arc::downgrade(self),
            runtime: Arc::clone(&self.runtime),
            cursor: None,
            backoff: Backoff::new(),
        };
        if task.replace(self.tasks.spawn(listener.run(source))).is_some() {
            // The one before was torn down: nobody knows what it missed.
            self.resync();
        }
        Ok(())
    }

    /// Brings an event to its container.
    fn hear(self: &Arc<Self>, event: &Event) {
        match self.table.find(&event.container) {
            Some(container) if container.instance == event.instance => {
                self.advance(&container, |order| order.event(event));
            }
            Some(_) => tracing::debug!(container.id = %event.container, "an event of another instance is ignored"),
            None => tracing::trace!(container.id = %event.container, "an event of an unknown container is ignored"),
        }
    }
}

struct Listener {
    shared: Weak<Shared>,
    runtime: Arc<dyn Runtime>,
    /// The position after the last event that was heard.
    cursor: Option<Cursor>,
    backoff: Backoff,
}

impl Listener {
    async fn run(mut self, mut source: Box<dyn EventSource>) {
        loop {
            match source.next().await {
                Ok(Some((event, after))) => {
                    self.cursor = Some(after);
                    self.backoff.reset();
                    let Some(shared) = self.shared.upgrade() else { return };
                    shared.hear(&event);
                    continue;
                }
                Ok(None) => tracing::info!("the runtime's events ended; subscribing again"),
                Err(error) => {
                    tracing::warn!(%error, "the runtime's events broke; subscribing again");
                    self.forget_lost(error.kind());
                }
            }
            source = self.reopen().await;
            let Some(shared) = self.shared.upgrade() else { return };
            shared.resync();
        }
    }

    /// Subscribes again, from where the events broke if they are still kept there.
    async fn reopen(&mut self) -> Box<dyn EventSource> {
        loop {
            tokio::time::sleep(self.backoff.wait()).await;
            let since = self.cursor.clone().map_or(Since::Now, Since::Cursor);
            match self.runtime.events(since).await {
                Ok(source) => return source,
                Err(error) => {
                    tracing::debug!(%error, "the runtime's events cannot be followed yet");
                    self.forget_lost(error.kind());
                }
            }
        }
    }

    /// After a gap the position is worthless: the events after it are no longer kept.
    fn forget_lost(&mut self, kind: ErrorKind) {
        if kind == ErrorKind::Gap {
            self.cursor = None;
        }
    }
}
