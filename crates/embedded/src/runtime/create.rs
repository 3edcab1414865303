//! Making a container: take the name, give birth to a monitor, wait for its answer.
//!
//! The name is taken by making the container's directory, exclusively, with its lock held from the first moment. What
//! an earlier life left under the name without a container in it is removed first.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libcontainerd_core::ports::runtime::{CreateRequest, Created};
use libcontainerd_core::{ContainerId, Error as CoreError, ErrorKind, Result};
use libcontainerd_durable::{Dir, Error as DiskError, Lock, write_new};

use super::Inner;
use super::birth::give_birth;
use super::connection::{Connection, PATIENT};
use super::look::{Found, look};
use crate::error::Error;
use crate::record::Lifetime;
use crate::wire::{Answer, Launch, Request};
use crate::{layout, lease, own_directory, recover};

/// How long a container that is deleted may take to be gone.
const DEPARTURE: Duration = Duration::from_secs(5);

impl Inner {
    /// Makes a container.
    ///
    /// # Errors
    /// `AlreadyExists`; what the monitor answers. Nothing is left of it then.
    pub(super) async fn create(self: &Arc<Self>, request: CreateRequest) -> Result<Created> {
        let id = request.id.clone();
        let inner = Arc::clone(self);
        let connection = super::blocking(move || inner.launch(request)).await?;
        let mut connection = Connection::adopt(connection)?;
        let answer = match connection.answer(PATIENT).await {
            Err(error) if error.kind() == ErrorKind::Unavailable => self.made_after_all(&id, error)?,
            answer => answer?,
        };
        match answer {
            Answer::Created { pid } => {
                self.guard(&id, Some(connection));
                Ok(Created::new(Some(pid)))
            }
            _ => Err(Error::Confused.into()),
        }
    }

    /// Asks the journal when the monitor died before it could answer.
    fn made_after_all(&self, id: &ContainerId, error: CoreError) -> Result<Answer> {
        let found = look(&self.run, id).ok();
        let made = found.as_ref().and_then(|found| found.history.as_ref()).and_then(|history| history.init());
        match made {
            Some(init) => Ok(Answer::Created { pid: init.made.pid }),
            None => Err(error),
        }
    }

    fn launch(&self, request: CreateRequest) -> Result<UnixStream> {
        let image = self.image.open()?;
        let id = request.id.clone();
        let owner = request.lease.map(lease::owner).transpose()?;
        let lifetime = Lifetime { owner, removal: request.removal };
        let (run, lock) = self.take_name(&request.id)?;
        self.launch_in(&run, image, request, lifetime, lock.as_fd()).inspect_err(|_| {
            // The monitor never lived: what was made for it is ours to remove.
            let _ = own_directory::remove(&self.run, &run, &id);
        })
    }

    fn launch_in(
        &self,
        run: &Dir,
        image: std::os::fd::OwnedFd,
        request: CreateRequest,
        lifetime: Lifetime,
        lock: std::os::fd::BorrowedFd<'_>,
    ) -> Result<UnixStream> {
        let spec = serde_json::to_vec(&request.spec)
            .map_err(|e| CoreError::new(ErrorKind::InvalidArgument, "the spec has no text").because(e))?;
        write_new(run, layout::SPEC, 0o600, None, &spec, false).map_err(Error::disk("write the container's spec"))?;
        let launch = Launch {
            cgroup_name: layout::cgroup_name(self.state.path(), request.instance),
            cgroup_parent: self.cgroup_parent.clone(),
            id: request.id,
            instance: request.instance,
            state: self.state.path().to_owned(),
            data: self.data.clone(),
            bundle: request.bundle,
            spec: request.spec,
            rootfs: request.rootfs,
            user: request.user,
            endpoints: request.endpoints,
            lifetime,
        };
        give_birth(image, Request::Create(Box::new(launch)), lock)
    }

    /// Makes the container's directory, with its lock held.
    fn take_name(&self, id: &ContainerId) -> Result<(Dir, Lock)> {
        for _ in 0..16 {
            match self.run.make(id.as_str(), 0o700, None) {
                Ok(run) => {
                    if let Some(lock) = self.lock_new(&run, id)? {
                        return Ok((run, lock));
                    }
                }
                Err(DiskError::Exists(_)) => self.clear_name(id)?,
                Err(error) => {
                    return Err(Error::Disk { act: "make the container's directory", source: error }.into());
                }
            }
        }
        Err(taken(id))
    }

    /// Takes the lock of a directory that was just made; `None` when it is gone again: somebody looked in between, saw
    /// nothing of a container in it, and has cleared it away.
    fn lock_new(&self, run: &Dir, id: &ContainerId) -> Result<Option<Lock>> {
        let deadline = Instant::now() + DEPARTURE;
        loop {
            let lock = own_directory::lock(&self.run, run, id).map_err(Error::disk("lock the container"))?;
            if lock.is_some() || !own_directory::has_name(&self.run, run, id) || Instant::now() > deadline {
                return Ok(lock);
            }
            // Nothing tells when a lock is given back: it is a matter of a millisecond.
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Removes what is under a name if it is no container.
    fn clear_name(&self, id: &ContainerId) -> Result<()> {
        let Some(found) = self.await_departure(id)? else { return Ok(()) };
        if found.supervised || found.container(id).is_ok_and(|history| history.init().is_some()) {
            return Err(taken(id));
        }
        match own_directory::lock(&self.run, &found.run, id).map_err(Error::disk("lock the container"))? {
            Some(_lock) => recover::settle(&self.state, &self.data, id).map(drop),
            None if own_directory::has_name(&self.run, &found.run, id) => Err(taken(id)),
            None => Ok(()),
        }
    }

    /// Waits until one that is said to be deleted has gone, directory and all: its monitor is at it.
    fn await_departure(&self, id: &ContainerId) -> Result<Option<Found>> {
        let deadline = Instant::now() + DEPARTURE;
        loop {
            let found = match look(&self.run, id) {
                Ok(found) => found,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            let is_going = found.supervised && found.history.as_ref().is_some_and(|history| history.deleted);
            if !is_going || Instant::now() > deadline {
                return Ok(Some(found));
            }
            // Nothing tells when a directory is gone: it is a matter of a millisecond.
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn taken(id: &ContainerId) -> CoreError {
    let text = "a container of that name exists; remove it with `lctr rm`, or choose another name";
    CoreError::new(ErrorKind::AlreadyExists, text).on(id)
}
