//! The lookout for live output that nobody reads, where its writer is not to wait for the next reader.
//!
//! Nothing tells that a pipe has become full, so that is looked for in growing intervals. Whoever reads holds the
//! reader's lock: so it is taken here, for as long as bytes are thrown away or, where they are kept, for good. Then
//! nobody ever gets a stream with a hole in its middle, and who comes late is told that the output is read already.
//!
//! Does not know: who reads, what is written.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use libcontainerd_core::stdio::{Endpoints, Unread};
use libcontainerd_stream::drain;
use rustix::fs::{AtFlags, CWD, FileType, FlockOperation, Mode, OFlags};

use crate::sys;

/// Looks after the live output of one process.
#[derive(Debug)]
pub(super) struct Lookout {
    policy: Policy,
    lock: PathBuf,
    /// The lock, once the output is kept.
    held: Option<OwnedFd>,
    next: Instant,
    pause: Duration,
}

/// What is done with live output that nobody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Discard,
    Keep,
}

/// Both ends of one live output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pipe<'p> {
    pub(super) reader: BorrowedFd<'p>,
    pub(super) writer: BorrowedFd<'p>,
}

/// How soon, and how seldom at last, the pipes are looked at.
const SOON: Duration = Duration::from_millis(10);
const SELDOM: Duration = Duration::from_secs(1);

impl Lookout {
    /// A lookout over a process with these streams; `None` where whoever writes is to wait.
    pub(super) fn over(endpoints: &Endpoints) -> Option<Lookout> {
        let policy = match endpoints.unread {
            Unread::Discard => Policy::Discard,
            Unread::Keep => Policy::Keep,
            _ => return None,
        };
        let lock = endpoints.reader_lock.clone()?;
        Some(Lookout { policy, lock, held: None, next: Instant::now() + SOON, pause: SOON })
    }

    /// One that goes on for a dead monitor's, which had the lock under that number if the output is kept by now.
    pub(super) fn resume(endpoints: &Endpoints, number: Option<RawFd>, inherited: bool) -> Option<Lookout> {
        let mut lookout = Lookout::over(endpoints)?;
        if let Some(number) = number {
            lookout.held = inherited.then(|| inherit(number, &lookout.lock)).flatten();
            lookout.held = lookout.held.take().or_else(|| lookout.take_lock());
        }
        Some(lookout)
    }

    /// Whether live output is kept by now.
    pub(super) fn has_turned(&self) -> bool {
        self.held.is_some()
    }

    /// The number under which a successor finds the lock.
    pub(super) fn held(&self) -> Option<RawFd> {
        self.held.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// When to look next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (!self.has_turned()).then_some(self.next)
    }

    /// Looks at the pipes, if it is time; `true` when their output is to be kept from now on.
    pub(super) fn look(&mut self, pipes: Vec<Pipe<'_>>) -> bool {
        if self.has_turned() || Instant::now() < self.next {
            return false;
        }
        let lock = if pipes.iter().any(Pipe::is_full) { self.take_lock() } else { None };
        self.pause = if lock.is_some() { SOON } else { (self.pause * 2).min(SELDOM) };
        self.next = Instant::now() + self.pause;
        match (lock, self.policy) {
            (Some(lock), Policy::Keep) => {
                sign(&lock);
                self.held = Some(lock);
                true
            }
            (Some(_lock), Policy::Discard) => {
                pipes.iter().filter(|pipe| pipe.is_full()).for_each(Pipe::discard);
                false
            }
            (None, _) => false,
        }
    }

    /// Takes the reader's lock, unless somebody reads.
    fn take_lock(&self) -> Option<OwnedFd> {
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::open(&self.lock, flags, Mode::RUSR | Mode::WUSR).ok()?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
        // One that was removed meanwhile locks nothing.
        is_at(&file, &self.lock).then_some(file)
    }
}

impl Pipe<'_> {
    fn is_full(&self) -> bool {
        !drain::is_writable(self.writer).unwrap_or(true)
    }

    fn discard(&self) {
        let _ = drain::discard(self.reader);
    }
}

/// Writes into the lock who has it, for whoever is refused. That it cannot be written is nobody's loss.
fn sign(lock: &OwnedFd) {
    let signature = format!("the container's kept output (pid {})\n", std::process::id());
    let _ = rustix::fs::ftruncate(lock, 0);
    let _ = rustix::io::pwrite(lock, signature.as_bytes(), 0);
}

/// The number of a dead monitor's, if it is that lock.
fn inherit(number: RawFd, lock: &Path) -> Option<OwnedFd> {
    let held = sys::claim(number)?;
    if is_at(&held, lock) {
        return Some(held);
    }
    // Somebody else's number by now: who owns it will find it.
    std::mem::forget(held);
    None
}

fn is_at(file: &OwnedFd, path: &Path) -> bool {
    let (Ok(held), Ok(named)) = (rustix::fs::fstat(file), rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW))
    else {
        return false;
    };
    FileType::from_raw_mode(held.st_mode) == FileType::RegularFile
        && (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino)
}
