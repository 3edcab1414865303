//! One directory of a cgroup hierarchy, held by a descriptor.
//!
//! Everything is relative to the descriptor; the path is only for messages.
//! Decision: files are read and written whole, in one call, as cgroup files want it.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::error::Error;

/// One directory of a hierarchy.
#[derive(Debug)]
pub(crate) struct Directory {
    descriptor: OwnedFd,
    path: PathBuf,
}

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Directory {
    /// Takes a directory that is open already.
    pub(crate) fn new(descriptor: OwnedFd, path: PathBuf) -> Self {
        Self { descriptor, path }
    }

    /// Opens a directory below, `None` where there is none of that name.
    pub(crate) fn open(&self, name: &str) -> Result<Option<Directory>, Error> {
        match rustix::fs::openat(&self.descriptor, name, DIRECTORY, Mode::empty()) {
            Ok(descriptor) => Ok(Some(Self::new(descriptor, self.path.join(name)))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.failed("open", name, errno)),
        }
    }

    /// Makes a directory below; `false` where there was one.
    pub(crate) fn create(&self, name: &str) -> Result<bool, Error> {
        match rustix::fs::mkdirat(&self.descriptor, name, Mode::from_raw_mode(0o755)) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(errno) => Err(self.failed("create", name, errno)),
        }
    }

    /// Removes an empty directory below. Gone already counts as removed.
    pub(crate) fn remove(&self, name: &str) -> rustix::io::Result<()> {
        match rustix::fs::unlinkat(&self.descriptor, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOENT) => Ok(()),
            other => other,
        }
    }

    /// The names of the directories below.
    pub(crate) fn children(&self) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        let entries = Dir::read_from(&self.descriptor);
        for entry in entries.map_err(|errno| self.failed("list", "", errno))? {
            match entry {
                Ok(entry) if entry.file_type() == FileType::Directory => {
                    names.extend(entry.file_name().to_str().ok().map(str::to_owned));
                }
                Ok(_) => {}
                Err(Errno::NOENT | Errno::NODEV) => break,
                Err(errno) => return Err(self.failed("list", "", errno)),
            }
        }
        names.retain(|name| name != "." && name != "..");
        Ok(names)
    }

    /// Opens a file of the directory.
    pub(crate) fn file(&self, name: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        rustix::fs::openat(&self.descriptor, name, flags, Mode::empty())
    }

    /// Reads a file, `None` where there is none of that name.
    pub(crate) fn read(&self, name: &str) -> Result<Option<String>, Error> {
        let file = match self.file(name, OFlags::RDONLY) {
            Err(Errno::NOENT | Errno::NODEV) => return Ok(None),
            file => file.map_err(|errno| self.failed("open", name, errno))?,
        };
        let mut text = String::new();
        match File::from(file).read_to_string(&mut text) {
            Ok(_) => Ok(Some(text)),
            Err(error) if error.raw_os_error() == Some(Errno::NODEV.raw_os_error()) => Ok(None),
            Err(error) => Err(self.failed_with("read", name, error)),
        }
    }

    /// Writes a file in one call.
    pub(crate) fn write(&self, name: &str, text: &str) -> rustix::io::Result<()> {
        let file = self.file(name, OFlags::WRONLY)?;
        rustix::io::write(file, text.as_bytes()).map(drop)
    }

    /// Writes a file in one call; a refusal is the caller's error.
    pub(crate) fn set(&self, name: &str, text: &str) -> Result<(), Error> {
        self.write(name, text).map_err(|errno| self.failed("write", name, errno))
    }

    /// The path, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The error of an act on a file or directory below.
    pub(crate) fn failed(&self, act: &'static str, name: &str, errno: Errno) -> Error {
        self.failed_with(act, name, errno.into())
    }

    fn failed_with(&self, act: &'static str, name: &str, source: io::Error) -> Error {
        Error::Cgroup { act, path: self.path.join(name), source }
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl From<Directory> for OwnedFd {
    fn from(directory: Directory) -> Self {
        directory.descriptor
    }
}
