//! The store of bundles in directories.
//!
//! A bundle is made by taking its name exclusively on the disk, after what an earlier container left of it was removed,
//! and it is complete when its spec is: on any failure it is removed again. Everything has its final owner and mode
//! before it has contents. Names come from the disk only through the parser of ids.
//!
//! Keeps: `a_full_disk_leaves_nothing`, `c22_nobody_can_list_or_read_anything`,
//! `remove_never_follows_a_link_outside`.
//! Does not know: which files others keep in a bundle; it removes them with it.

use std::path::PathBuf;

use async_trait::async_trait;
use libcontainerd_core::error::Result as CoreResult;
use libcontainerd_core::id::ContainerId;
use libcontainerd_core::ports::bundle_store::{Bundle, BundleStore, Claim, Owner};
use libcontainerd_core::spec;
use libcontainerd_durable::{Dir, Error as DiskError, tree, write_new};
use oci_spec::runtime::Spec;

use crate::claim::{self, PATIENCE};
use crate::error::Error;
use crate::layout::{self, Layout, Shelf};
use crate::mounts;

#[cfg(test)]
mod tests;

/// The most bytes of a spec that are read: 16 MiB.
const MAX_SPEC: u64 = 16 * 1024 * 1024;

/// Keeps bundles as directories below a state root.
#[derive(Debug, Clone)]
pub struct DirBundleStore {
    layout: Layout,
    keeps_bundles: bool,
}

impl DirBundleStore {
    /// Makes a store below `state_root`, which is made when the first bundle is.
    #[must_use]
    pub fn new(state_root: PathBuf) -> DirBundleStore {
        // A relative path is that of now, whatever the program's directory will be. Without one it stays relative.
        let root = std::path::absolute(&state_root).unwrap_or(state_root);
        DirBundleStore { layout: Layout::new(root), keeps_bundles: false }
    }

    /// Keeps the bundles of containers that are gone, to be looked at: `remove` does nothing, and `prepare` writes into
    /// what is there. The original did so for `LIBCONTAINERD_NOCLEAN=1`.
    #[must_use]
    pub fn keep_bundles(mut self, keep: bool) -> DirBundleStore {
        self.keeps_bundles = keep;
        self
    }

    fn prepare_now(&self, id: &ContainerId, spec: Spec, owner: Owner) -> Result<Bundle, Error> {
        let text = serde_json::to_vec(&spec).map_err(Error::Serialize)?;
        let shelf = self.layout.make_shelf(owner).map_err(|source| self.cannot_open(source))?;
        if !self.keeps_bundles {
            self.remove_now(id, Error::RemoveStale)?;
        }
        let bundle = self.make(&shelf, id, &text).map_err(Error::Write)?;
        Ok(Bundle::new(id.clone(), bundle.path().to_owned(), spec))
    }

    fn make(&self, shelf: &Shelf, id: &ContainerId, spec: &[u8]) -> Result<Dir, DiskError> {
        let owner = numbers(shelf.owner);
        let bundle = match shelf.dir.make(id.as_str(), 0o700, owner) {
            Err(DiskError::Exists(_)) if self.keeps_bundles => {
                let kept = shelf.dir.open_of(id.as_str(), shelf.owner_on_disk())?;
                kept.remove_file(layout::SPEC)?;
                kept
            }
            made => made?,
        };
        if let Err(error) = write_new(&bundle, layout::SPEC, 0o600, owner, spec, false) {
            // What failed is told; that its rest cannot be removed either would hide it.
            let _ = tree::remove(&shelf.dir, id.as_str());
            return Err(error);
        }
        Ok(bundle)
    }

    fn load_now(&self, id: &ContainerId) -> Result<Bundle, Error> {
        for shelf in self.shelves()? {
            let directory = match shelf.dir.open_of(id.as_str(), shelf.owner_on_disk()) {
                Err(error) if error.is_not_found() => continue,
                opened => opened.map_err(Error::Read)?,
            };
            let text = match directory.read(layout::SPEC, MAX_SPEC) {
                Err(error) if error.is_not_found() => return Err(Error::NotFound),
                read => read.map_err(Error::Read)?,
            };
            let read = spec::read(&text).map_err(|error| Error::NotASpec { reason: error.message().to_owned() })?;
            return Ok(Bundle::new(id.clone(), directory.path().to_owned(), read.spec));
        }
        Err(Error::NotFound)
    }

    fn list_now(&self) -> Result<Vec<ContainerId>, Error> {
        let mut ids = Vec::new();
        for shelf in self.shelves()? {
            for name in shelf.dir.names().map_err(Error::Read)? {
                let id = name.to_str().and_then(|name| name.parse::<ContainerId>().ok());
                ids.extend(id.filter(|id| shelf.dir.open_of(id.as_str(), shelf.owner_on_disk()).is_ok()));
            }
        }
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    /// Removes the bundle wherever it is: the owner of an earlier one may have been another.
    fn remove_now(&self, id: &ContainerId, act: fn(DiskError) -> Error) -> Result<(), Error> {
        for shelf in self.shelves()? {
            tree::remove(&shelf.dir, id.as_str()).map_err(act)?;
        }
        Ok(())
    }

    fn shelves(&self) -> Result<Vec<Shelf>, Error> {
        self.layout.shelves().map_err(|source| self.cannot_open(source))
    }

    fn cannot_open(&self, source: DiskError) -> Error {
        Error::OpenRoot { root: self.layout.root().to_owned(), source }
    }
}

/// Decided: the calls on the disk are made right here. They take some tens of microseconds, and to hand them to another
/// thread and wait for its answer takes several times as long.
///
/// # Cancellation
/// Only the wait for a claim can be given up, and leaves no trace.
#[async_trait]
impl BundleStore for DirBundleStore {
    async fn claim(&self, id: &ContainerId) -> CoreResult<Claim> {
        let held = claim::claim(&self.layout, id, PATIENCE).await?;
        Ok(Claim::new(id.clone(), held))
    }

    async fn prepare(&self, claim: &Claim, spec: &Spec, owner: Owner) -> CoreResult<Bundle> {
        Ok(self.prepare_now(claim.id(), spec.clone(), owner)?)
    }

    async fn load(&self, id: &ContainerId) -> CoreResult<Bundle> {
        Ok(self.load_now(id)?)
    }

    async fn list(&self) -> CoreResult<Vec<ContainerId>> {
        Ok(self.list_now()?)
    }

    async fn remove(&self, claim: &Claim) -> CoreResult<()> {
        if self.keeps_bundles {
            return Ok(());
        }
        Ok(self.remove_now(claim.id(), Error::Remove)?)
    }

    async fn clean_old_rootfs(&self, claim: &Claim) -> CoreResult<()> {
        Ok(mounts::clean(self.layout.root(), claim.id())?)
    }
}

fn numbers(owner: Owner) -> Option<(u32, u32)> {
    (!layout::is_ours(owner)).then_some((owner.uid, owner.gid))
}
