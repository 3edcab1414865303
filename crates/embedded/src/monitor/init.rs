//! The making of a container and its first process.
//!
//! Everything is made here but the program's start: cgroup, layer for the writes, streams, process. What fails on the
//! way takes all of it with it, before anybody is told, so that a client that hears of a failure finds a clean state.
//!
//! Keeps: "a failed create leaves nothing behind".

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use libcontainerd_core::process::User;
use libcontainerd_core::rootfs::Rootfs;
use libcontainerd_core::stdio::Endpoints;
use libcontainerd_core::{Error, ProcessId};
use libcontainerd_durable::{Dir, Error as DiskError, write_new};
use libcontainerd_engine::identity::UserRequest;
use libcontainerd_engine::{Cgroup, InitRequest, Plan, Root, Stdio, Upper};
use oci_spec::runtime::Process;
use rustix::fs::{Mode, OFlags};

use super::caller::Caller;
use super::clients::ClientKey;
use super::keeping::Keeper;
use super::process::Supervised;
use super::streams::{Ends, Streams};
use super::{Monitor, account};
use crate::fault::Fault;
use crate::wire::{Answer, Failure};
use crate::{layout, recover};

impl Monitor<'_> {
    /// Begins to make the container; the answer follows once it is made.
    pub(super) fn make_init(&mut self, endpoints: Endpoints, asker: ClientKey) {
        if let Err(fault) = self.try_make_init(endpoints, asker) {
            self.abandon(Failure::from(&Error::from(fault)), Some(asker));
        }
    }

    /// Removes everything of a container that could not be made, says so, and ends.
    pub(super) fn abandon(&mut self, failure: Failure, asker: Option<ClientKey>) -> ! {
        let shared = self.shared;
        shared.diary.note(format_args!("the container cannot be made: {}", failure.message));
        // The gate of whoever waits at it closes with this, and its process ends.
        self.processes.clear();
        let creating = &self.journal.history().creating;
        let place = (&shared.state, &shared.run);
        if let Err(fault) = recover::remove_all(place, &shared.container.data, creating, self.cgroup.take()) {
            shared.diary.note(format_args!("something of it is left: {fault}"));
        }
        if let Some(asker) = asker {
            self.clients.answer(asker, &Answer::Failed(failure));
        }
        self.end()
    }

    fn try_make_init(&mut self, endpoints: Endpoints, asker: ClientKey) -> Result<(), Fault> {
        self.hold_owner()?;
        let container = &self.shared.container;
        let process = container.spec.process().as_ref().ok_or(Fault::NoProcess)?;
        let request = named(container.user.as_ref())?;
        let creating = self.journal.history().creating.clone();
        let owner = account::uid(process, request.as_ref(), || open_root(creating.rootfs.directory()))?;
        let resources = container.spec.linux().as_ref().and_then(|linux| linux.resources().as_ref());
        self.cgroup = Some(Cgroup::create(&self.host, &self.place(), resources).map_err(Fault::Engine)?);
        let (mut streams, ends) = Streams::open(&endpoints, owner, Caller::at(self.clients.connection(asker)))?;
        let keeper = Keeper::open(&endpoints, &mut streams)?;
        let root = self.root(&creating.rootfs)?;
        let spawned = self.spawn_init(root, request.as_ref(), stdio(ends.as_ref(), &endpoints))?;
        let made = Supervised::plan(ProcessId::init(), 0, owner, process, endpoints);
        self.processes.push(Supervised::new(made, spawned, (streams, keeper), asker)?);
        Ok(())
    }

    fn spawn_init(
        &self,
        root: Root,
        user: Option<&UserRequest>,
        stdio: Stdio<'_>,
    ) -> Result<libcontainerd_engine::Spawned, Fault> {
        let container = &self.shared.container;
        let cover = [self.shared.state.path().to_owned(), container.data.clone()];
        let request = InitRequest {
            spec: &container.spec,
            bundle: &self.journal.history().creating.bundle,
            id: container.id.as_str(),
            root,
            user,
            stdio,
            cgroup: self.cgroup.as_ref().ok_or(Fault::NoJournal)?,
            cover: &cover,
        };
        Plan::init(&self.host, request).and_then(Plan::spawn).map_err(Fault::Engine)
    }

    /// The engine's word for the root file system; the layer that takes an overlay's writes is made.
    fn root(&self, rootfs: &Rootfs) -> Result<Root, Fault> {
        match rootfs {
            Rootfs::Directory(path) => Ok(Root::Directory(path.clone())),
            Rootfs::ReadOnly(path) => Ok(Root::ReadOnly(path.clone())),
            Rootfs::Overlay(path) => Ok(Root::Overlay { lower: path.clone(), upper: Upper::Directory(self.layer()?) }),
            _ => Err(Fault::Place),
        }
    }

    fn layer(&self) -> Result<PathBuf, Fault> {
        let failed = || Fault::disk("make the layer for the container's changes");
        let data = Dir::open_root(&self.shared.container.data, 0o700).map_err(failed())?;
        let layers = data.ensure(layout::OVERLAY, 0o700).map_err(failed())?;
        let instance = self.shared.container.instance.to_string();
        let layer = layers.ensure(&instance, 0o700).map_err(failed())?;
        let mark = layout::state_hash(self.shared.state.path());
        match write_new(&layer, layout::MARK, 0o600, None, mark.as_bytes(), false) {
            Ok(()) | Err(DiskError::Exists(_)) => {}
            Err(error) => return Err(failed()(error)),
        }
        Ok(layer.path().to_owned())
    }
}

/// A user that is written in words.
pub(super) fn named(user: Option<&User>) -> Result<Option<UserRequest>, Fault> {
    account::take_on(&mut Process::default(), user)
}

/// A process's streams as the engine takes them.
pub(super) fn stdio<'e>(ends: Option<&'e Ends>, endpoints: &Endpoints) -> Stdio<'e> {
    let size = endpoints.terminal.unwrap_or_default();
    ends.map_or(Stdio::Terminal { columns: size.columns, rows: size.rows }, Ends::as_stdio)
}

/// Opens a directory, to look names up below it.
pub(super) fn open_root(path: &std::path::Path) -> Result<OwnedFd, Fault> {
    rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| Fault::Open { path: path.to_owned(), source: errno.into() })
}
