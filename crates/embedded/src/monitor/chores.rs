//! What is done once everybody knows what happened: reaping, cleaning up, removing.
//!
//! Told before removed: nothing here begins before the facts that it follows from are durable and out.

use std::os::fd::{AsFd, OwnedFd};

use super::Monitor;
use super::clients::ClientKey;
use crate::fault::Fault;
use crate::record::Fact;
use crate::recover;
use crate::sys::{self, Which};
use crate::wire::Answer;

/// Something to do later in the same turn.
#[derive(Debug)]
pub(super) enum Chore {
    /// Reap a child whose exit is told.
    Reap(OwnedFd),
    /// Remove the cgroup of a process that has ended.
    RemoveLeaf(u64),
    /// Remove the cgroups of a container that has stopped.
    Clean,
    /// Remove the container.
    Delete(ClientKey),
}

impl Monitor<'_> {
    /// Does all that is to be done.
    pub(super) fn do_chores(&mut self) {
        while !self.chores.is_empty() {
            for chore in std::mem::take(&mut self.chores) {
                match chore {
                    Chore::Reap(process) => sys::reap(Which::Descriptor(process.as_fd())),
                    Chore::RemoveLeaf(number) if number != 0 => self.remove_leaf(number),
                    Chore::RemoveLeaf(_) => {}
                    Chore::Clean => self.clean(),
                    Chore::Delete(key) => self.delete(key),
                }
            }
            self.tell();
        }
    }

    /// Removes what the kernel holds for a container that has stopped.
    fn clean(&mut self) {
        if let Err(fault) = self.try_clean() {
            self.shared.diary.note(format_args!("the cgroups stay until the container is deleted: {fault}"));
        }
        if let Some(key) = self.deleting.take() {
            self.chores.push(Chore::Delete(key));
        }
    }

    fn try_clean(&mut self) -> Result<(), Fault> {
        if self.journal.history().cleaned {
            return Ok(());
        }
        if let Some(cgroup) = &self.cgroup {
            recover::remove_cgroup(cgroup)?;
        }
        self.cgroup = None;
        self.journal.record(Fact::Cleaned);
        Ok(())
    }

    /// Removes the container and everything that was made for it, and ends.
    fn delete(&mut self, key: ClientKey) {
        if let Err(fault) = self.try_clean() {
            return self.clients.refuse(key, fault);
        }
        self.journal.record(Fact::Deleted);
        self.tell();
        let shared = self.shared;
        let creating = &self.journal.history().creating;
        match recover::remove_files(&shared.state, &shared.container.data, creating) {
            Ok(()) => self.clients.answer(key, &Answer::Done),
            Err(fault) => self.clients.refuse(key, fault),
        }
        self.end()
    }
}
