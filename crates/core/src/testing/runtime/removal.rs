//! How containers go: asked for, by themselves when they have ended, or with the program whose life they are bound to.
//!
//! The ledger gets its entry first, then the end is told; so that who asks after it finds the exit.

use std::sync::Arc;

use super::container::Container;
use super::machine::{Machine, Shared, not_found};
use crate::error::{Error, ErrorKind, Result};
use crate::event::EventKind;
use crate::id::ContainerId;
use crate::ports::runtime::{DeleteRequest, Lease, Removal, Sweep, Swept};
use crate::status::{ContainerState, Past};

/// How many removed containers are remembered.
const REMEMBERED: usize = 1000;

impl Shared {
    /// A program of the host is gone, and with it what is bound to its life.
    pub(super) fn owner_gone(self: &Arc<Self>, owner: u32) -> bool {
        let mut machine = self.machine();
        if !machine.owners.remove(&owner) {
            return false;
        }
        let bound = machine.containers.values().filter(|container| container.lease == Some(Lease::on(owner)));
        let bound: Vec<ContainerId> = bound.map(|container| container.id.clone()).collect();
        bound.iter().for_each(|id| self.end_with_owner(&mut machine, id));
        true
    }

    fn end_with_owner(self: &Arc<Self>, machine: &mut Machine, id: &ContainerId) {
        let Some(container) = machine.containers.get_mut(id) else { return };
        // Whoever removes it otherwise.
        container.removal = Removal::Ended;
        match container.init_pid() {
            Some(pid) if container.state == ContainerState::Running => self.kill(machine, id, pid),
            _ => self.remove_whole(machine, id),
        }
    }

    /// Removes a container that has ended, with what the client has made for it.
    pub(super) fn remove_whole(&self, machine: &mut Machine, id: &ContainerId) {
        let Some(container) = machine.containers.remove(id) else { return };
        let instance = container.instance;
        machine.bury(self, container);
        self.shelf.forget(instance);
        let bundle = self.bundles.discard(id);
        bundle.iter().for_each(|bundle| self.pipes.unlink_below(&bundle.directory));
    }
}

impl Machine {
    pub(super) fn delete(&mut self, shared: &Shared, request: &DeleteRequest) -> Result<()> {
        let id = &request.container;
        let container = self.container(id)?;
        if request.instance.is_some_and(|instance| instance != container.instance) {
            return Err(not_found(id));
        }
        if !matches!(container.state, ContainerState::Created | ContainerState::Stopped) {
            return Err(Error::new(ErrorKind::WrongState, "it runs; stop it first").on(id));
        }
        if let Some(container) = self.containers.remove(id) {
            self.bury(shared, container);
        }
        Ok(())
    }

    /// Writes a container that is no more into the ledger, and tells its end.
    fn bury(&mut self, shared: &Shared, mut container: Container) {
        let now = shared.clock.now();
        container.state = ContainerState::Stopped;
        self.past.push_front(container.past(now));
        self.past.truncate(REMEMBERED);
        shared.log.push(container.event(EventKind::Deleted, now));
        container.processes.iter().for_each(|process| process.streams.let_go_of_input());
        container.processes.iter().for_each(|process| process.streams.end_output());
    }

    pub(super) fn remembered(&self, id: Option<&ContainerId>) -> Vec<Past> {
        self.past.iter().filter(|past| id.is_none_or(|id| past.id == *id)).cloned().collect()
    }

    pub(super) fn sweep(&mut self, how: Sweep) -> Vec<Swept> {
        match how {
            Sweep::Remove => std::mem::take(&mut self.litter),
            _ => self.litter.clone(),
        }
    }

    /// # Errors
    /// `InvalidArgument` when the owner is not alive.
    pub(super) fn check_lease(&self, lease: Option<Lease>) -> Result<()> {
        match lease {
            Some(lease) if !self.owners.contains(&lease.owner) => {
                Err(Error::new(ErrorKind::InvalidArgument, "the program to whose life it is to be bound is not alive"))
            }
            _ => Ok(()),
        }
    }
}
