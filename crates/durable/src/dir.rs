//! A directory held by descriptor.
//!
//! A [`Dir`] is opened once by path, as a root, and from there one component at a time. Names are single components
//! and symbolic links are never followed, so that an operation cannot end outside. The path is kept for messages
//! only; nothing is ever looked up by it again.
//!
//! Keeps: a root of somebody else is refused and one that is too wide is tightened
//! (`a_root_that_is_too_wide_is_tightened`, `a_root_of_somebody_else_is_refused`).

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use crate::disk::{self, retry};
use crate::error::{Error, at};
use crate::owner;

#[cfg(test)]
mod tests;

/// An open directory, and the path by which messages call it.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

impl Dir {
    /// Opens a root at `path`, making it and its parents (0755, as far as the umask lets) where missing.
    ///
    /// Once returned, the root is a directory of ours with no permission bit that `mode` lacks; one that we made has
    /// exactly `mode`.
    ///
    /// # Errors
    /// [`Error::Foreign`] when it belongs to another user, [`Error::WrongKind`] when its last component is a symbolic
    /// link or no directory, [`Error::TooWide`] when it is a directory that all users share (a sticky one such as
    /// `/tmp`), which tightening would take from them, otherwise the act that failed. Parents that were made stay.
    pub fn open_root(path: &Path, mode: u32) -> Result<Dir, Error> {
        let path = &plain(path)?;
        let made = make_with_parents(path)?;
        let dir = Dir::open_at(CWD, path.as_os_str(), path.to_owned())?;
        owner::check_dir(&dir, path, owner::ours())?;
        owner::check_mode(&dir, path, mode | 0o6777)?;
        dir.narrow(mode, made)?;
        Ok(dir)
    }

    /// Opens the directory at `path`, whoever it belongs to, refusing a symbolic link as its last component.
    ///
    /// # Errors
    /// [`Error::Open`], or [`Error::WrongKind`] when it is no directory.
    pub fn open_path(path: &Path) -> Result<Dir, Error> {
        let path = plain(path)?;
        Dir::open_at(CWD, path.as_os_str(), path.clone())
    }

    /// Makes the directory `name`, which must not exist, with exactly `mode` and, where given, owner (uid, gid).
    ///
    /// # Errors
    /// [`Error::Exists`] when something has the name; otherwise the act that failed, with nothing left.
    pub fn make(&self, name: impl AsRef<OsStr>, mode: u32, owner: Option<(u32, u32)>) -> Result<Dir, Error> {
        let name = single(name.as_ref())?;
        let path = self.at(name);
        match rustix::fs::mkdirat(&self.fd, name, Mode::from_raw_mode(mode & 0o700)) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Err(Error::Exists(path)),
            Err(errno) => return Err(at(Error::MakeDir, &path)(errno)),
        }
        self.finish_making(name, mode, owner).inspect_err(|_| {
            // The directory is empty and was ours alone: its making is what failed, so that is what is told.
            let _ = rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR);
        })
    }

    /// Opens the directory `name` of ours, making it with exactly `mode` where missing and tightening it where wider.
    ///
    /// # Errors
    /// [`Error::Foreign`] or [`Error::WrongKind`] when what has the name is not a directory of ours; otherwise the act
    /// that failed.
    pub fn ensure(&self, name: impl AsRef<OsStr>, mode: u32) -> Result<Dir, Error> {
        match self.make(name.as_ref(), mode, None) {
            Err(Error::Exists(_)) => {}
            made_or_failed => return made_or_failed,
        }
        let dir = self.open(name)?;
        dir.narrow(mode, false)?;
        Ok(dir)
    }

    /// Opens the directory `name`, which must be ours.
    ///
    /// # Errors
    /// As [`Dir::open_of`].
    pub fn open(&self, name: impl AsRef<OsStr>) -> Result<Dir, Error> {
        self.open_of(name, owner::ours())
    }

    /// Opens the directory `name`, which must belong to user `uid`.
    ///
    /// # Errors
    /// [`Error::Open`] ([`Error::is_not_found`] where missing), [`Error::WrongKind`] or [`Error::Foreign`].
    pub fn open_of(&self, name: impl AsRef<OsStr>, uid: u32) -> Result<Dir, Error> {
        let name = single(name.as_ref())?;
        let dir = Dir::open_at(self.as_fd(), name, self.at(name))?;
        owner::check_dir(&dir, &dir.path, uid)?;
        Ok(dir)
    }

    /// Reads the whole regular file `name`, whoever it belongs to, if it has at most `max` bytes.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::WrongKind`] for anything but a regular file (no FIFO blocks, no link is
    /// followed), [`Error::Open`] or [`Error::Read`].
    pub fn read(&self, name: impl AsRef<OsStr>, max: u64) -> Result<Vec<u8>, Error> {
        let name = single(name.as_ref())?;
        let file = self.open_file(name, OFlags::RDONLY)?;
        owner::check_kind(file.as_fd(), &self.at(name), FileType::RegularFile, "regular file")?;
        read_all(file.as_fd(), &self.at(name), max)
    }

    /// Lists the names in the directory, in no order, `.` and `..` left out.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn names(&self) -> Result<Vec<OsString>, Error> {
        let mut names = Vec::new();
        let entries = rustix::fs::Dir::read_from(&self.fd).map_err(at(Error::Read, &self.path))?;
        for entry in entries {
            let entry = entry.map_err(at(Error::Read, &self.path))?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name.to_vec()));
            }
        }
        Ok(names)
    }

    /// Removes `name`, which is anything but a directory; that it is missing is fine.
    ///
    /// # Errors
    /// [`Error::Remove`].
    pub fn remove_file(&self, name: impl AsRef<OsStr>) -> Result<(), Error> {
        let name = single(name.as_ref())?;
        match disk::unlink(self.as_fd(), name.as_bytes()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(at(Error::Remove, &self.at(name))(errno)),
        }
    }

    /// Removes the empty directory `name`; that it is missing is fine.
    ///
    /// # Errors
    /// [`Error::Remove`], also when it is not empty.
    pub fn remove_dir(&self, name: impl AsRef<OsStr>) -> Result<(), Error> {
        let name = single(name.as_ref())?;
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(at(Error::Remove, &self.at(name))(errno)),
        }
    }

    /// Renames `from` to `to` within the directory, over what has that name; durable after [`Dir::sync`].
    ///
    /// # Errors
    /// [`Error::Rename`], with nothing changed.
    pub fn rename(&self, from: impl AsRef<OsStr>, to: impl AsRef<OsStr>) -> Result<(), Error> {
        let (from, to) = (single(from.as_ref())?, single(to.as_ref())?);
        disk::rename(self.as_fd(), from.as_bytes(), to.as_bytes()).map_err(at(Error::Rename, &self.at(to)))
    }

    /// Waits until the names in the directory are on the disk.
    ///
    /// # Errors
    /// [`Error::Sync`].
    pub fn sync(&self) -> Result<(), Error> {
        disk::sync_dir(self.as_fd()).map_err(at(Error::Sync, &self.path))
    }

    /// Returns the path by which messages call the directory: the one that the root was opened with, and the names.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Duplicates the descriptor.
    ///
    /// # Errors
    /// [`Error::Duplicate`].
    pub fn try_clone(&self) -> Result<Dir, Error> {
        let fd = rustix::io::fcntl_dupfd_cloexec(&self.fd, 0).map_err(at(Error::Duplicate, &self.path))?;
        Ok(Dir { fd, path: self.path.clone() })
    }

    /// Gives the descriptor away.
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }

    /// Returns the path of `name` in here, for messages.
    pub(crate) fn at(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    /// Opens the file `name` without following a link and without waiting for the other end of a FIFO.
    pub(crate) fn open_file(&self, name: &OsStr, flags: OFlags) -> Result<OwnedFd, Error> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        match retry(|| rustix::fs::openat(&self.fd, name, flags, Mode::empty())) {
            Ok(file) => Ok(file),
            // A link, a socket, a directory opened for writing or a FIFO that nobody reads.
            Err(Errno::LOOP | Errno::NXIO | Errno::ISDIR) => {
                Err(Error::WrongKind { path: self.at(name), expected: "regular file" })
            }
            Err(errno) => Err(at(Error::Open, &self.at(name))(errno)),
        }
    }

    /// Opens the file `name`, which must be a regular one of ours.
    pub(crate) fn open_own_file(&self, name: &OsStr, flags: OFlags) -> Result<OwnedFd, Error> {
        let file = self.open_file(name, flags)?;
        owner::check_file(&file, &self.at(name), owner::ours())?;
        Ok(file)
    }

    fn open_at(parent: BorrowedFd<'_>, name: &OsStr, path: PathBuf) -> Result<Dir, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match retry(|| rustix::fs::openat(parent, name, flags, Mode::empty())) {
            Ok(fd) => Ok(Dir { fd, path }),
            Err(Errno::LOOP | Errno::NOTDIR) => Err(Error::WrongKind { path, expected: "directory" }),
            Err(errno) => Err(at(Error::Open, &path)(errno)),
        }
    }

    /// Gives a directory that was just made its owner and mode; the owner first, since a change of it drops bits.
    fn finish_making(&self, name: &OsStr, mode: u32, owner: Option<(u32, u32)>) -> Result<Dir, Error> {
        let dir = Dir::open_at(self.as_fd(), name, self.at(name))?;
        chown(dir.as_fd(), &dir.path, owner)?;
        dir.narrow(mode, true)?;
        Ok(dir)
    }

    /// Takes away the permission bits that `mode` lacks; with `exactly`, also adds those that are missing.
    fn narrow(&self, mode: u32, exactly: bool) -> Result<(), Error> {
        let now = owner::permissions(&rustix::fs::fstat(&self.fd).map_err(at(Error::Stat, &self.path))?);
        let wanted = if exactly { mode } else { now & mode };
        if now != wanted {
            let wanted = Mode::from_raw_mode(wanted);
            rustix::fs::fchmod(&self.fd, wanted).map_err(at(Error::Chmod, &self.path))?;
            owner::check_mode(&self.fd, &self.path, mode)?;
        }
        Ok(())
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Checks that `name` is one component of a path.
pub(crate) fn single(name: &OsStr) -> Result<&OsStr, Error> {
    let bytes = name.as_bytes();
    let separates = |byte: &u8| *byte == b'/' || *byte == 0;
    if bytes.is_empty() || bytes == b"." || bytes == b".." || bytes.iter().any(separates) {
        return Err(Error::Name(name.to_owned()));
    }
    Ok(name)
}

/// Reads all of `file` from its start, if that is at most `max` bytes.
pub(crate) fn read_all(file: BorrowedFd<'_>, path: &Path, max: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        let offset = bytes.len() as u64;
        match retry(|| rustix::io::pread(file, &mut chunk, offset)).map_err(at(Error::Read, path))? {
            0 => return Ok(bytes),
            count => bytes.extend_from_slice(&chunk[..count]),
        }
        if bytes.len() as u64 > max {
            return Err(Error::TooLong { path: path.to_owned(), max });
        }
    }
}

/// Sets the owner (uid, gid) where one is given.
pub(crate) fn chown(fd: BorrowedFd<'_>, path: &Path, owner: Option<(u32, u32)>) -> Result<(), Error> {
    let Some((uid, gid)) = owner else { return Ok(()) };
    rustix::fs::fchown(fd, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid))).map_err(at(Error::Chown, path))
}

/// Drops trailing separators and dots, behind which a symbolic link as last component would be followed. What has no
/// last component, such as `/`, is nobody's root.
fn plain(path: &Path) -> Result<PathBuf, Error> {
    match path.file_name() {
        Some(_) => Ok(path.components().collect()),
        None => Err(Error::Name(path.as_os_str().to_owned())),
    }
}

/// Makes `path` and its missing parents, and tells whether `path` itself was made.
fn make_with_parents(path: &Path) -> Result<bool, Error> {
    match rustix::fs::mkdir(path, Mode::from_raw_mode(0o700)) {
        Ok(()) => return Ok(true),
        Err(Errno::EXIST) => return Ok(false),
        Err(Errno::NOENT) => {}
        Err(errno) => return Err(at(Error::MakeDir, path)(errno)),
    }
    let parents: Vec<&Path> = path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()).collect();
    for parent in parents.into_iter().rev() {
        match rustix::fs::mkdir(parent, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            // On a read-only disk the parents above may be there all the same; the last step says what is wrong.
            Err(Errno::ROFS | Errno::ACCESS | Errno::PERM) => {}
            Err(errno) => return Err(at(Error::MakeDir, parent)(errno)),
        }
    }
    match rustix::fs::mkdir(path, Mode::from_raw_mode(0o700)) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(errno) => Err(at(Error::MakeDir, path)(errno)),
    }
}
