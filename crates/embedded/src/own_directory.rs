//! A container's own directory: held by lock, and taken away at once.
//!
//! Whoever removes it holds its lock and first takes its name away, in one step, so that the next container of that name
//! has another directory from the beginning. The lock's file goes with the rest: who opened the directory before can
//! lock a file in it again, and so a lock counts only in the directory that has the name.
//!
//! Keeps: `a_directory_that_is_going_is_not_taken_for_its_successor`.

use libcontainerd_core::ContainerId;
use libcontainerd_durable::{Dir, Error, Lock, tree};
use rustix::fs::AtFlags;

use crate::layout;

/// What the name of a directory begins with that is being removed; no id does.
const DEPARTED: &str = ".gone-";
/// How often a name is tried to be taken away while others remove what went before.
const ATTEMPTS: usize = 16;

/// Takes the lock of the directory `run` of `id`, below `all`; `None` when somebody has it, or the directory is not that
/// name's any more.
///
/// # Errors
/// When the lock cannot be made or taken.
pub(crate) fn lock(all: &Dir, run: &Dir, id: &ContainerId) -> Result<Option<Lock>, Error> {
    match Lock::try_exclusive(run, layout::LOCK) {
        Ok(lock) => Ok(lock.filter(|_| has_name(all, run, id))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes the directory `run` of `id`, below `all`, whose lock the caller holds; that it is gone is fine.
///
/// # Errors
/// The act that failed.
pub(crate) fn remove(all: &Dir, run: &Dir, id: &ContainerId) -> Result<(), Error> {
    let departed = format!("{DEPARTED}{id}");
    for attempt in 1.. {
        if !has_name(all, run, id) {
            break;
        }
        match all.rename(id.as_str(), &departed) {
            Err(error) if attempt == ATTEMPTS => return Err(error),
            // An earlier one of that name is not removed to its end.
            Err(_) => tree::remove(all, &departed)?,
            Ok(()) => break,
        }
    }
    tree::remove(all, &departed)
}

/// Whether that is the name of a directory that is being removed.
pub(crate) fn is_departed(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(DEPARTED))
}

/// Whether the directory `run` has the name `id`.
pub(crate) fn has_name(all: &Dir, run: &Dir, id: &ContainerId) -> bool {
    let named = rustix::fs::statat(all, id.as_str(), AtFlags::SYMLINK_NOFOLLOW);
    let held = rustix::fs::fstat(run);
    matches!((named, held), (Ok(one), Ok(other)) if (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_going_is_not_taken_for_its_successor() {
        let place = tempfile::tempdir().unwrap();
        let all = Dir::open_root(&place.path().join("run"), 0o700).unwrap();
        let id: ContainerId = "c".parse().unwrap();
        let old = all.make("c", 0o700, None).unwrap();
        let seen = all.open("c").unwrap();
        let held = lock(&all, &old, &id).unwrap().unwrap();
        assert!(lock(&all, &seen, &id).unwrap().is_none());
        // As far as a remover may have come, and a successor by then.
        all.rename("c", ".gone-c").unwrap();
        old.remove_file(layout::LOCK).unwrap();
        let new = all.make("c", 0o700, None).unwrap();
        assert!(lock(&all, &seen, &id).unwrap().is_none());
        remove(&all, &old, &id).unwrap();
        assert!(lock(&all, &new, &id).unwrap().is_some());
        drop(held);
        remove(&all, &new, &id).unwrap();
        remove(&all, &new, &id).unwrap();
        assert!(all.names().unwrap().is_empty());
    }
}
