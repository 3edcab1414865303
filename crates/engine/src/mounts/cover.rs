//! What must not be seen in a container although its root or a bind contains it.
//!
//! A caller who gives `/` as the root names its own state here. Both sides are resolved on the host,
//! so that a link in between changes nothing.

use std::path::{Path, PathBuf};

use super::{Act, Place};
use crate::error::Error;
use crate::plan::c_string;

/// Resolves the directories to hide; one that does not exist hides nothing.
pub(crate) fn resolve(directories: &[PathBuf]) -> Vec<PathBuf> {
    directories.iter().filter_map(|directory| directory.canonicalize().ok()).collect()
}

/// The acts that hide what of `covers` is in `source`, once that is mounted at `destination` (a
/// relative path, or `.`).
pub(crate) fn covers_below(covers: &[PathBuf], source: &Path, destination: &Path) -> Result<Vec<Act>, Error> {
    let Ok(source) = source.canonicalize() else {
        return Ok(Vec::new());
    };
    let inside = covers.iter().filter_map(|cover| cover.strip_prefix(&source).ok());
    inside
        .map(|rest| {
            let path = match destination.as_os_str().as_encoded_bytes() {
                b"." => rest.to_owned(),
                _ => destination.join(rest),
            };
            let path = path.components().collect::<PathBuf>();
            let path = if path.as_os_str().is_empty() { PathBuf::from(".") } else { path };
            Ok(Act::Cover(Place::own(c_string(path.as_os_str(), "mounts")?, true)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(acts: Vec<Act>) -> Vec<String> {
        let path = |act| match act {
            Act::Cover(place) => place.path.into_string().unwrap(),
            other => panic!("{other:?}"),
        };
        acts.into_iter().map(path).collect()
    }

    #[test]
    fn only_what_is_inside_is_hidden() {
        let scratch = tempfile::tempdir().unwrap();
        let state = scratch.path().join("a/state");
        std::fs::create_dir_all(&state).unwrap();
        std::fs::create_dir(scratch.path().join("b")).unwrap();
        let covers = resolve(&[state.clone(), scratch.path().join("missing")]);
        assert_eq!(covers.len(), 1);
        let below = |source: &Path, destination| paths(covers_below(&covers, source, Path::new(destination)).unwrap());
        assert_eq!(below(scratch.path(), "."), ["a/state"]);
        assert_eq!(below(&scratch.path().join("a"), "mnt"), ["mnt/state"]);
        assert_eq!(below(&state, "mnt"), ["mnt"]);
        assert_eq!(below(&scratch.path().join("b"), "mnt"), Vec::<String>::new());
    }

    #[test]
    fn a_link_to_the_parent_hides_nothing_less() {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(scratch.path().join("a/state")).unwrap();
        std::os::unix::fs::symlink("a", scratch.path().join("link")).unwrap();
        let covers = resolve(&[scratch.path().join("link/state")]);
        let acts = covers_below(&covers, &scratch.path().join("link"), Path::new("x")).unwrap();
        assert_eq!(paths(acts), ["x/state"]);
    }
}
