//! Locks between processes: one file, one holder.
//!
//! They are locks of the open file description (OFD), not of the process: they end when the last descriptor of it is
//! closed, by a crash too, survive in a forked child or a shared descriptor table, and hold between threads. To ask who
//! holds one takes nothing. The lock's file may be removed with its directory while somebody waits for it, so a lock
//! counts only if, once taken, its file still has its name.
//!
//! Keeps: `a_lock_on_a_file_that_was_replaced_is_taken_again_on_the_new_one`.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::dir::{Dir, read_all, single};
use crate::disk::retry;
use crate::error::{Error, at};
use crate::file;

#[cfg(test)]
mod tests;

/// The most bytes of a holder's name that are read.
const MAX_HOLDER: u64 = 4096;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: OwnedFd,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock `name`, making its file (0600) where missing; `None` when somebody holds it.
    ///
    /// # Errors
    /// [`Error::Foreign`] or [`Error::WrongKind`] when the file is not ours; otherwise the act that failed.
    pub fn try_exclusive(dir: &Dir, name: impl AsRef<OsStr>) -> Result<Option<Lock>, Error> {
        Lock::take(dir, name.as_ref(), |lock| lock.set(Wait::No))
    }

    /// Takes the lock `name`, making its file (0600) where missing, and waits for whoever holds it.
    ///
    /// It blocks the thread for as long as that takes.
    ///
    /// # Errors
    /// As [`Lock::try_exclusive`].
    pub fn exclusive(dir: &Dir, name: impl AsRef<OsStr>) -> Result<Lock, Error> {
        let taken = Lock::take(dir, name.as_ref(), |lock| lock.set(Wait::Yes))?;
        taken.ok_or_else(|| at(Error::Lock, &dir.at(name.as_ref()))(Errno::AGAIN))
    }

    /// Takes the lock of a file that is open for writing; `None` when another description of it holds it.
    ///
    /// # Errors
    /// [`Error::Lock`].
    pub fn try_exclusive_on(file: OwnedFd, path: &Path) -> Result<Option<Lock>, Error> {
        let lock = Lock { file, path: path.to_owned() };
        Ok(lock.set(Wait::No)?.then_some(lock))
    }

    /// Tells whether somebody holds the lock `name`, without taking it; a missing file is held by nobody.
    ///
    /// A lock of the caller's own counts as somebody's.
    ///
    /// # Errors
    /// As [`Lock::try_exclusive`].
    pub fn is_held(dir: &Dir, name: impl AsRef<OsStr>) -> Result<bool, Error> {
        let name = single(name.as_ref())?;
        match dir.open_own_file(name, OFlags::RDWR) {
            Ok(file) => is_locked(file.as_fd(), &dir.at(name)),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes `holder` into the lock's file, for messages of those who do not get it.
    ///
    /// # Errors
    /// [`Error::Truncate`] or [`Error::Write`]; the lock is held all the same.
    pub fn name_holder(&self, holder: &str) -> Result<(), Error> {
        rustix::fs::ftruncate(&self.file, 0).map_err(at(Error::Truncate, &self.path))?;
        retry(|| rustix::io::pwrite(&self.file, holder.as_bytes(), 0)).map_err(at(Error::Write, &self.path))?;
        Ok(())
    }

    /// Returns what the last holder of the lock `name` that named itself wrote; it may hold it no more.
    ///
    /// # Errors
    /// As [`Lock::try_exclusive`], and [`Error::TooLong`].
    pub fn holder(dir: &Dir, name: impl AsRef<OsStr>) -> Result<Option<String>, Error> {
        let name = single(name.as_ref())?;
        let file = match dir.open_own_file(name, OFlags::RDONLY) {
            Ok(file) => file,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let text = read_all(file.as_fd(), &dir.at(name), MAX_HOLDER)?;
        Ok((!text.is_empty()).then(|| String::from_utf8_lossy(&text).into_owned()))
    }

    /// Gives the descriptor away: the lock is held until its last duplicate is closed.
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        self.file
    }

    /// Opens the file, locks it, and begins again if another file has taken its name meanwhile.
    fn take(dir: &Dir, name: &OsStr, lock_it: impl Fn(&Lock) -> Result<bool, Error>) -> Result<Option<Lock>, Error> {
        let name = single(name)?;
        loop {
            let lock = Lock { file: open_or_create(dir, name)?, path: dir.at(name) };
            if !lock_it(&lock)? {
                return Ok(None);
            }
            if lock.has_its_name(dir, name)? {
                return Ok(Some(lock));
            }
        }
    }

    fn has_its_name(&self, dir: &Dir, name: &OsStr) -> Result<bool, Error> {
        let held = rustix::fs::fstat(&self.file).map_err(at(Error::Stat, &self.path))?;
        match rustix::fs::statat(dir, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW) {
            Ok(named) => Ok((named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(at(Error::Stat, &self.path)(errno)),
        }
    }

    /// Sets the lock and tells whether it was to be had.
    fn set(&self, wait: Wait) -> Result<bool, Error> {
        let whole = whole_file();
        loop {
            let set = match wait {
                Wait::Yes => fcntl(&self.file, FcntlArg::F_OFD_SETLKW(&whole)),
                Wait::No => fcntl(&self.file, FcntlArg::F_OFD_SETLK(&whole)),
            };
            match set {
                Ok(_) => return Ok(true),
                Err(nix::Error::EINTR) => {}
                Err(nix::Error::EAGAIN | nix::Error::EACCES) => return Ok(false),
                Err(errno) => return Err(Error::Lock(self.path.clone(), errno.into())),
            }
        }
    }
}

impl AsFd for Lock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[derive(Clone, Copy)]
enum Wait {
    Yes,
    No,
}

fn is_locked(file: BorrowedFd<'_>, path: &Path) -> Result<bool, Error> {
    let mut found = whole_file();
    fcntl(file, FcntlArg::F_OFD_GETLK(&mut found)).map_err(|errno| Error::Lock(path.to_owned(), errno.into()))?;
    Ok(i32::from(found.l_type) != libc::F_UNLCK)
}

/// The exclusive lock of all bytes that a file has or will have.
fn whole_file() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

fn open_or_create(dir: &Dir, name: &OsStr) -> Result<OwnedFd, Error> {
    loop {
        match dir.open_own_file(name, OFlags::RDWR) {
            Err(error) if error.is_not_found() => {}
            result => return result,
        }
        match file::create(dir, name, 0o600, None) {
            // Somebody was faster: it is theirs that we must lock.
            Err(Error::Exists(_)) => {}
            result => return result,
        }
    }
}
