//! Looking at a container without touching it: its journal, and whether anybody supervises it.
//!
//! The journal is the truth; the lock tells whether monitor or witness lives. A journal that is gone or whose last
//! entry says deleted is no container.

use libcontainerd_core::{ContainerId, Error as CoreError, ErrorKind, Result};
use libcontainerd_durable::{Dir, Lock, journal};

use crate::error::Error;
use crate::layout;
use crate::lease;
use crate::record::History;

/// A container as it was found.
#[derive(Debug)]
pub(super) struct Found {
    /// Its own directory.
    pub(super) run: Dir,
    /// What its journal tells; nothing before its first entry.
    pub(super) history: Option<History>,
    /// Whether monitor or witness lives.
    pub(super) supervised: bool,
}

impl Found {
    /// Whether monitor and witness are gone without having brought it to its end, which for some is their removal.
    pub(super) fn is_orphan(&self) -> bool {
        let ended = |history: &History| history.stopped() && history.cleaned && !history.deleted;
        let finished = |history: &History| ended(history) && !lease::has_lapsed(history);
        !self.supervised && !self.history.as_ref().is_some_and(finished)
    }

    /// The same, for whoever holds its lock and so is who seems to supervise it.
    #[must_use]
    pub(super) fn under_our_lock(self) -> Found {
        Found { supervised: false, ..self }
    }

    /// What its journal tells, if it is a container.
    ///
    /// # Errors
    /// `NotFound` when it is not yet one, or no longer.
    pub(super) fn container(&self, id: &ContainerId) -> Result<&History> {
        self.history.as_ref().filter(|history| !history.deleted).ok_or_else(|| not_found(id))
    }
}

/// The error for a container that is not there.
pub(super) fn not_found(id: &ContainerId) -> CoreError {
    CoreError::new(ErrorKind::NotFound, "there is no such container; `lctr ps -a` lists those that are").on(id)
}

/// Looks at the container `id` below the directory of all.
///
/// # Errors
/// `NotFound` when it has no directory; `Unavailable` when its journal is of a later version.
pub(super) fn look(all: &Dir, id: &ContainerId) -> Result<Found> {
    let run = match all.open(id.as_str()) {
        Ok(run) => run,
        Err(error) if error.is_not_found() => return Err(not_found(id)),
        Err(error) => return Err(Error::Disk { act: "open the container's directory", source: error }.into()),
    };
    // The lock first: a monitor that ends between the two looks has written its last entry by then.
    let supervised = Lock::is_held(&run, layout::LOCK).map_err(Error::disk("ask who supervises the container"))?;
    let history = match journal::read(&run, layout::JOURNAL) {
        Ok(replay) => {
            History::of(&replay.records).map_err(|source| Error::Journal { path: run.path().to_owned(), source })?
        }
        Err(error) if error.is_not_found() => None,
        Err(error) => return Err(Error::Disk { act: "read the container's journal", source: error }.into()),
    };
    Ok(Found { run, history, supervised })
}

/// The names of all containers' directories, sorted; what is no name is not ours.
///
/// # Errors
/// As the disk has them.
pub(super) fn names(all: &Dir) -> Result<Vec<ContainerId>> {
    let mut ids: Vec<ContainerId> = all
        .names()
        .map_err(Error::disk("list the containers"))?
        .into_iter()
        .filter_map(|name| name.to_str().and_then(|name| name.parse().ok()))
        .collect();
    ids.sort_unstable();
    Ok(ids)
}
