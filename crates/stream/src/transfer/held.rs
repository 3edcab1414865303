//! Bytes that have left the source and are not yet in the sink.
//!
//! The buffer is made on first use, since most transfers splice and never need it, and is filled only when empty: so
//! order is kept without moving bytes about.

use std::os::fd::BorrowedFd;

use rustix::io::Errno;

/// Large enough that the system calls vanish behind the copying, small enough to stay in a core's cache.
const CAPACITY: usize = 128 << 10;

/// A buffer that is filled from the source and poured into the sink.
#[derive(Default)]
pub(super) struct Held {
    /// Grows to the largest budget seen and stays, so that nothing is zeroed twice.
    buffer: Vec<u8>,
    poured: usize,
    filled: usize,
}

impl std::fmt::Debug for Held {
    // What containers say is nobody's business.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("len", &self.len()).finish()
    }
}

impl Held {
    pub(super) fn len(&self) -> usize {
        self.filled - self.poured
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads once, at most `budget` bytes; only when nothing is held.
    pub(super) fn fill(&mut self, from: BorrowedFd<'_>, budget: usize) -> Result<usize, Errno> {
        debug_assert!(self.is_empty());
        let room = budget.min(CAPACITY);
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        (self.poured, self.filled) = (0, 0);
        self.filled = rustix::io::read(from, &mut self.buffer[..room])?;
        Ok(self.filled)
    }

    /// Writes once, at most `budget` bytes.
    pub(super) fn pour(&mut self, to: BorrowedFd<'_>, budget: usize) -> Result<usize, Errno> {
        let end = self.filled.min(self.poured.saturating_add(budget));
        let written = rustix::io::write(to, &self.buffer[self.poured..end])?;
        self.poured += written;
        Ok(written)
    }
}
