//! Which program runs as the monitor, and how it is opened.
//!
//! In this order: a path that the caller gave; `lctr-monitor` beside the running program; the running program itself,
//! when its main began with the hook; `lctr` in PATH. It is run from a form that nobody can write to.
//!
//! Keeps: C-1 of SECURITY.md.

use std::env;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::hook;

/// Which program runs as the monitor of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MonitorImage {
    /// Whichever is found, the smallest first.
    #[default]
    Found,
    /// The program at this path: `lctr-monitor`, or one whose main begins with the hook.
    Path(PathBuf),
    /// The running program, whose main began with the hook.
    OwnProgram,
}

impl MonitorImage {
    /// Opens it.
    ///
    /// # Errors
    /// [`Error::NoImage`] when none is found; [`Error::Image`] when it cannot be opened.
    pub(super) fn open(&self) -> Result<OwnedFd, Error> {
        match self {
            MonitorImage::Path(path) => of_path(path),
            MonitorImage::OwnProgram => own(),
            MonitorImage::Found => match beside_us() {
                Some(path) => of_path(&path),
                None if hook::was_called() => own(),
                None => of_path(&in_path().ok_or(Error::NoImage)?),
            },
        }
    }
}

fn own() -> Result<OwnedFd, Error> {
    libcontainerd_engine::reexec_image()
        .map_err(|source| Error::Image { path: "/proc/self/exe".into(), source: source.into() })
}

fn of_path(path: &Path) -> Result<OwnedFd, Error> {
    libcontainerd_engine::image_of(path).map_err(|source| Error::Image { path: path.to_owned(), source: source.into() })
}

fn beside_us() -> Option<PathBuf> {
    let path = env::current_exe().ok()?.parent()?.join("lctr-monitor");
    path.is_file().then_some(path)
}

fn in_path() -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join("lctr")).find(|path| path.is_file())
}
