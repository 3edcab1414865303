//! The lock of the one reader of a process's streams.
//!
//! Two readers of a FIFO would share its bytes, so whoever opens the streams holds an advisory lock on a file beside
//! them, with its name and pid inside for the one who is refused. The kernel lets go of it with the last descriptor,
//! however the reader ends: a file that is left over locks nobody out.
//!
//! Keeps: a live stream has one reader: `a_second_reader_is_refused_with_the_first_ones_name`.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, flock, fstat, ftruncate, openat, statat};
use rustix::io::Errno;

use crate::Error;

/// The lock, held until dropped.
#[derive(Debug)]
pub(crate) struct ReaderLock {
    _file: OwnedFd,
}

/// How often, and after which time each, a lock is tried that somebody may have for a moment only.
const TRIES: u32 = 25;
const BETWEEN_TRIES: Duration = Duration::from_millis(2);

impl ReaderLock {
    /// As [`take`](Self::take), but puts up with a runtime that has it for a moment, to throw away what nobody has read.
    pub(crate) async fn take_patiently(directory: BorrowedFd<'_>, name: &str, reader: &str) -> Result<Self, Error> {
        for _ in 0..TRIES {
            match Self::take(directory, name, reader) {
                Err(Error::AlreadyRead { .. }) => tokio::time::sleep(BETWEEN_TRIES).await,
                taken => return taken,
            }
        }
        Self::take(directory, name, reader)
    }

    /// Takes the lock `name` below `directory` for `reader`, or says who has it.
    pub(crate) fn take(directory: BorrowedFd<'_>, name: &str, reader: &str) -> Result<Self, Error> {
        let failed = |errno: Errno| Error::Lock { name: name.into(), source: errno.into() };
        loop {
            let file = open(directory, name)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Err(Error::AlreadyRead { reader: holder(&file) }),
                Err(errno) => return Err(failed(errno)),
            }
            // Between opening and locking, its last holder may have removed it: then it locks nothing any more.
            if is_at(directory, name, &file).map_err(failed)? {
                sign(&file, reader).map_err(failed)?;
                return Ok(Self { _file: file });
            }
        }
    }
}

fn open(directory: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Error> {
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let foreign = || Error::ForeignLock { name: name.into() };
    let file = match openat(directory, name, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => file,
        Err(Errno::LOOP | Errno::ISDIR | Errno::NXIO) => return Err(foreign()),
        Err(errno) => return Err(Error::Lock { name: name.into(), source: errno.into() }),
    };
    let stat = fstat(&file).map_err(|errno| Error::Lock { name: name.into(), source: errno.into() })?;
    let is_ours = stat.st_uid == rustix::process::geteuid().as_raw() && stat.st_nlink <= 1;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || !is_ours {
        return Err(foreign());
    }
    Ok(file)
}

fn is_at(directory: BorrowedFd<'_>, name: &str, file: &OwnedFd) -> Result<bool, Errno> {
    let held = fstat(file)?;
    match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(present) => Ok((present.st_dev, present.st_ino) == (held.st_dev, held.st_ino)),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(errno),
    }
}

fn sign(file: &OwnedFd, reader: &str) -> Result<(), Errno> {
    let signature = format!("{reader} (pid {})\n", std::process::id());
    ftruncate(file, 0)?;
    rustix::io::pwrite(file, signature.as_bytes(), 0).map(drop)
}

/// What the holder has signed with, as far as it is fit to be shown.
fn holder(file: &OwnedFd) -> String {
    let mut signature = [0; 256];
    let read: io::Result<usize> = rustix::io::pread(file, &mut signature[..], 0).map_err(Into::into);
    let text = String::from_utf8_lossy(&signature[..read.unwrap_or(0)]);
    let shown: String = text.chars().filter(|c| !c.is_control()).collect();
    if shown.is_empty() { "another program".into() } else { shown }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn one_holds_it_at_a_time_even_while_it_is_removed_and_made_anew() {
        let room = tempfile::tempdir().unwrap();
        let (directory, is_held) = (File::open(room.path()).unwrap(), AtomicBool::new(false));
        let contend = || {
            let mut taken = 0;
            while taken < 300 {
                let Ok(lock) = ReaderLock::take(directory.as_fd(), "lock", "tester") else {
                    continue;
                };
                assert!(!is_held.swap(true, Ordering::SeqCst), "two hold it");
                is_held.store(false, Ordering::SeqCst);
                std::fs::remove_file(room.path().join("lock")).unwrap();
                drop(lock);
                taken += 1;
            }
        };
        std::thread::scope(|threads| {
            for _ in 0..3 {
                threads.spawn(contend);
            }
        });
    }

    #[tokio::test]
    async fn one_that_is_held_for_a_moment_is_waited_for_and_one_that_stays_held_is_refused() {
        let room = tempfile::tempdir().unwrap();
        let directory = File::open(room.path()).unwrap();
        let held = ReaderLock::take(directory.as_fd(), "lock", "keeper").unwrap();
        let refused = ReaderLock::take_patiently(directory.as_fd(), "lock", "late").await;
        assert!(matches!(refused, Err(Error::AlreadyRead { reader }) if reader.starts_with("keeper")));
        let waits = ReaderLock::take_patiently(directory.as_fd(), "lock", "late");
        let lets_go = async { drop(held) };
        let (taken, ()) = tokio::join!(waits, lets_go);
        taken.unwrap();
    }
}
