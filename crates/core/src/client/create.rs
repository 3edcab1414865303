//! Create: everything of a container but its program's start.
//!
//! The name is claimed and found free, the request is completed by its options and checked; then bundle and streams
//! are made, and the streams are with the backend before the runtime makes the container. The container is followed
//! before it is made, so that no early event is lost.
//!
//! Decided: a failure at any step undoes all steps before it, in reverse, and the first error is the answer.
//!
//! Keeps: "a failed create leaves nothing behind"; `tests/create.rs`.

pub(super) mod check;

use std::sync::Arc;

use super::order::Order;
use super::table::Container;
use super::tasks::to_the_end;
use super::{Attach, Client, NewContainer, Shared, is_lost};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ContainerId, Instance, ProcessId, ProcessRef};
use crate::ports::bundle_store::{Bundle, Claim};
use crate::ports::process_io::IoRequest;
use crate::ports::runtime::{CreateRequest, Created, DeleteRequest};
use crate::status::ContainerState;

impl Client {
    /// Makes a container: everything but the start of its program.
    ///
    /// Once it returned, the container waits for [`Client::start`], and its live streams are with the backend.
    ///
    /// # Errors
    /// `AlreadyExists` when the name is taken; an option's error; `InvalidArgument` when the request is wrong; the
    /// backend's error for the streams; the ports' errors. After any of them nothing of the container is left, and
    /// streams that the backend has by then may never end: it lets go of them.
    ///
    /// # Cancellation
    /// Dropped while it waits for its turn, nothing happens. Later the create goes on in the background: it succeeds,
    /// or undoes itself.
    pub async fn create(&self, id: &ContainerId, new: NewContainer) -> Result<Created> {
        let turn = self.shared.table.gate(id).write_owned().await;
        let (shared, name) = (Arc::clone(&self.shared), id.clone());
        to_the_end("create", id, async move {
            let _turn = turn;
            shared.create(&name, new).await
        })
        .await
    }
}

impl Shared {
    async fn create(self: &Arc<Self>, id: &ContainerId, mut new: NewContainer) -> Result<Created> {
        let claim = self.bundles.claim(id).await?;
        self.refuse_taken(id).await?;
        apply_options(&mut new)?;
        check::complete(&mut new)?;
        check::able(&new, &self.runtime.capabilities())?;
        self.subscribe().await?;
        let instance = Instance::random()?;
        if let Some(before) = self.table.find(id) {
            // The runtime has it no longer: the events of its end are on their way.
            self.outlast(&before).await;
        }
        let container = self.table.replace(id, instance, Order::making());
        let mut making = Making { shared: self, container, claim, bundle: None, streams: None };
        let made = making.make(new).await;
        if made.is_err() {
            making.undo().await;
        }
        made
    }

    async fn refuse_taken(&self, id: &ContainerId) -> Result<()> {
        match self.runtime.state(id).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(Error::new(
                ErrorKind::AlreadyExists,
                "a container of that name is already active; delete it first or take another name",
            )),
        }
    }
}

fn apply_options(new: &mut NewContainer) -> Result<()> {
    while !new.options.is_empty() {
        for option in std::mem::take(&mut new.options) {
            option.apply(new)?;
        }
    }
    Ok(())
}

/// A container that is being made, and what is to be undone if that fails.
struct Making<'a> {
    shared: &'a Arc<Shared>,
    container: Arc<Container>,
    claim: Claim,
    bundle: Option<Bundle>,
    streams: Option<IoRequest>,
}

impl Making<'_> {
    async fn make(&mut self, new: NewContainer) -> Result<Created> {
        let owner = check::owner(&new.spec)?;
        let bundle = self.shared.bundles.prepare(&self.claim, &new.spec, owner).await?;
        self.container.set_bundle(&bundle.directory);
        self.bundle = Some(bundle.clone());
        let init = self.container.process(&ProcessId::init());
        let mut streams = IoRequest::new(init.clone(), bundle.directory.clone(), new.stdio);
        streams.instance = Some(self.container.instance);
        let endpoints = self.shared.io.prepare(&streams).await?;
        self.streams = Some(streams.clone());
        self.container.keep_streams(&init.process, streams.clone());
        if new.attach == Attach::Streams {
            self.attach(&init, &streams).await?;
        }
        let (id, instance) = (self.container.id.clone(), self.container.instance);
        let mut request = CreateRequest::new(id, instance, bundle.directory, bundle.spec, new.rootfs, endpoints);
        request.user = new.user;
        (request.lease, request.removal) = (new.lease, new.removal);
        let created = self.ask(request).await?;
        self.shared.advance(&self.container, Order::made);
        Ok(created)
    }

    async fn attach(&self, init: &ProcessRef, streams: &IoRequest) -> Result<()> {
        let closer = self.container.closer(&init.process);
        let opened = self.shared.io.open(streams, closer).await?;
        self.container.queue.attach(init.clone(), opened).await
    }

    /// Asks the runtime; when its answer is lost, what it did.
    async fn ask(&self, request: CreateRequest) -> Result<Created> {
        let error = match self.shared.runtime.create(request).await {
            Err(error) if is_lost(&error) => error,
            answer => return answer,
        };
        let made = |state| !matches!(state, ContainerState::Creating);
        match self.shared.runtime.state(&self.container.id).await {
            Ok(status) if status.instance == self.container.instance && made(status.state) => {
                Ok(Created::new(status.init().and_then(|init| init.pid)))
            }
            _ => {
                let ours = DeleteRequest::new(self.container.id.clone(), Some(self.container.instance));
                // It is most likely not there, and the first error is the one to tell.
                let _ = self.shared.runtime.delete(ours).await;
                Err(error)
            }
        }
    }

    async fn undo(self) {
        let id = &self.container.id;
        if let Some(streams) = &self.streams
            && let Err(error) = self.shared.io.remove(streams).await
        {
            tracing::warn!(container.id = %id, %error, "streams of a failed create stay behind");
        }
        let kept = self.streams.as_ref().is_some_and(|streams| streams.stdio.keeps());
        if kept && let Err(error) = self.shared.io.forget(self.container.instance).await {
            tracing::warn!(container.id = %id, %error, "kept output of a failed create stays behind");
        }
        if self.bundle.is_some()
            && let Err(error) = self.shared.bundles.remove(&self.claim).await
        {
            tracing::warn!(container.id = %id, %error, "the bundle of a failed create stays behind");
        }
        self.container.abandon();
        self.shared.table.forget(&self.container);
    }
}
