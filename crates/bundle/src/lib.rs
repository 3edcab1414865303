//! OCI bundle directories below a state root: the adapter `DirBundleStore` of core's port `BundleStore`.
//!
//! - [`store`]: claims, makes, reads, lists and removes bundles;
//! - `layout`: where they are, the only file that knows a file name;
//! - [`remap`]: where a container whose root is another user can reach a directory of ours;
//! - `mounts`: what old versions left mounted;
//! - `error`: what failed, and what kind of failure that is to core.
//!
//! Everything on the disk goes by descriptor through the leaf `durable`, on blocking threads.
#![forbid(unsafe_code)]

mod claim;
mod error;
mod layout;
mod mounts;
pub mod remap;
pub mod store;

pub use error::Error;
pub use store::DirBundleStore;
