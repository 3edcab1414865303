//! Removing a container: by its monitor while that lives, else here, under its lock.

use std::sync::Arc;

use libcontainerd_core::ports::runtime::DeleteRequest;
use libcontainerd_core::{Error as CoreError, ErrorKind, Result};

use super::Inner;
use super::connection::PATIENT;
use super::look::{look, not_found};
use super::reach::Reached;
use crate::error::Error;
use crate::own_directory;
use crate::recover;
use crate::wire::{Answer, Request};

impl Inner {
    /// Removes a stopped container and all that was made for it.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` while it runs.
    pub(super) async fn delete(self: &Arc<Self>, request: DeleteRequest) -> Result<()> {
        let id = &request.container;
        for _ in 0..3 {
            match self.reach(id).await? {
                Reached::Monitor(mut connection) => {
                    match connection.call(Request::Delete { instance: request.instance }, PATIENT).await {
                        Ok(Answer::Done) => return Ok(()),
                        Ok(_) => return Err(Error::Confused.into()),
                        // It died, or ended because there was nothing left to supervise: look again.
                        Err(error) if error.kind() == ErrorKind::Unavailable => {
                            if matches!(look(&self.run, id), Err(e) if e.kind() == ErrorKind::NotFound) {
                                return Ok(());
                            }
                        }
                        Err(error) => return Err(error),
                    }
                }
                Reached::Finished(history) => {
                    if request.instance.is_some_and(|instance| instance != history.creating.instance) {
                        return Err(not_found(id));
                    }
                    if self.delete_here(&request).await? {
                        return Ok(());
                    }
                }
            }
        }
        Err(CoreError::new(ErrorKind::Unavailable, "its monitor keeps dying; try again").on(id))
    }

    /// Removes a container that has no monitor; `false` when somebody else is at it.
    async fn delete_here(self: &Arc<Self>, request: &DeleteRequest) -> Result<bool> {
        let (inner, request) = (Arc::clone(self), request.clone());
        super::blocking(move || {
            let id = &request.container;
            let found = look(&inner.run, id)?;
            let lock = own_directory::lock(&inner.run, &found.run, id).map_err(Error::disk("lock the container"))?;
            if lock.is_none() {
                return Ok(false);
            }
            // Only now nobody else can change it.
            let found = look(&inner.run, id)?.under_our_lock();
            let history = found.container(id)?;
            if request.instance.is_some_and(|instance| instance != history.creating.instance) {
                return Err(not_found(id));
            }
            if found.is_orphan() {
                return Ok(false);
            }
            recover::remove(&inner.state, &inner.data, id)?;
            Ok(true)
        })
        .await
    }
}
