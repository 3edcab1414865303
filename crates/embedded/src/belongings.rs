//! What others made for a container and what goes with it when it removes itself: its bundle and its kept output.
//!
//! Removed before the container is said to be deleted: as long as it is there its name is taken, so that nothing of a
//! successor of that name is ever touched. Only what is provably the container's is: a bundle by its name in a directory
//! directly below STATE, kept output in a directory that is called as the instance.
//!
//! Keeps: `a_bundle_elsewhere_is_left_alone`. Does not know: what is in them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};

use libcontainerd_durable::{Dir, Error as DiskError, tree};

use crate::fault::Fault;
use crate::layout;
use crate::record::{Creating, History};

/// Removes bundle and kept output; that they are gone already is fine.
///
/// # Errors
/// `Disk` or `Open`; what was removed by then is gone.
pub(crate) fn remove(state: &Dir, history: &History) -> Result<(), Fault> {
    for logs in logs(history) {
        remove_logs(&logs)?;
    }
    remove_bundle(state, &history.creating)
}

/// The directories with the kept output of the container's processes.
fn logs(history: &History) -> BTreeSet<PathBuf> {
    let instance = history.creating.instance.to_string();
    let logs = history.processes.iter().filter_map(|process| process.made.endpoints.log.as_ref());
    let all = logs.filter_map(|log| log.directory.parent());
    all.filter(|all| all.file_name() == Some(OsStr::new(&instance))).map(Path::to_owned).collect()
}

fn remove_logs(logs: &Path) -> Result<(), Fault> {
    let (Some(above), Some(name)) = (logs.parent(), logs.file_name()) else { return Ok(()) };
    match Dir::open_path(above) {
        Ok(above) => tree::remove(&above, name).map_err(Fault::disk("remove the kept output")),
        Err(error) if error.is_not_found() => Ok(()),
        Err(source) => Err(Fault::Disk { act: "open the directory of kept output", source }),
    }
}

fn remove_bundle(state: &Dir, creating: &Creating) -> Result<(), Fault> {
    let bundle = &creating.bundle;
    let (Some(shelf), Some(name)) = (bundle.parent(), bundle.file_name()) else { return Ok(()) };
    let shelf = match shelf.canonicalize() {
        Ok(shelf) => shelf,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Fault::Open { path: shelf.to_owned(), source }),
    };
    let Some(shelf) = shelf_name(state, &shelf).filter(|_| name == creating.id.as_str()) else { return Ok(()) };
    match state.open(shelf) {
        Ok(shelf) => tree::remove(&shelf, name).map_err(Fault::disk("remove the bundle")),
        Err(DiskError::Foreign { .. }) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(source) => Err(Fault::Disk { act: "open the directory of bundles", source }),
    }
}

/// The name of a directory directly below STATE that may hold bundles.
fn shelf_name<'p>(state: &Dir, shelf: &'p Path) -> Option<&'p OsStr> {
    let mut below = shelf.strip_prefix(state.path()).ok()?.components();
    match (below.next(), below.next()) {
        (Some(Component::Normal(name)), None) => Some(name).filter(|name| !layout::is_own(name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_elsewhere_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().canonicalize().unwrap();
        let state = Dir::open_root(&path.join("state"), 0o700).unwrap();
        for (shelf, is_shelf) in [
            ("state/bundles", true),
            ("state/bundles.1000.1000", true),
            ("state/run", false),
            ("state/events", false),
            ("state/bundles/deeper", false),
            ("state", false),
            ("elsewhere", false),
            ("", false),
        ] {
            assert_eq!(shelf_name(&state, &path.join(shelf)).is_some(), is_shelf, "{shelf}");
        }
    }
}
