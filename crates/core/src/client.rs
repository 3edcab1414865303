//! The client: every operation of the supervisor, written once over the ports.
//!
//! - [`request`]: what the operations are asked;
//! - `create`, `start`, `exec`, `signal`, `resize`, `attach`, `logs`, `wait`, `past`, `autopsy`, `kill`, `delete`,
//!   `sweep`, `observe`: one operation a file;
//! - `table` (containers and their locks), `order` (what may be told when), `queue` (the backend, one call after the
//!   other), `notify` (who waits for an exit), `feed` (the runtime's events), `resync` (what is true after a gap),
//!   `closer` (the end of stdin), `backoff`.
//!
//! Decided: what changes something runs in a task of its own once it has its name's lock, so that a dropped future
//! leaves no half; signals, resizes and the close of stdin take no lock, so that a kill never waits behind what hangs.
//! Keeps: exits, order, input and locks of the promises; `tests/` beside the parts.
//! Does not know: which runtime, which streams and which bundles are below.

mod attach;
mod autopsy;
mod backoff;
mod closer;
mod create;
mod delete;
mod exec;
mod feed;
mod kill;
mod logs;
mod notify;
mod observe;
mod order;
mod past;
mod queue;
mod resize;
mod resync;
mod signal;
mod start;
mod sweep;
mod table;
mod tasks;
mod wait;

#[cfg(test)]
mod tests;

pub mod request;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::error::{Error, ErrorKind, Result};
use crate::event::StateChange;
use crate::id::{ContainerId, ProcessRef};
use crate::ports::backend::Backend;
use crate::ports::bundle_store::BundleStore;
use crate::ports::process_io::{ProcessIo, Streams};
use crate::ports::runtime::Runtime;

use feed::Feed;
use order::Order;
use resync::Doubt;
use table::{Container, Outcome, Table};
use tasks::Tasks;

pub use logs::{LONGEST_LINE, LogEntry, LogLine, LogLines, LogStream, Logs};
pub use request::{Attach, Autopsy, CreateOption, Delete, Force, NewContainer, Snapshot, Stop, Summary};
pub use wait::Until;

/// Supervises the containers of one runtime.
///
/// Create, start and delete of one container exclude each other and its execs, which share; all else runs at any time,
/// and different containers never wait for each other. No lock is held while the backend is told of a change.
/// [`Backend::attach_streams`] is called within the operation that starts the process, and may call anything but
/// another create, start or delete of that container, or an exec while it is being made.
///
/// Cheap to clone: all clones are one client. It needs a tokio runtime only while operations run, and belongs to the
/// one in which its first operation ran. When the last clone is dropped the subscription to the runtime's events
/// ends; containers go on. A backend that keeps a client keeps it alive: give it one that it can let go.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

impl Client {
    /// A client of `runtime`, with streams from `io` and bundles in `bundles`.
    pub fn builder(runtime: Arc<dyn Runtime>, io: Arc<dyn ProcessIo>, bundles: Arc<dyn BundleStore>) -> ClientBuilder {
        ClientBuilder { runtime, io, bundles, backend: Arc::new(Silent) }
    }

    /// The adapter of streams, for copying between them by the fastest road.
    pub fn io(&self) -> &Arc<dyn ProcessIo> {
        &self.shared.io
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("runtime", &self.shared.runtime).finish_non_exhaustive()
    }
}

/// Makes a [`Client`].
#[derive(Debug)]
pub struct ClientBuilder {
    runtime: Arc<dyn Runtime>,
    io: Arc<dyn ProcessIo>,
    bundles: Arc<dyn BundleStore>,
    backend: Arc<dyn Backend>,
}

impl ClientBuilder {
    /// Gives streams and changes to `backend`; without one streams are dropped and changes ignored.
    #[must_use]
    pub fn backend(mut self, backend: Arc<dyn Backend>) -> Self {
        self.backend = backend;
        self
    }

    /// The client. Nothing is asked of the ports yet.
    pub fn build(self) -> Client {
        let ClientBuilder { runtime, io, bundles, backend } = self;
        let table = Table::new(Arc::clone(&runtime), backend, Arc::clone(&io));
        Client {
            shared: Arc::new(Shared { runtime, io, bundles, table, feed: Feed::default(), tasks: Tasks::default() }),
        }
    }
}

/// What all clones of a client share.
struct Shared {
    runtime: Arc<dyn Runtime>,
    io: Arc<dyn ProcessIo>,
    bundles: Arc<dyn BundleStore>,
    table: Table,
    /// The one subscription to the runtime's events; made when it is first needed.
    feed: Feed,
    /// What goes on in the background; ends with the client.
    tasks: Tasks,
}

impl Shared {
    /// Takes a step in the story of a container, and sees to what it leaves to do.
    fn advance<T>(self: &Arc<Self>, container: &Arc<Container>, step: impl FnOnce(&mut Order) -> T) -> T {
        let outcome = container.update(step);
        self.follow_up(container, outcome)
    }

    /// Sees to what a step has left to do.
    fn follow_up<T>(self: &Arc<Self>, container: &Arc<Container>, outcome: Outcome<T>) -> T {
        if outcome.over {
            self.table.forget(container);
        } else if outcome.waits {
            self.conclude_later(container, Doubt::Waiting);
        }
        outcome.value
    }
}

/// The backend of a client that was given none.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl Backend for Silent {
    async fn attach_streams(&self, _process: &ProcessRef, _streams: Streams) -> Result<()> {
        Ok(())
    }

    async fn state_changed(&self, _container: &ContainerId, _change: &StateChange) -> Result<()> {
        Ok(())
    }
}

/// What a mutex guards. That another thread panicked with it changes nothing: no step leaves it half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the answer was lost: what was asked for may have been done.
fn is_lost(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::DeadlineExceeded)
}

/// Whether a process that was to be signalled is no more.
fn is_past(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::WrongState)
}
