//! Containers that go without being asked: their owner is gone, or they remove themselves once they have ended.
//!
//! The owner is held by descriptor, found again by its identity by every successor. When it is gone, that is written
//! down, and everybody is killed. A container that removes itself does so when all that its streams owe is delivered;
//! one whose owner is gone has nobody who could still read. Until then the monitor stays, whatever has ended.
//!
//! Keeps: `a_container_goes_with_its_owner`, `a_container_that_removes_itself_leaves_nothing_but_its_record`.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use libcontainerd_core::Error;

use super::Monitor;
use crate::fault::Fault;
use crate::identity;
use crate::record::Fact;
use crate::wire::Failure;

/// How soon, and how seldom at last, a removal that failed is tried again.
const SOON: Duration = Duration::from_secs(1);
const SELDOM: Duration = Duration::from_secs(60);

/// What a container waits for before it goes by itself.
#[derive(Debug, Default)]
pub(super) struct Departure {
    /// The program that it is bound to, as long as that lives.
    owner: Option<OwnedFd>,
    /// When a removal that failed is tried again, and how long it waits after that.
    again: Option<(Instant, Duration)>,
}

impl Departure {
    /// The owner, to wait for its end.
    pub(super) fn owner(&self) -> Option<BorrowedFd<'_>> {
        self.owner.as_ref().map(AsFd::as_fd)
    }

    /// When a removal is tried again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.again.map(|(when, _)| when)
    }

    fn postpone(&mut self) {
        let pause = self.again.map_or(SOON, |(_, pause)| (pause * 2).min(SELDOM));
        self.again = Some((Instant::now() + pause, pause));
    }
}

impl Monitor<'_> {
    /// Takes hold of the program that the container is bound to; if that is gone already, ends the container.
    ///
    /// # Errors
    /// `NoOwner` when it is gone and the container is not made yet; `System` when the kernel does not tell.
    pub(super) fn hold_owner(&mut self) -> Result<(), Fault> {
        let history = self.journal.history();
        let Some(owner) = history.creating.lifetime.owner else { return Ok(()) };
        let is_made = history.init().is_some();
        let find = || identity::open(owner.pid, owner.start_time).map_err(Fault::system("look for the owner"));
        match if history.owner_gone { None } else { find()? } {
            Some(process) => self.departure.owner = Some(process),
            None if is_made => self.owner_is_gone(),
            None => return Err(Fault::NoOwner),
        }
        Ok(())
    }

    /// The owner is gone: so is everybody in the container, as fast as the kernel kills.
    pub(super) fn owner_is_gone(&mut self) {
        self.departure.owner = None;
        let history = self.journal.history();
        if history.init().is_none() {
            let asker = self.processes.first().and_then(|init| init.asker);
            self.abandon(Failure::from(&Error::from(Fault::NoOwner)), asker);
        }
        if !history.owner_gone {
            self.shared.diary.note(format_args!("the program that the container is bound to is gone"));
            self.journal.record(Fact::OwnerGone);
        }
        self.kill_everyone();
    }

    /// Whether the container will be removed without anybody asking.
    pub(super) fn is_to_depart(&self) -> bool {
        self.departure.owner.is_some() || self.journal.history().removes_itself()
    }

    /// Removes the container, and ends with it, if its time has come.
    pub(super) fn depart_if_due(&mut self) {
        let history = self.journal.history();
        let has_ended = history.stopped() && self.processes.is_empty() && self.chores.is_empty();
        let is_drained = history.owner_gone || self.leftovers.is_empty();
        let is_time = self.departure.again.is_none_or(|(when, _)| when <= Instant::now());
        if !(history.removes_itself() && has_ended && is_drained && is_time) {
            return;
        }
        match self.remove() {
            Ok(()) => self.end(),
            Err(fault) => {
                self.shared.diary.note(format_args!("the container cannot be removed yet: {}", Error::from(fault)));
                self.departure.postpone();
            }
        }
    }
}
