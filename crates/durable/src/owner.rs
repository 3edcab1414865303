//! Checks of what a descriptor stands for: kind, owner, mode.
//!
//! All are made on an open descriptor, after the open, so that what was checked is what is used. They are asserted
//! after creation too: that a call to set a mode was written is no proof that it took effect.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{FileType, Stat, fstat};

use crate::error::{Error, at};

/// Returns the user id that files of ours have: the effective one.
#[must_use]
pub fn ours() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Checks that `fd` is a directory of user `uid`; `path` is for the message.
///
/// # Errors
/// [`Error::WrongKind`] or [`Error::Foreign`]; [`Error::Stat`] when it cannot be asked.
pub fn check_dir(fd: impl AsFd, path: &Path, uid: u32) -> Result<(), Error> {
    let stat = check_kind(fd.as_fd(), path, FileType::Directory, "directory")?;
    check_owner(&stat, path, uid)
}

/// Checks that `fd` is a regular file of user `uid`; `path` is for the message.
///
/// # Errors
/// [`Error::WrongKind`] or [`Error::Foreign`]; [`Error::Stat`] when it cannot be asked.
pub fn check_file(fd: impl AsFd, path: &Path, uid: u32) -> Result<(), Error> {
    let stat = check_kind(fd.as_fd(), path, FileType::RegularFile, "regular file")?;
    check_owner(&stat, path, uid)
}

/// Checks that `fd` is a FIFO of user `uid`; `path` is for the message.
///
/// # Errors
/// [`Error::WrongKind`] or [`Error::Foreign`]; [`Error::Stat`] when it cannot be asked.
pub fn check_fifo(fd: impl AsFd, path: &Path, uid: u32) -> Result<(), Error> {
    let stat = check_kind(fd.as_fd(), path, FileType::Fifo, "FIFO")?;
    check_owner(&stat, path, uid)
}

/// Checks that the permission bits of `fd` are all among `allowed`; `path` is for the message.
///
/// # Errors
/// [`Error::TooWide`]; [`Error::Stat`] when it cannot be asked.
pub fn check_mode(fd: impl AsFd, path: &Path, allowed: u32) -> Result<(), Error> {
    let mode = permissions(&fstat(fd).map_err(at(Error::Stat, path))?);
    if mode & !allowed == 0 { Ok(()) } else { Err(Error::TooWide { path: path.to_owned(), mode, allowed }) }
}

/// Returns the permission bits, set-id and sticky bits included.
pub(crate) fn permissions(stat: &Stat) -> u32 {
    stat.st_mode & 0o7777
}

/// Checks the kind and returns all that was learned.
pub(crate) fn check_kind(
    fd: BorrowedFd<'_>,
    path: &Path,
    kind: FileType,
    expected: &'static str,
) -> Result<Stat, Error> {
    let stat = fstat(fd).map_err(at(Error::Stat, path))?;
    if FileType::from_raw_mode(stat.st_mode) == kind {
        Ok(stat)
    } else {
        Err(Error::WrongKind { path: path.to_owned(), expected })
    }
}

fn check_owner(stat: &Stat, path: &Path, expected: u32) -> Result<(), Error> {
    if stat.st_uid == expected {
        Ok(())
    } else {
        Err(Error::Foreign { path: path.to_owned(), owner: stat.st_uid, expected })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn c25_kind_owner_and_mode_are_checked_on_the_open_descriptor() {
        let scratch = Scratch::new();
        let path = scratch.path("file");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let file = std::fs::File::open(&path).unwrap();
        assert!(check_file(&file, &path, ours()).is_ok());
        assert!(matches!(check_file(&file, &path, 65534), Err(Error::Foreign { expected: 65534, .. })));
        assert!(matches!(check_fifo(&file, &path, ours()), Err(Error::WrongKind { expected: "FIFO", .. })));
        assert!(matches!(check_dir(&file, &path, ours()), Err(Error::WrongKind { .. })));
        assert!(check_mode(&file, &path, 0o660).is_ok());
        assert!(matches!(check_mode(&file, &path, 0o600), Err(Error::TooWide { mode: 0o640, .. })));
    }
}
