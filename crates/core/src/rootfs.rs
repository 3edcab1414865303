//! What a container sees as its root.
//!
//! A value of the core's, since OCI has no word for "an overlay that goes with the container"; each runtime says how
//! it mounts it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A container's root file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rootfs {
    /// This directory of the host's, written into.
    Directory(PathBuf),
    /// This directory of the host's, never written into.
    ReadOnly(PathBuf),
    /// This directory of the host's below a layer that takes all changes and goes with the container.
    Overlay(PathBuf),
}

impl Rootfs {
    /// The directory of the host's.
    pub fn directory(&self) -> &PathBuf {
        match self {
            Rootfs::Directory(path) | Rootfs::ReadOnly(path) | Rootfs::Overlay(path) => path,
        }
    }
}
