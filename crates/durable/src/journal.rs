//! A journal: records of one writer, in order, on the disk.
//!
//! Each record is one framed line, appended in one write. A record is promised once [`Journal::sync`] has returned;
//! what a crash leaves behind that is cut off by [`Journal::open`] and said, and never an error. Room for the last
//! records is reserved when the journal is made and kept ahead of its end, so that these can be written even on a full
//! disk: [`Journal::append`] may use it, [`Journal::append_if_room`] leaves it alone.
//!
//! That there is one writer is for the caller to see to; any number may look with [`read`].
//!
//! Keeps: synced records survive (`every_cut_leaves_what_was_acknowledged`), a full disk leaves the journal valid and
//! takes its last records (`a_full_disk_still_takes_the_reserved_records`).

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::dir::{Dir, single};
use crate::disk;
use crate::error::{Error, at};
use crate::file;
use crate::frame;

pub use crate::frame::MAX_RECORD;
pub use replay::{Cut, CutReason, Replay, read};

mod replay;
#[cfg(test)]
mod tests;

/// Permission bits of a journal.
const MODE: u32 = 0o600;

/// A journal that is open for writing. Dropping it closes it and syncs nothing.
#[derive(Debug)]
pub struct Journal {
    dir: Dir,
    name: OsString,
    path: PathBuf,
    file: OwnedFd,
    /// Room in bytes that is kept ahead of the end.
    reserve: u64,
    /// Up to which offset room is known to be reserved; less than the length when there is none.
    reserved_to: u64,
    /// The length that a failed write could not be taken back to: before anything else, it must be.
    spoiled_from: Option<u64>,
}

impl Journal {
    /// Makes the journal `name`, empty, mode 0600, with `reserve` bytes of room. It is on the disk once this returned.
    ///
    /// Where the file system cannot reserve at all, [`Journal::reserved`] says so.
    ///
    /// # Errors
    /// [`Error::Exists`]; [`Error::Reserve`] when the disk has not that much room; otherwise the act that failed.
    /// Nothing is left.
    pub fn create(dir: &Dir, name: impl AsRef<OsStr>, reserve: u64) -> Result<Journal, Error> {
        let name = single(name.as_ref())?;
        let file = file::create(dir, name, MODE, None)?;
        let mut journal = Journal::of(dir, name, file, reserve)?;
        journal.settle().inspect_err(|_| file::discard(dir, name))?;
        Ok(journal)
    }

    /// Opens the journal `name` for writing, reads it, and cuts off what is no record at its end.
    ///
    /// It goes on to keep `reserve` bytes of room, as far as the disk has them.
    ///
    /// # Errors
    /// The act that failed: [`Error::Open`], [`Error::WrongKind`] or [`Error::Foreign`] when it is not a file of ours,
    /// [`Error::Read`], [`Error::Truncate`], [`Error::Sync`]. Never because of what it contains.
    pub fn open(dir: &Dir, name: impl AsRef<OsStr>, reserve: u64) -> Result<(Journal, Replay), Error> {
        let name = single(name.as_ref())?;
        let file = dir.open_own_file(name, OFlags::RDWR | OFlags::APPEND)?;
        Journal::adopt(dir, name, file, reserve)
    }

    /// Takes over the journal `name` with a descriptor that another writer, dead by now, had opened.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn adopt(dir: &Dir, name: impl AsRef<OsStr>, file: OwnedFd, reserve: u64) -> Result<(Journal, Replay), Error> {
        let mut journal = Journal::of(dir, single(name.as_ref())?, file, reserve)?;
        let replay = replay::of_file(journal.file.as_fd(), &journal.path)?;
        if let Some(cut) = &replay.cut {
            journal.cut_back(cut.offset)?;
            journal.sync()?;
        }
        // A disk that is full must not keep a journal from being opened; what was reserved before still is.
        let _ = journal.reserve_ahead(replay.length);
        Ok((journal, replay))
    }

    /// Appends `payload` as one record, from the reserved room if the disk has no other.
    ///
    /// It is on the disk only after [`Journal::sync`].
    ///
    /// # Errors
    /// [`Error::Newline`] or [`Error::RecordTooLong`]; [`Error::Write`] ([`Error::is_full`] when there is no room left,
    /// not even reserved). The journal is then as before.
    pub fn append(&mut self, payload: &[u8]) -> Result<(), Error> {
        let line = frame::encode(payload, &self.path)?;
        let start = self.length()?;
        // Room ahead is wanted, not needed: what the record itself lacks, its write will say.
        let _ = self.reserve_ahead(start + line.len() as u64);
        self.write_line(&line, start)
    }

    /// Appends `payload` as one record unless that would use up reserved room: for records that may be refused.
    ///
    /// # Errors
    /// As [`Journal::append`], and [`Error::Reserve`] when only reserved room is left.
    pub fn append_if_room(&mut self, payload: &[u8]) -> Result<(), Error> {
        let line = frame::encode(payload, &self.path)?;
        let start = self.length()?;
        self.reserve_ahead(start + line.len() as u64)?;
        self.write_line(&line, start)
    }

    /// Waits until all records appended so far are on the disk.
    ///
    /// # Errors
    /// [`Error::Sync`]: they may be there or not. A second call may succeed without having them written.
    pub fn sync(&self) -> Result<(), Error> {
        disk::sync(self.file.as_fd()).map_err(at(Error::Sync, &self.path))
    }

    /// Puts `records` in the place of all that the journal holds, at once: the old ones are there, or the new.
    ///
    /// The new ones are on the disk once this has returned. The descriptor keeps its number.
    ///
    /// # Errors
    /// The act that failed; the old records stay, and the journal can be written on.
    pub fn rewrite<R: AsRef<[u8]>>(&mut self, records: impl IntoIterator<Item = R>) -> Result<(), Error> {
        let mut contents = Vec::new();
        for record in records {
            contents.extend_from_slice(&frame::encode(record.as_ref(), &self.path)?);
        }
        let fresh = file::replace(&self.dir, &self.name, MODE, &contents, self.reserve)?;
        disk::replace_descriptor(&fresh, &mut self.file).map_err(at(Error::Duplicate, &self.path))?;
        self.spoiled_from = None;
        self.reserved_to = 0;
        let _ = self.reserve_ahead(contents.len() as u64);
        Ok(())
    }

    /// Returns the length in bytes: what decides when a [`Journal::rewrite`] is due.
    ///
    /// # Errors
    /// [`Error::Stat`].
    pub fn length(&self) -> Result<u64, Error> {
        let stat = rustix::fs::fstat(&self.file).map_err(at(Error::Stat, &self.path))?;
        Ok(u64::try_from(stat.st_size).unwrap_or(0))
    }

    /// Returns how many bytes of room are reserved behind the end; 0 where the file system cannot reserve.
    ///
    /// # Errors
    /// [`Error::Stat`].
    pub fn reserved(&self) -> Result<u64, Error> {
        Ok(self.reserved_to.saturating_sub(self.length()?))
    }

    fn of(dir: &Dir, name: &OsStr, file: OwnedFd, reserve: u64) -> Result<Journal, Error> {
        let (path, dir, name) = (dir.at(name), dir.try_clone()?, name.to_owned());
        Ok(Journal { dir, name, path, file, reserve, reserved_to: 0, spoiled_from: None })
    }

    /// Brings a journal that was just made to the disk.
    fn settle(&mut self) -> Result<(), Error> {
        self.reserve_ahead(0)?;
        self.sync()?;
        self.dir.sync()
    }

    /// Sees to it that `reserve` bytes behind offset `end` are ours, asking for twice as much at a time.
    fn reserve_ahead(&mut self, end: u64) -> Result<(), Error> {
        if self.reserve == 0 || self.reserved_to >= end + self.reserve {
            return Ok(());
        }
        for room in [2 * self.reserve, self.reserve] {
            match file::reserve(self.file.as_fd(), &self.path, 0, end + room) {
                Ok(true) => {
                    self.reserved_to = end + room;
                    return Ok(());
                }
                Ok(false) => return Ok(()),
                Err(error) if error.is_full() && room > self.reserve => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn write_line(&mut self, line: &[u8], start: u64) -> Result<(), Error> {
        let start = self.unspoil(start)?;
        let failed = match disk::append(self.file.as_fd(), line) {
            Ok(written) if written == line.len() => return Ok(()),
            Ok(_) => Errno::NOSPC,
            Err(errno) => errno,
        };
        self.take_back(start);
        Err(at(Error::Write, &self.path)(failed))
    }

    /// Takes back a part of a record. That frees the room which it had used, and the reserved room behind it too.
    fn take_back(&mut self, start: u64) {
        if self.length().is_ok_and(|length| length == start) {
            return;
        }
        match self.cut_back(start) {
            Ok(()) => drop(self.reserve_ahead(start)),
            Err(_) => self.spoiled_from = Some(start),
        }
    }

    /// Cuts off what a failed write has left, if it has, and returns where the next record begins.
    fn unspoil(&mut self, start: u64) -> Result<u64, Error> {
        let Some(spoiled) = self.spoiled_from else { return Ok(start) };
        self.cut_back(spoiled)?;
        self.spoiled_from = None;
        Ok(spoiled)
    }

    fn cut_back(&mut self, length: u64) -> Result<(), Error> {
        self.reserved_to = 0;
        disk::truncate(self.file.as_fd(), length).map_err(at(Error::Truncate, &self.path))
    }
}

impl AsFd for Journal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
