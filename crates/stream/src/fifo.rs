//! Named pipes, made and opened below a directory descriptor without blocking.
//!
//! Whatever stands at a name is first held by an `O_PATH` descriptor, which opens nothing and follows nothing; only when
//! that is a FIFO of an expected owner is the very same object opened, through `/proc/self/fd`. So neither a planted
//! symlink, device, socket or file nor an exchange between check and opening is ever opened.
//!
//! Keeps: a wrong type or owner is refused at every name: `whatever_is_not_a_fifo_is_refused`.
//! Does not know: which stream a FIFO carries, and who must outlive whom.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use crate::{Error, Result};

/// Makes the FIFO `name` below `dir` with exactly `mode`, whatever the umask, and gives it to `owner` (uid, gid).
///
/// Once it returned, the FIFO is new: nothing that stood there before was taken over.
///
/// # Errors
/// `BadName`; `MakeFifo`, of kind `AlreadyExists` where anything stands at the name; `SetMode` and `SetOwner`, after
/// which the FIFO is gone again.
pub fn make(dir: BorrowedFd<'_>, name: &str, mode: u32, owner: Option<(u32, u32)>) -> Result<()> {
    check_name(name)?;
    let mode = Mode::from_raw_mode(mode);
    rustix::fs::mknodat(dir, name, FileType::Fifo, mode, 0)
        .map_err(|errno| Error::MakeFifo { name: name.into(), source: errno.into() })?;
    furnish(dir, name, mode, owner).inspect_err(|_| {
        // The first error is the one to tell; a left-over is refused by the next `make`.
        let _ = remove(dir, name);
    })
}

/// Opens the read end of the FIFO `name`, non-blocking.
///
/// Until a first writer has come, poll reports nothing, while a read returns 0 at once as at an end: so poll first.
///
/// # Errors
/// `BadName`, `NotAFifo`, `ForeignOwner` where the owner is not among `owners`, `OpenFifo`.
pub fn open_reader(dir: BorrowedFd<'_>, name: &str, owners: &[u32]) -> Result<OwnedFd> {
    reopen(&admit(dir, name, owners)?, name, OFlags::RDONLY)
}

/// Opens the write end of the FIFO `name`, non-blocking, also where nobody reads yet.
///
/// A write-only open without a reader fails with ENXIO, so both ends are held for the moment of the opening. Afterwards
/// a write without a reader fails with EPIPE: who wants to write before the reader came holds an `open_keeper` too.
///
/// # Errors
/// `BadName`, `NotAFifo`, `ForeignOwner` where the owner is not among `owners`, `OpenFifo`.
pub fn open_writer(dir: BorrowedFd<'_>, name: &str, owners: &[u32]) -> Result<OwnedFd> {
    let found = admit(dir, name, owners)?;
    let _both_ends = reopen(&found, name, OFlags::RDWR)?;
    reopen(&found, name, OFlags::WRONLY)
}

/// Opens both ends of the FIFO `name` as one descriptor, non-blocking.
///
/// While it is held, no writer gets EPIPE, no reader an end, and what was written stays in the pipe.
///
/// # Errors
/// `BadName`, `NotAFifo`, `ForeignOwner` where the owner is not among `owners`, `OpenFifo`.
pub fn open_keeper(dir: BorrowedFd<'_>, name: &str, owners: &[u32]) -> Result<OwnedFd> {
    reopen(&admit(dir, name, owners)?, name, OFlags::RDWR)
}

/// Removes the name; that nothing stands there is fine. Open ends live on.
///
/// # Errors
/// `BadName`, `RemoveFifo`.
pub fn remove(dir: BorrowedFd<'_>, name: &str) -> Result<()> {
    check_name(name)?;
    match rustix::fs::unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(Error::RemoveFifo { name: name.into(), source: errno.into() }),
    }
}

/// Sets mode and owner of a FIFO that was just made, by descriptor.
fn furnish(dir: BorrowedFd<'_>, name: &str, mode: Mode, owner: Option<(u32, u32)>) -> Result<()> {
    let made = admit(dir, name, &[rustix::process::geteuid().as_raw()])?;
    // Mode first: after the change of owner an unprivileged maker may no longer set it.
    rustix::fs::chmod(magic_link(&made), mode)
        .map_err(|errno| Error::SetMode { name: name.into(), source: errno.into() })?;
    if let Some((uid, gid)) = owner {
        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        rustix::fs::chownat(&made, "", uid, gid, AtFlags::EMPTY_PATH)
            .map_err(|errno| Error::SetOwner { name: name.into(), source: errno.into() })?;
    }
    debug_assert!(rustix::fs::fstat(&made).is_ok_and(|stat| Mode::from_raw_mode(stat.st_mode) == mode));
    Ok(())
}

/// Holds what stands at the name, if it is a FIFO of one of `owners`.
fn admit(dir: BorrowedFd<'_>, name: &str, owners: &[u32]) -> Result<OwnedFd> {
    check_name(name)?;
    let failed = |errno: Errno| Error::OpenFifo { name: name.into(), source: errno.into() };
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let found = rustix::fs::openat(dir, name, flags, Mode::empty()).map_err(failed)?;
    let stat = rustix::fs::fstat(&found).map_err(failed)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Fifo {
        return Err(Error::NotAFifo { name: name.into() });
    }
    if !owners.contains(&stat.st_uid) {
        return Err(Error::ForeignOwner { name: name.into(), uid: stat.st_uid });
    }
    Ok(found)
}

/// Opens the very object that `found` holds.
fn reopen(found: &OwnedFd, name: &str, access: OFlags) -> Result<OwnedFd> {
    let flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(magic_link(found), flags, Mode::empty())
        .map_err(|errno| Error::OpenFifo { name: name.into(), source: errno.into() })
}

fn magic_link(held: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", held.as_fd().as_raw_fd())
}

fn check_name(name: &str) -> Result<()> {
    if matches!(name, "" | "." | "..") || name.contains(['/', '\0']) {
        return Err(Error::BadName { name: name.into() });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
