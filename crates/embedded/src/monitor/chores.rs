//! What is done once everybody knows what happened: reaping, cleaning up, removing.
//!
//! Told before removed: nothing here begins before the facts that it follows from are durable and out.

use std::os::fd::{AsFd, OwnedFd};

use libcontainerd_core::Error;

use super::Monitor;
use super::clients::ClientKey;
use crate::fault::Fault;
use crate::record::Fact;
use crate::sys::{self, Which};
use crate::wire::Answer;
use crate::{belongings, ledger, recover};

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
                    Chore::RemoveLeaf(number) if number != 0 => self.remove_leaves(number),
                    Chore::RemoveLeaf(_) => {}
                    Chore::Clean => self.clean(),
                    Chore::Delete(key) => self.delete(key),
                }
            }
            self.tell();
        }
    }

    /// Takes note that nothing keeps a container that has stopped from being written down as cleaned any more.
    pub(super) fn clean_at_last(&mut self) {
        let history = self.journal.history();
        if history.stopped() && !history.cleaned && self.cgroup.is_none() && !self.leftovers.keeps_output() {
            self.chores.push(Chore::Clean);
        }
    }

    /// Removes what the kernel holds for a container that has stopped.
    ///
    /// That is written down only once all output has its end in its log: until then it needs a supervisor, and whoever
    /// finds it without one says in the log that it was broken off.
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
        if !self.leftovers.keeps_output() {
            self.journal.record(Fact::Cleaned);
        }
        Ok(())
    }

    /// Removes the container and everything that was made for it, and ends.
    fn delete(&mut self, key: ClientKey) {
        match self.remove() {
            Ok(()) => self.clients.answer(key, &Answer::Done),
            Err(fault) => {
                self.clients.refuse(key, fault);
                if !self.journal.history().deleted {
                    return;
                }
            }
        }
        self.end()
    }

    /// Removes the container and everything that was made for it: first what goes with it, its directory last.
    ///
    /// # Errors
    /// The act that failed; unless the container is said to be deleted by then, it can be tried again.
    pub(super) fn remove(&mut self) -> Result<(), Fault> {
        self.leftovers.finish(&self.shared.diary);
        self.try_clean()?;
        let shared = self.shared;
        let (state, data) = (&shared.state, &shared.container.data);
        let history = self.journal.history();
        if history.removes_itself() {
            belongings::remove(state, history)?;
        }
        if let Err(fault) = ledger::remember(state.path(), data, history) {
            shared.diary.note(format_args!("the container will not be remembered: {}", Error::from(fault)));
        }
        self.journal.record(Fact::Deleted);
        self.tell();
        recover::remove_files((state, &shared.run), data, &self.journal.history().creating)
    }
}
