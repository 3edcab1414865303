//! Bundles in memory: the port `BundleStore` over a map.
//!
//! A claim is the guard of a lock per name, so that two clients of one store meet at it as two programs would.
//!
//! Imitates claims, preparation over what was left, and removal; not: owners, modes, disks that fill up.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use oci_spec::runtime::Spec;
use tokio::time::timeout;

use crate::error::{Error, ErrorKind, Result};
use crate::id::ContainerId;
use crate::ports::bundle_store::{Bundle, BundleStore, Claim, Owner};

const PATIENCE: Duration = Duration::from_secs(5);

type Names = HashMap<ContainerId, Arc<tokio::sync::Mutex<()>>>;

/// The bundles of one machine in memory.
#[derive(Debug, Default)]
pub struct MemoryBundleStore {
    names: Mutex<Names>,
    bundles: Mutex<BTreeMap<ContainerId, Bundle>>,
}

impl MemoryBundleStore {
    pub(super) fn new() -> Self {
        MemoryBundleStore::default()
    }

    /// Takes a bundle away, as a runtime does that removes a container by itself.
    pub(super) fn discard(&self, id: &ContainerId) -> Option<Bundle> {
        self.bundles().remove(id)
    }

    fn bundles(&self) -> MutexGuard<'_, BTreeMap<ContainerId, Bundle>> {
        self.bundles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_of(&self, id: &ContainerId) -> Arc<tokio::sync::Mutex<()>> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.entry(id.clone()).or_default().clone()
    }
}

#[async_trait]
impl BundleStore for MemoryBundleStore {
    async fn claim(&self, id: &ContainerId) -> Result<Claim> {
        match timeout(PATIENCE, self.lock_of(id).lock_owned()).await {
            Ok(guard) => Ok(Claim::new(id.clone(), guard)),
            Err(_) => Err(Error::new(ErrorKind::WrongState, "another program is working on it").on(id)),
        }
    }

    async fn prepare(&self, claim: &Claim, spec: &Spec, _owner: Owner) -> Result<Bundle> {
        let directory = PathBuf::from("/memory/bundles").join(claim.id().as_str());
        let bundle = Bundle::new(claim.id().clone(), directory, spec.clone());
        self.bundles().insert(claim.id().clone(), bundle.clone());
        Ok(bundle)
    }

    async fn load(&self, id: &ContainerId) -> Result<Bundle> {
        let found = self.bundles().get(id).cloned();
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no bundle of that name").on(id))
    }

    async fn list(&self) -> Result<Vec<ContainerId>> {
        Ok(self.bundles().keys().cloned().collect())
    }

    async fn remove(&self, claim: &Claim) -> Result<()> {
        self.bundles().remove(claim.id());
        Ok(())
    }

    async fn clean_old_rootfs(&self, _claim: &Claim) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_claim_that_is_held_too_long_is_refused_to_the_next() {
        let store = MemoryBundleStore::new();
        let id: ContainerId = "web".parse().unwrap();
        let held = store.claim(&id).await.unwrap();
        assert_eq!(store.claim(&id).await.unwrap_err().kind(), ErrorKind::WrongState);
        drop(held);
        store.claim(&id).await.unwrap();
    }
}
