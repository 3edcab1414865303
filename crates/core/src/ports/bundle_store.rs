//! The port `BundleStore`: where bundles are prepared, found and removed.
//!
//! A name is claimed before anything is made under it, so that two programs that create, delete or clean up the same
//! name meet at the claim and not in each other's files.

use std::any::Any;
use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use oci_spec::runtime::Spec;

use crate::error::Result;
use crate::id::ContainerId;

/// The host's ids of a container's root.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// The right to make or remove what has a name; given back when dropped, or when the program dies.
pub struct Claim {
    id: ContainerId,
    _guard: Box<dyn Any + Send + Sync>,
}

impl Claim {
    /// The right to `id`, for as long as `guard` lives.
    pub fn new(id: ContainerId, guard: impl Any + Send + Sync) -> Self {
        Claim { id, _guard: Box::new(guard) }
    }

    /// The name.
    pub fn id(&self) -> &ContainerId {
        &self.id
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claim({})", self.id)
    }
}

/// A prepared bundle.
#[derive(Clone)]
#[non_exhaustive]
pub struct Bundle {
    /// The container's name.
    pub id: ContainerId,
    /// Its directory, absolute.
    pub directory: PathBuf,
    /// Its spec.
    pub spec: Spec,
}

impl Bundle {
    /// The bundle of `id` in `directory`.
    pub fn new(id: ContainerId, directory: PathBuf, spec: Spec) -> Self {
        Bundle { id, directory, spec }
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The spec holds the environment.
        f.debug_struct("Bundle").field("id", &self.id).field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// Keeps bundles.
///
/// # Implementers
/// Called concurrently, for one name only by the holder of its claim, except `load` and `list`. Names that are read
/// back are parsed again; what is no name is skipped.
#[async_trait]
pub trait BundleStore: fmt::Debug + Send + Sync {
    /// Claims a name, waiting for a short time (5 s) while another program holds it.
    ///
    /// # Errors
    /// `WrongState` when the other holds it longer.
    async fn claim(&self, id: &ContainerId) -> Result<Claim>;

    /// Makes the bundle of the claimed name, readable by nobody but `owner` and us. What is left of an earlier one of
    /// that name is removed first: the caller has made sure that it is not in use.
    ///
    /// # Errors
    /// `ResourceExhausted` on a full disk, `PermissionDenied`, `System`; after an error nothing is left.
    async fn prepare(&self, claim: &Claim, spec: &Spec, owner: Owner) -> Result<Bundle>;

    /// Reads a bundle.
    ///
    /// # Errors
    /// `NotFound`; `InvalidArgument` when its spec cannot be read.
    async fn load(&self, id: &ContainerId) -> Result<Bundle>;

    /// The names of all bundles, sorted.
    async fn list(&self) -> Result<Vec<ContainerId>>;

    /// Removes the bundle of the claimed name; a missing one is fine. Never follows a link out of the store.
    ///
    /// # Errors
    /// `System`, with what could not be removed.
    async fn remove(&self, claim: &Claim) -> Result<()>;

    /// Detaches root file systems that older versions left mounted for that name.
    ///
    /// # Errors
    /// `System` when the mount table cannot be read.
    async fn clean_old_rootfs(&self, claim: &Claim) -> Result<()>;
}
