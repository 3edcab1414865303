//! Sweep: finds what killed programs have left behind, names it, and removes it if told to.
//!
//! First the runtime's part, then bundles of which the runtime knows no container, then kept output of creations that
//! are no more. A bundle is made before its container, under a claim: one that is claimed is left alone, and nobody
//! makes a container under the name while it is looked at.
//!
//! Decided: what cannot be removed is named with its reason and stops nothing.

use std::sync::Arc;

use super::{Client, Shared};
use crate::error::{ErrorKind, Result};
use crate::id::{ContainerId, Instance};
use crate::ports::bundle_store::Claim;
use crate::ports::runtime::{Sweep, Swept};

impl Client {
    /// Finds what killed programs have left behind and belongs to no container any more, and removes it unless it is
    /// only to be found. Touches nothing of a container that is there, or that somebody is making.
    ///
    /// # Errors
    /// The ports', where they cannot look; what cannot be removed says so in its [`Swept`].
    ///
    /// # Cancellation
    /// What is removed is removed; the rest stays for the next time.
    pub async fn sweep(&self, how: Sweep) -> Result<Vec<Swept>> {
        self.shared.sweep(how).await.map_err(|e| e.during("sweep"))
    }
}

impl Shared {
    async fn sweep(self: &Arc<Self>, how: Sweep) -> Result<Vec<Swept>> {
        let mut swept = self.runtime.sweep(how).await?;
        for id in self.bundles.list().await? {
            swept.extend(self.sweep_bundle(&id, how).await?);
        }
        swept.extend(self.io.sweep(&self.living().await?, how).await?);
        Ok(swept)
    }

    /// The bundle of that name, if it belongs to no container.
    async fn sweep_bundle(&self, id: &ContainerId, how: Sweep) -> Result<Option<Swept>> {
        if self.is_there(id).await? {
            return Ok(None);
        }
        let claim = match self.bundles.claim(id).await {
            Ok(claim) => claim,
            Err(error) if error.kind() == ErrorKind::WrongState => return Ok(None),
            Err(error) => return Err(error),
        };
        // It may have been made, or removed, while the claim was waited for.
        let bundle = match self.bundles.load(id).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Ok(bundle) => bundle.directory.display().to_string(),
            Err(_) => format!("the bundle of {id}"),
        };
        if self.is_there(id).await? {
            return Ok(None);
        }
        let mut swept = Swept::new("directory", bundle);
        if how == Sweep::Remove {
            swept.failed = self.remove_bundle(&claim).await;
        }
        Ok(Some(swept))
    }

    async fn remove_bundle(&self, claim: &Claim) -> Option<String> {
        self.bundles.remove(claim).await.err().map(|error| error.to_string())
    }

    async fn is_there(&self, id: &ContainerId) -> Result<bool> {
        match self.runtime.state(id).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The creations that are there, or that this client is making.
    async fn living(&self) -> Result<Vec<Instance>> {
        let mut living: Vec<_> = self.table.all().iter().map(|container| container.instance).collect();
        living.extend(self.runtime.list().await?.iter().map(|status| status.instance));
        Ok(living)
    }
}
