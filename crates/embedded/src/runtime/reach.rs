//! The way to a container's monitor, whatever state it is in.
//!
//! Nobody there is no error by itself: a monitor that is being replaced answers in a moment; one that died with its
//! witness leaves a container that is settled here (its processes are gone) or adopted (they live); one that ended
//! because its container did leaves a journal that tells all.
//!
//! Keeps: "nobody hangs" of the promises about recovery.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use libcontainerd_core::{ContainerId, Error as CoreError, ErrorKind, Result};
use libcontainerd_durable::Lock;
use tokio::time::Instant;

use super::Inner;
use super::birth::give_birth;
use super::connection::{Connection, PATIENT};
use super::look::{Found, look, not_found};
use crate::error::Error;
use crate::own_directory;
use crate::record::History;
use crate::recover::{self, Settled};
use crate::wire::{Adopt, Answer, Request};

/// How long a monitor may be between two lives.
const BETWEEN_LIVES: Duration = Duration::from_secs(10);

/// What was found at the end of the way.
#[derive(Debug)]
pub(super) enum Reached {
    /// A monitor that listens.
    Monitor(Connection),
    /// No monitor, and none is needed: the container has stopped and only its records are left.
    Finished(Box<History>),
}

impl Inner {
    /// Reaches the monitor of `id`.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable` when it is being made or replaced for too long.
    pub(super) async fn reach(self: &Arc<Self>, id: &ContainerId) -> Result<Reached> {
        let deadline = Instant::now() + BETWEEN_LIVES;
        let mut pause = Duration::from_millis(1);
        loop {
            let found = look(&self.run, id)?;
            if found.supervised {
                match Connection::open(&found.run).await {
                    Ok(connection) => return Ok(Reached::Monitor(connection)),
                    Err(Error::Connect(e)) if is_passing(&e) => {}
                    Err(error) => return Err(error.into()),
                }
            } else if !found.is_orphan() {
                return Ok(Reached::Finished(Box::new(found.container(id)?.clone())));
            } else if let Some(reached) = self.rescue(id, found).await? {
                return Ok(reached);
            }
            if Instant::now() > deadline {
                let text = "its monitor is being made or replaced for too long; is it stopped?";
                return Err(CoreError::new(ErrorKind::Unavailable, text).on(id));
            }
            // Nothing tells when a successor listens: it is a matter of a millisecond.
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    /// Settles or adopts a container that nobody supervises; `None` when somebody else is at it.
    async fn rescue(self: &Arc<Self>, id: &ContainerId, found: Found) -> Result<Option<Reached>> {
        let lock = own_directory::lock(&self.run, &found.run, id).map_err(Error::disk("lock the container"))?;
        let Some(lock) = lock else {
            return Ok(None);
        };
        let (inner, of) = (Arc::clone(self), id.clone());
        match super::blocking(move || inner.settle_or_adopt(of, &lock)).await? {
            (Settled::Adopt, Some(connection)) => {
                let mut connection = Connection::adopt(connection)?;
                match connection.answer(PATIENT).await? {
                    Answer::Done => Ok(Some(Reached::Monitor(connection))),
                    _ => Err(Error::Confused.into()),
                }
            }
            (Settled::Stopped, _) => Ok(None),
            _ => Err(not_found(id)),
        }
    }

    /// Finds out what has become of a container, and starts a monitor for one that lives.
    pub(super) fn settle_or_adopt(&self, id: ContainerId, lock: &Lock) -> Result<(Settled, Option<UnixStream>)> {
        let settled = recover::settle(&self.state, &self.data, &id)?;
        if settled != Settled::Adopt {
            return Ok((settled, None));
        }
        let task = Adopt { id, state: self.state.path().to_owned(), data: self.data.clone() };
        let connection = give_birth(self.image.open()?, Request::Adopt(Box::new(task)), lock.as_fd())?;
        Ok((settled, Some(connection)))
    }
}

/// Whether a failed connection is that of a moment: no socket yet, nobody listening yet, a queue that is full.
fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, NotFound, WouldBlock};
    matches!(error.kind(), NotFound | ConnectionRefused | ConnectionReset | WouldBlock)
}
