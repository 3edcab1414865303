//! The calls that change a disk, and nothing else: the seam between us and the kernel.
//!
//! Every write, sync, rename, link count and length that this crate changes goes through here, one function a call,
//! with no decision in it. In unit tests each successful call also leaves a note with a recorder, from which the
//! replay test rebuilds what a disk may hold after a power cut at any moment.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FallocateFlags, Mode, OFlags};
use rustix::io::{DupFlags, Errno, Result};

#[cfg(test)]
pub(crate) mod recorder;

/// Makes the file `name`, which must not exist, and opens it for appending and reading.
pub(crate) fn create(dir: BorrowedFd<'_>, name: &[u8], mode: u32) -> Result<OwnedFd> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = retry(|| rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(mode)))?;
    #[cfg(test)]
    recorder::created(dir, name, &file);
    Ok(file)
}

/// Appends what it can of `bytes` in one write, and returns how many bytes that were.
pub(crate) fn append(file: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize> {
    let written = retry(|| rustix::io::write(file, bytes))?;
    #[cfg(test)]
    recorder::wrote(file, &bytes[..written]);
    Ok(written)
}

/// Sets the length of the file.
pub(crate) fn truncate(file: BorrowedFd<'_>, length: u64) -> Result<()> {
    retry(|| rustix::fs::ftruncate(file, length))?;
    #[cfg(test)]
    recorder::truncated(file, length);
    Ok(())
}

/// Reserves room for `length` bytes from `offset` on without changing the file's length.
pub(crate) fn reserve(file: BorrowedFd<'_>, offset: u64, length: u64) -> Result<()> {
    retry(|| rustix::fs::fallocate(file, FallocateFlags::KEEP_SIZE, offset, length))
}

/// Waits until the file's bytes and length are on the disk.
pub(crate) fn sync(file: BorrowedFd<'_>) -> Result<()> {
    retry(|| rustix::fs::fdatasync(file))?;
    #[cfg(test)]
    recorder::synced(file);
    Ok(())
}

/// Waits until the directory's names are on the disk.
pub(crate) fn sync_dir(dir: BorrowedFd<'_>) -> Result<()> {
    retry(|| rustix::fs::fsync(dir))?;
    #[cfg(test)]
    recorder::synced_dir(dir);
    Ok(())
}

/// Renames within one directory, over what has the new name.
pub(crate) fn rename(dir: BorrowedFd<'_>, from: &[u8], to: &[u8]) -> Result<()> {
    rustix::fs::renameat(dir, from, dir, to)?;
    #[cfg(test)]
    recorder::renamed(dir, from, to);
    Ok(())
}

/// Removes the name of a file that is no directory.
pub(crate) fn unlink(dir: BorrowedFd<'_>, name: &[u8]) -> Result<()> {
    rustix::fs::unlinkat(dir, name, AtFlags::empty())?;
    #[cfg(test)]
    recorder::unlinked(dir, name);
    Ok(())
}

/// Makes `old` stand for the file of `new`, under its own number.
pub(crate) fn replace_descriptor(new: &OwnedFd, old: &mut OwnedFd) -> Result<()> {
    retry(|| rustix::io::dup3(new, old, DupFlags::CLOEXEC))?;
    Ok(())
}

/// Calls again as long as a signal interrupts.
pub(crate) fn retry<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}
