//! Where bundles are: the only file that knows a file name.
//!
//! ```text
//! ROOT/                       0711, ours
//!   bundles/<id>/             0700, ours
//!   bundles.UID.GID/          0710, ours, the group GID may pass through
//!     <id>/                   0700, UID:GID, who is the root of the container's user namespace
//!       config.json           0600, UID:GID
//!   claims/<id>               0600, ours, locked by whoever makes or removes a bundle of that name
//! ```
//! Ids are one level below names of ours. What holds bundles is ours: else mapped roots could move bundles about.
//! Keeps: `c29_ids_that_look_like_names_of_ours_are_ids`, `what_is_no_name_of_ours_is_skipped`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use libcontainerd_core::id::ContainerId;
use libcontainerd_core::ports::bundle_store::Owner;
use libcontainerd_durable::{Dir, Error, owner};

/// The spec in a bundle.
pub(crate) const SPEC: &str = "config.json";
/// What old versions mounted in a bundle.
const OLD_ROOTFS: &str = "rootfs";

const BUNDLES: &str = "bundles";
const CLAIMS: &str = "claims";

const ROOT_MODE: u32 = 0o711;
const OURS_MODE: u32 = 0o700;
const PASSAGE_MODE: u32 = 0o710;

/// A state root, by its path; nothing is made or opened until asked for.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

/// A directory that holds bundles, all of the same owner.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) dir: Dir,
    pub(crate) owner: Owner,
}

impl Layout {
    pub(crate) fn new(root: PathBuf) -> Layout {
        Layout { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Opens the directory for claims, making it and the root where missing.
    pub(crate) fn make_claims(&self) -> Result<Dir, Error> {
        Dir::open_root(&self.root, ROOT_MODE)?.ensure(CLAIMS, OURS_MODE)
    }

    /// Opens the directory for bundles of `owner`, making it and the root where missing.
    pub(crate) fn make_shelf(&self, owner: Owner) -> Result<Shelf, Error> {
        let root = Dir::open_root(&self.root, ROOT_MODE)?;
        if is_ours(owner) {
            return Ok(Shelf { dir: root.ensure(BUNDLES, OURS_MODE)?, owner });
        }
        let name = mapped_name(owner);
        let passage = Some((owner::ours(), owner.gid));
        match root.make(&name, PASSAGE_MODE, passage) {
            Err(Error::Exists(_)) => Ok(Shelf { dir: root.open(&name)?, owner }),
            made => Ok(Shelf { dir: made?, owner }),
        }
    }

    /// Opens all directories that hold bundles, that of unmapped ones first; none where there is no root.
    pub(crate) fn shelves(&self) -> Result<Vec<Shelf>, Error> {
        let root = match Dir::open_path(&self.root) {
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            opened => opened?,
        };
        owner::check_dir(&root, root.path(), owner::ours())?;
        let mut names: Vec<_> =
            root.names()?.into_iter().filter_map(|name| shelf_owner(&name).map(|owner| (name, owner))).collect();
        names.sort_by(|one, other| one.0.cmp(&other.0));
        names.into_iter().map(|(name, owner)| Ok(Shelf { dir: root.open(name)?, owner })).collect()
    }

    /// Returns the directory in which the bundle of `id` lies, if `mount_point` is where an old version mounted its
    /// root file system: directly in the bundle, and the bundle below the root or one of its shelves. `root` is the
    /// root's path without links.
    pub(crate) fn shelf_of_old_mount(root: &Path, mount_point: &Path, id: &ContainerId) -> Option<PathBuf> {
        let shelf = above_bundle(mount_point, id)?;
        let below = shelf.strip_prefix(root).ok()?;
        let is_shelf = match below.components().count() {
            0 => true,
            1 => shelf_owner(below.as_os_str()).is_some(),
            _ => false,
        };
        is_shelf.then(|| shelf.to_owned())
    }
}

impl Shelf {
    /// The user that bundles in here belong to: the mapped root, or us, who need not be root.
    pub(crate) fn owner_on_disk(&self) -> u32 {
        if is_ours(self.owner) { owner::ours() } else { self.owner.uid }
    }
}

/// Tells whether bundles of that owner are ours: no user namespace is mapped.
pub(crate) fn is_ours(owner: Owner) -> bool {
    owner.uid == 0 && owner.gid == 0
}

/// What is appended to a name for `owner`'s part of it.
pub(crate) fn suffix(owner: Owner) -> String {
    format!(".{}.{}", owner.uid, owner.gid)
}

fn mapped_name(owner: Owner) -> String {
    format!("{BUNDLES}{}", suffix(owner))
}

/// Tells whose bundles a directory of that name holds; `None` when it is no name of ours.
fn shelf_owner(name: &OsStr) -> Option<Owner> {
    let name = name.to_str()?;
    if name == BUNDLES {
        return Some(Owner::default());
    }
    let (uid, gid) = name.strip_prefix(BUNDLES)?.strip_prefix('.')?.split_once('.')?;
    let owner = Owner { uid: uid.parse().ok()?, gid: gid.parse().ok()? };
    // Signs and leading zeros parse, but are not how we write.
    (mapped_name(owner) == name).then_some(owner)
}

/// Returns the directory that the bundle of `id` is in, if `mount_point` is that of its old root file system.
fn above_bundle<'a>(mount_point: &'a Path, id: &ContainerId) -> Option<&'a Path> {
    let bundle = mount_point.parent().filter(|_| mount_point.file_name() == Some(OsStr::new(OLD_ROOTFS)))?;
    bundle.parent().filter(|_| bundle.file_name() == Some(OsStr::new(id.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ContainerId {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_no_name_of_ours_is_skipped() {
        for name in
            ["", "run", "bundles.", "bundles.1", "bundles.1.2.3", "bundles.+1.2", "bundles.01.2", "xbundles.1.2"]
        {
            assert_eq!(shelf_owner(OsStr::new(name)), None, "{name}");
        }
        assert_eq!(shelf_owner(OsStr::new("bundles.4294967295.0")), Some(Owner { uid: u32::MAX, gid: 0 }));
        assert_eq!(shelf_owner(OsStr::new("bundles.4294967296.0")), None);
    }

    #[test]
    fn an_old_mount_is_one_in_a_bundle_of_ours_and_nowhere_else() {
        let found = |mount: &str| Layout::shelf_of_old_mount(Path::new("/run/x"), Path::new(mount), &id("web"));
        assert_eq!(found("/run/x/web/rootfs"), Some("/run/x".into()));
        assert_eq!(found("/run/x/bundles/web/rootfs"), Some("/run/x/bundles".into()));
        assert_eq!(found("/run/x/bundles.7.8/web/rootfs"), Some("/run/x/bundles.7.8".into()));
        for other in [
            "/run/y/web/rootfs",
            "/run/x/cobweb/rootfs",
            "/run/x/web/rootfs/proc",
            "/run/x/web/other",
            "/run/x/deep/er/web/rootfs",
            "/run/x/other/web/rootfs",
            "/run/xy/web/rootfs",
            "/web/rootfs",
            "/",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
