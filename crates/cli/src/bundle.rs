//! An OCI bundle of the caller's: a directory with a `config.json` and a root file system.
//!
//! Read once, as a value, so that the caller can see what in it nobody here knows before anything is made of it.

use std::fmt;
use std::path::{Path, PathBuf};

use libcontainerd_core::rootfs::Rootfs;
use libcontainerd_core::{Error, ErrorKind, Result, spec};
use oci_spec::runtime::Spec;

const CONFIG: &str = "config.json";
const LARGEST: u64 = 16 << 20;

/// A bundle that was read.
#[derive(Clone)]
#[non_exhaustive]
pub struct Bundle {
    /// Its spec.
    pub spec: Spec,
    /// Its root file system, written into unless the spec says read-only.
    pub rootfs: Rootfs,
    /// Whether its program expects a terminal.
    pub terminal: bool,
    /// Properties of its spec that nobody here knows, as dotted paths: they will have no effect.
    pub unknown: Vec<String>,
}

impl Bundle {
    /// Reads the bundle in `directory`.
    ///
    /// # Errors
    /// `InvalidArgument` when there is no `config.json`, or it is over 16 MiB, no spec, or names no root.
    pub fn read(directory: impl AsRef<Path>) -> Result<Self> {
        let directory = directory.as_ref();
        let path = directory.join(CONFIG);
        let read = spec::read(&bounded(&path)?)?;
        let rootfs = rootfs(directory, &read.spec)?;
        let terminal = read.spec.process().as_ref().is_some_and(|process| process.terminal().unwrap_or(false));
        Ok(Bundle { spec: read.spec, rootfs, terminal, unknown: read.unknown })
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The spec holds the environment.
        f.debug_struct("Bundle").field("rootfs", &self.rootfs).field("unknown", &self.unknown).finish_non_exhaustive()
    }
}

fn bounded(path: &Path) -> Result<Vec<u8>> {
    let wrong = |e| {
        let text = format!("the bundle's {} cannot be read", path.display());
        Error::new(ErrorKind::InvalidArgument, text).because(e)
    };
    let size = std::fs::metadata(path).map_err(wrong)?.len();
    if size > LARGEST {
        return Err(wrong(std::io::Error::from(std::io::ErrorKind::FileTooLarge)));
    }
    std::fs::read(path).map_err(wrong)
}

fn rootfs(directory: &Path, spec: &Spec) -> Result<Rootfs> {
    let Some(root) = spec.root() else {
        return Err(Error::new(ErrorKind::InvalidArgument, "the bundle's config.json names no root"));
    };
    let path: PathBuf = std::path::absolute(directory.join(root.path()))
        .map_err(|e| Error::new(ErrorKind::InvalidArgument, "the bundle's root has no absolute path").because(e))?;
    Ok(if root.readonly().unwrap_or(false) { Rootfs::ReadOnly(path) } else { Rootfs::Directory(path) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(json: &str) -> (tempfile::TempDir, Result<Bundle>) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(CONFIG), json).unwrap();
        let read = Bundle::read(directory.path());
        (directory, read)
    }

    #[test]
    fn the_root_is_taken_from_the_bundles_directory() {
        let (directory, read) = bundle(r#"{"ociVersion":"1.2.0","root":{"path":"tree","readonly":true}}"#);
        assert_eq!(read.unwrap().rootfs, Rootfs::ReadOnly(directory.path().join("tree")));
        let (_directory, read) = bundle(r#"{"ociVersion":"1.2.0","root":{"path":"/abs"}}"#);
        assert_eq!(read.unwrap().rootfs, Rootfs::Directory("/abs".into()));
    }

    #[test]
    fn what_nobody_knows_is_named() {
        let (_directory, read) = bundle(r#"{"ociVersion":"1.2.0","root":{"path":"/","color":1},"warp":true}"#);
        let mut unknown = read.unwrap().unknown;
        unknown.sort();
        assert_eq!(unknown, ["root.color", "warp"]);
    }

    #[test]
    fn a_bundle_that_cannot_be_read_is_the_callers_mistake() {
        let (_directory, broken) = bundle("{");
        assert_eq!(broken.unwrap_err().kind(), ErrorKind::InvalidArgument);
        let (_directory, rootless) = bundle(r#"{"ociVersion":"1.2.0"}"#);
        assert_eq!(rootless.unwrap_err().kind(), ErrorKind::InvalidArgument);
        assert_eq!(Bundle::read("/no/such/bundle").unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}
