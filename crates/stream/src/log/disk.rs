//! The system calls by which a writer changes what is on the disk, each of them a seam for tests.
//!
//! Before each one a test may say that the writer is dead from here on, or that the disk fails; so "killed at any
//! instruction" is tried as "killed before any call", which for a process without state elsewhere is the same.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FallocateFlags, Mode, OFlags};
use rustix::io::{Errno, Result, retry_on_intr};
use rustix::pipe::{SpliceFlags, splice};

/// Makes a file that was not there, for us alone.
pub(super) fn create(directory: BorrowedFd<'_>, name: &str) -> Result<OwnedFd> {
    seam()?;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(directory, name, flags, Mode::RUSR | Mode::WUSR)
}

/// Writes all of `bytes`, which are few, at this place.
pub(super) fn write_at(file: BorrowedFd<'_>, bytes: &[u8], at: u64) -> Result<()> {
    seam()?;
    match retry_on_intr(|| rustix::io::pwrite(file, bytes, at))? {
        written if written == bytes.len() => Ok(()),
        _ => Err(Errno::NOSPC),
    }
}

/// Moves at most `len` bytes from a pipe to this place of a file, without waiting for more: how many.
pub(super) fn splice_at(pipe: BorrowedFd<'_>, file: BorrowedFd<'_>, mut at: u64, len: usize) -> Result<usize> {
    seam()?;
    let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
    retry_on_intr(|| splice(pipe, None, file, Some(&mut at), len, flags))
}

/// Takes bytes out of a pipe and forgets them: how many, 0 where there are none.
pub(super) fn throw_away(pipe: BorrowedFd<'_>, len: usize) -> Result<usize> {
    #[cfg(test)]
    faults::die()?;
    let mut nowhere = [0; AT_ONCE];
    let len = len.min(AT_ONCE);
    retry_on_intr(|| rustix::io::read(pipe, &mut nowhere[..len]))
}

/// Reserves room that does not count as length. A file system that cannot is fine: it then promises nothing.
pub(super) fn reserve(file: BorrowedFd<'_>, at: u64, len: u64) -> Result<()> {
    seam()?;
    match retry_on_intr(|| rustix::fs::fallocate(file, FallocateFlags::KEEP_SIZE, at, len)) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        reserved => reserved,
    }
}

/// Cuts a file off.
pub(super) fn cut(file: BorrowedFd<'_>, len: u64) -> Result<()> {
    seam()?;
    retry_on_intr(|| rustix::fs::ftruncate(file, len))
}

/// Removes a file; a missing one is fine.
pub(super) fn remove(directory: BorrowedFd<'_>, name: &str) -> Result<()> {
    seam()?;
    match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        removed => removed,
    }
}

/// So much is thrown away at a time.
const AT_ONCE: usize = 64 << 10;

#[cfg(not(test))]
fn seam() -> Result<()> {
    Ok(())
}

#[cfg(test)]
use faults::seam;

/// What tests do at the seams.
#[cfg(test)]
pub(super) mod faults {
    use std::cell::Cell;

    use super::{Errno, Result};

    thread_local! {
        static PASSED: Cell<u64> = const { Cell::new(0) };
        static FAILING: Cell<(u64, u64, Errno)> = const { Cell::new((u64::MAX, u64::MAX, Errno::IO)) };
        static DEADLY: Cell<bool> = const { Cell::new(false) };
    }

    /// Fails the calls of this thread with `errno`, from the call number `from` (0 is the next) up to `to`.
    pub(crate) fn fail(from: u64, to: u64, errno: Errno) {
        PASSED.set(0);
        FAILING.set((from, to, errno));
    }

    /// Lets no call of this thread do anything any more, from the call number `from` on.
    pub(crate) fn kill(from: u64) {
        fail(from, u64::MAX, Errno::IO);
        DEADLY.set(true);
    }

    /// Lets all calls pass again, and tells how many there were since they began to fail.
    pub(crate) fn heal() -> u64 {
        FAILING.set((u64::MAX, u64::MAX, Errno::IO));
        DEADLY.set(false);
        PASSED.replace(0)
    }

    /// Fails what is no act on the disk, if the caller is dead.
    pub(super) fn die() -> Result<()> {
        let (from, ..) = FAILING.get();
        if DEADLY.get() && PASSED.get() > from { Err(Errno::IO) } else { Ok(()) }
    }

    /// How many there were since.
    pub(crate) fn passed() -> u64 {
        PASSED.get()
    }

    pub(super) fn seam() -> Result<()> {
        let number = PASSED.replace(PASSED.get() + 1);
        let (from, to, errno) = FAILING.get();
        if (from..to).contains(&number) { Err(errno) } else { Ok(()) }
    }
}
