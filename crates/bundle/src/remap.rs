//! Where a container whose root is another user can reach a directory: the original's rule of path suffixes.
//!
//! The path is walked from `/`. A component that is missing, or that others may not pass through, gets `.UID.GID`
//! appended and is to be made for that user; the walk goes on below the new one. This file decides only; it is for
//! programs that bring a path of their own. Below our own root, bundles of mapped roots have a fixed place.
//!
//! Source: semantics of the original's bundle directories.

use std::path::{Component, Path, PathBuf};

use libcontainerd_core::ports::bundle_store::Owner;

use crate::layout;

/// A path that `owner` can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remapped {
    /// The path.
    pub path: PathBuf,
    /// What has to be made for that, in this order, mode 0700 and belonging to the owner; to exist is fine.
    pub to_make: Vec<PathBuf>,
}

/// Finds where `owner` can reach what is at the absolute path `path` for us. `is_open` tells whether a path exists and
/// has the execute bit for others.
///
/// For the owner (0, 0), without a user namespace, it is the path itself, and nothing is asked.
///
/// # Errors
/// That of `is_open`.
pub fn remapped<E>(
    path: &Path,
    owner: Owner,
    mut is_open: impl FnMut(&Path) -> Result<bool, E>,
) -> Result<Remapped, E> {
    let mut found = Remapped { path: PathBuf::from("/"), to_make: Vec::new() };
    if layout::is_ours(owner) {
        return Ok(Remapped { path: path.to_owned(), ..found });
    }
    for component in path.components() {
        let Component::Normal(name) = component else { continue };
        let plain = found.path.join(name);
        if is_open(&plain)? {
            found.path = plain;
            continue;
        }
        let mut suffixed = name.to_owned();
        suffixed.push(layout::suffix(owner));
        found.path.push(suffixed);
        found.to_make.push(found.path.clone());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    const MAPPED: Owner = Owner { uid: 1000, gid: 2000 };

    fn remapped_with(path: &str, owner: Owner, open: &[&str]) -> Remapped {
        let is_open = |path: &Path| Ok::<_, Infallible>(open.iter().any(|open| Path::new(open) == path));
        remapped(Path::new(path), owner, is_open).unwrap()
    }

    #[test]
    fn without_a_mapping_the_path_stays_and_nothing_is_asked() {
        let asked = |_: &Path| Err("asked");
        let found = remapped(Path::new("/run/x"), Owner::default(), asked).unwrap();
        assert_eq!(found, Remapped { path: "/run/x".into(), to_make: Vec::new() });
    }

    #[test]
    fn a_path_that_all_may_pass_stays() {
        let found = remapped_with("/run/x", MAPPED, &["/run", "/run/x"]);
        assert_eq!(found, Remapped { path: "/run/x".into(), to_make: Vec::new() });
    }

    #[test]
    fn a_closed_last_component_gets_the_suffix() {
        let found = remapped_with("/run/x", MAPPED, &["/run"]);
        assert_eq!(found.path, Path::new("/run/x.1000.2000"));
        assert_eq!(found.to_make, [PathBuf::from("/run/x.1000.2000")]);
    }

    #[test]
    fn below_a_suffixed_component_each_missing_one_gets_it_too() {
        let found = remapped_with("/run/x/y", MAPPED, &["/run", "/run/x/y"]);
        assert_eq!(found.path, Path::new("/run/x.1000.2000/y.1000.2000"));
        assert_eq!(found.to_make.len(), 2);
    }

    #[test]
    fn below_a_suffixed_component_an_open_one_is_used() {
        let found = remapped_with("/run/x/y", MAPPED, &["/run", "/run/x.1000.2000/y"]);
        assert_eq!(found.path, Path::new("/run/x.1000.2000/y"));
        assert_eq!(found.to_make, [PathBuf::from("/run/x.1000.2000")]);
    }

    #[test]
    fn an_error_of_asking_is_passed_on() {
        assert_eq!(remapped(Path::new("/run"), MAPPED, |_| Err("denied")), Err("denied"));
    }

    proptest! {
        #[test]
        fn every_component_is_kept_with_or_without_suffix(
            names in prop::collection::vec("[a-z]{1,4}", 1..6),
            open: u8,
        ) {
            let path = PathBuf::from("/").join(names.join("/"));
            let mut asked = 0;
            let is_open = |_: &Path| {
                asked += 1;
                Ok::<_, Infallible>(open >> asked & 1 == 1)
            };
            let found = remapped(&path, MAPPED, is_open).unwrap();
            let found: Vec<String> =
                found.path.iter().skip(1).map(|name| name.to_str().unwrap().replace(".1000.2000", "")).collect();
            prop_assert_eq!(found, names);
        }
    }
}
