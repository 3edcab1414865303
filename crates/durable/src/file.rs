//! Files that are there whole or not at all.
//!
//! [`write_atomic`] puts new contents in the place of old ones: a temporary file, synced, renamed over the name, the
//! directory synced. [`write_new`] takes a name that must be free. Both give the file its final owner and mode while
//! it is still empty, whatever the umask, and take it away again when the disk is full.
//!
//! The temporary file has a name of its own and not O_TMPFILE's none, because a nameless file cannot be renamed over
//! an existing one. A crash in between leaves it; [`is_temporary`] tells it from others.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::Mode;
use rustix::io::Errno;

use crate::dir::{Dir, chown, single};
use crate::disk;
use crate::error::{Error, at};
use crate::owner;

#[cfg(test)]
mod tests;

const TEMPORARY_START: &str = ".new-";

/// Writes the file `name` with `contents` and exactly `mode`, in place of what has the name.
///
/// Once returned, the new contents are on the disk. Whoever opens the name before, or after a power cut on the way,
/// finds the old contents or the new, never a part.
///
/// # Errors
/// The act that failed. The old contents are in place, or, after [`Error::Sync`] of the directory, the new ones may be.
pub fn write_atomic(dir: &Dir, name: impl AsRef<OsStr>, mode: u32, contents: &[u8]) -> Result<(), Error> {
    replace(dir, single(name.as_ref())?, mode, contents, 0).map(drop)
}

/// Writes the file `name`, which must not exist, with exactly `mode` and, where given, owner (uid, gid).
///
/// With `sync`, contents and name are on the disk once this has returned.
///
/// # Errors
/// [`Error::Exists`] when something has the name, a dangling link included; otherwise the act that failed, with nothing
/// left of the file.
pub fn write_new(
    dir: &Dir,
    name: impl AsRef<OsStr>,
    mode: u32,
    owner: Option<(u32, u32)>,
    contents: &[u8],
    sync: bool,
) -> Result<(), Error> {
    let name = single(name.as_ref())?;
    let file = create(dir, name, mode, owner)?;
    let written = write_all(file.as_fd(), &dir.at(name), contents).and_then(|()| {
        if !sync {
            return Ok(());
        }
        disk::sync(file.as_fd()).map_err(at(Error::Sync, &dir.at(name)))?;
        dir.sync()
    });
    written.inspect_err(|_| discard(dir, name))
}

/// Tells whether `name` is that of a temporary file, which a crash has left or which is being written just now.
#[must_use]
pub fn is_temporary(name: impl AsRef<OsStr>) -> bool {
    name.as_ref().as_bytes().starts_with(TEMPORARY_START.as_bytes())
}

/// Does what [`write_atomic`] does, with `reserve` bytes of room after the contents, and returns the new file, open
/// for appending.
pub(crate) fn replace(dir: &Dir, name: &OsStr, mode: u32, contents: &[u8], reserve: u64) -> Result<OwnedFd, Error> {
    let (temporary, file) = create_temporary(dir, name, mode)?;
    fill(file.as_fd(), &dir.at(name), contents, reserve)
        .and_then(|()| dir.rename(&temporary, name))
        .inspect_err(|_| discard(dir, &temporary))?;
    dir.sync()?;
    Ok(file)
}

/// Makes the file, empty, with its final owner and mode.
pub(crate) fn create(dir: &Dir, name: &OsStr, mode: u32, owner: Option<(u32, u32)>) -> Result<OwnedFd, Error> {
    let path = dir.at(name);
    let file = match disk::create(dir.as_fd(), name.as_bytes(), mode & 0o700) {
        Ok(file) => file,
        Err(Errno::EXIST) => return Err(Error::Exists(path)),
        Err(errno) => return Err(at(Error::Create, &path)(errno)),
    };
    own(file.as_fd(), &path, mode, owner).inspect_err(|_| discard(dir, name))?;
    Ok(file)
}

/// Reserves `length` bytes from `offset` on, and tells whether the file system can do that at all.
pub(crate) fn reserve(file: BorrowedFd<'_>, path: &Path, offset: u64, length: u64) -> Result<bool, Error> {
    match disk::reserve(file, offset, length) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(false),
        Err(errno) => Err(at(Error::Reserve, path)(errno)),
    }
}

/// Takes back a file whose making failed; that failure is what the caller is told.
pub(crate) fn discard(dir: &Dir, name: &OsStr) {
    let _ = disk::unlink(dir.as_fd(), name.as_bytes());
}

fn own(file: BorrowedFd<'_>, path: &Path, mode: u32, owner: Option<(u32, u32)>) -> Result<(), Error> {
    chown(file, path, owner)?;
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode)).map_err(at(Error::Chmod, path))?;
    owner::check_mode(file, path, mode)
}

fn fill(file: BorrowedFd<'_>, path: &Path, contents: &[u8], room: u64) -> Result<(), Error> {
    if room > 0 {
        reserve(file, path, 0, contents.len() as u64 + room)?;
    }
    write_all(file, path, contents)?;
    disk::sync(file).map_err(at(Error::Sync, path))
}

/// Writes all, however short single writes are; a disk that is nearly full takes a part first and fails then.
fn write_all(file: BorrowedFd<'_>, path: &Path, contents: &[u8]) -> Result<(), Error> {
    let mut left = contents;
    while !left.is_empty() {
        match disk::append(file, left).map_err(at(Error::Write, path))? {
            0 => return Err(at(Error::Write, path)(Errno::NOSPC)),
            written => left = &left[written..],
        }
    }
    Ok(())
}

fn create_temporary(dir: &Dir, name: &OsStr, mode: u32) -> Result<(OsString, OwnedFd), Error> {
    loop {
        let temporary = temporary_name(name);
        match create(dir, &temporary, mode, None) {
            // Left by a process that had our number and crashed.
            Err(Error::Exists(_)) => {}
            result => return result.map(|file| (temporary, file)),
        }
    }
}

/// Makes a name that nobody else uses now: of this process, and of this call.
fn temporary_name(name: &OsStr) -> OsString {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let process = rustix::process::getpid().as_raw_nonzero();
    let mut temporary = OsString::from(format!("{TEMPORARY_START}{process}-{call}-"));
    // Long names lose their end here, not their uniqueness: the temporary one must fit in 255 bytes too.
    temporary.push(OsStr::from_bytes(&name.as_bytes()[..name.len().min(200)]));
    temporary
}
