//! The writing end of a log.
//!
//! It keeps no file open between records: to open the newest one costs microseconds, and a writer that is killed then
//! leaves at most one descriptor behind in a table that it shares with others.

use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::numbers;
use crate::dir::Dir;
use crate::disk;
use crate::error::{Error, at};
use crate::file;
use crate::frame;

/// How many files are kept, the one that is written to among them.
const KEPT: usize = 2;

/// A writer of a log; any number may write the same one at once, in this process or in others.
#[derive(Debug)]
pub struct Writer {
    dir: Dir,
    /// The length in bytes from which on a file is followed by the next.
    rotate_at: u64,
}

impl Writer {
    /// Opens the log in `dir` for writing. From `rotate_at` bytes on, a file is followed by the next.
    ///
    /// # Errors
    /// [`Error::Duplicate`].
    pub fn open(dir: &Dir, rotate_at: u64) -> Result<Writer, Error> {
        Ok(Writer { dir: dir.try_clone()?, rotate_at })
    }

    /// Appends `payload` as one record, which every reader that follows will find at least once.
    ///
    /// It is not synced: a log lives as long as the machine runs. On a full disk the log's older records make room for
    /// it; when even that is not enough, readers that follow are told of a gap, so that nobody waits for it in vain.
    ///
    /// # Errors
    /// [`Error::Newline`], [`Error::RecordTooLong`], or the act that failed ([`Error::is_full`] when the disk is full).
    /// Readers may then have the record or not.
    pub fn append(&self, payload: &[u8]) -> Result<(), Error> {
        let mut line = vec![b'\n'];
        line.extend_from_slice(&frame::encode(payload, self.dir.path())?);
        match self.carry(&line, self.newest()?) {
            Err(error) if error.is_full() => {
                self.make_room()?;
                self.carry(&line, self.newest()?)
            }
            carried => carried,
        }
    }

    /// Appends `payload` as one record that is on the disk once this has returned. On a full disk nothing makes room for
    /// it.
    ///
    /// # Errors
    /// As [`Writer::append`], and when the disk does not sync.
    pub fn append_durably(&self, payload: &[u8]) -> Result<(), Error> {
        let mut line = vec![b'\n'];
        line.extend_from_slice(&frame::encode(payload, self.dir.path())?);
        self.carry(&line, self.newest()?)?;
        let name = OsString::from(self.newest()?.to_string());
        let file = match self.dir.open_own_file(&name, OFlags::WRONLY) {
            // Rotated away meanwhile: so many records after it are as good as it being too old.
            Err(error) if error.is_not_found() => return Ok(()),
            file => file?,
        };
        disk::sync(file.as_fd()).map_err(at(Error::Sync, &self.dir.at(&name)))?;
        self.dir.sync()
    }

    /// Removes all files and begins one whose number does not follow theirs: readers find a gap.
    fn make_room(&self) -> Result<(), Error> {
        let numbers = numbers(&self.dir)?;
        for old in &numbers {
            self.dir.remove_file(old.to_string())?;
        }
        self.make(numbers.last().map_or_else(seconds_since_1970, |newest| newest + 2))
    }

    /// Writes the line into the file `newest`, and again into any that has come after it.
    fn carry(&self, line: &[u8], mut newest: u64) -> Result<(), Error> {
        loop {
            let written = self.write_to(newest, line)?;
            let before = std::mem::replace(&mut newest, self.newest()?);
            if written && newest == before {
                return Ok(());
            }
        }
    }

    /// Finds the newest file, making the first one.
    fn newest(&self) -> Result<u64, Error> {
        match numbers(&self.dir)?.pop() {
            Some(newest) => Ok(newest),
            None => {
                let first = seconds_since_1970().max(1);
                self.make(first)?;
                Ok(first)
            }
        }
    }

    /// Writes the line into a file; `false` when it is no more, or long enough, so that there is a newer one now.
    fn write_to(&self, number: u64, line: &[u8]) -> Result<bool, Error> {
        let name = OsString::from(number.to_string());
        let file = match self.dir.open_own_file(&name, OFlags::WRONLY | OFlags::APPEND) {
            Err(error) if error.is_not_found() => return Ok(false),
            result => result?,
        };
        if self.is_long(&file, &name)? {
            self.rotate(number)?;
            return Ok(false);
        }
        let path = self.dir.at(&name);
        match disk::append(file.as_fd(), line).map_err(at(Error::Write, &path))? {
            written if written == line.len() => Ok(true),
            // Its part stays: others may have written behind it already, and readers skip it.
            _ => Err(at(Error::Write, &path)(Errno::NOSPC)),
        }
    }

    fn is_long(&self, file: &OwnedFd, name: &OsString) -> Result<bool, Error> {
        let stat = rustix::fs::fstat(file).map_err(at(Error::Stat, &self.dir.at(name)))?;
        let length = u64::try_from(stat.st_size).unwrap_or(0);
        Ok(length > 0 && length >= self.rotate_at)
    }

    /// Makes the file after `full`, unless there is a newer one, and removes those that are too old.
    fn rotate(&self, full: u64) -> Result<(), Error> {
        if numbers(&self.dir)?.last().is_none_or(|newest| *newest <= full) {
            self.make(full + 1)?;
        }
        let numbers = numbers(&self.dir)?;
        for old in &numbers[..numbers.len().saturating_sub(KEPT)] {
            self.dir.remove_file(old.to_string())?;
        }
        Ok(())
    }

    /// Makes the file of that number, unless somebody else has.
    fn make(&self, number: u64) -> Result<(), Error> {
        match file::create(&self.dir, &OsString::from(number.to_string()), 0o600, None) {
            Ok(_) | Err(Error::Exists(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Reader;
    use crate::scratch::Scratch;

    /// Has a writer write into the file that was the newest `rotations` ago, and returns what the newest one holds.
    fn written_late(rotations: usize) -> Vec<Vec<u8>> {
        let scratch = Scratch::new();
        let late = Writer::open(&scratch.dir, 1 << 20).unwrap();
        late.append(b"first").unwrap();
        let newest = late.newest().unwrap();
        for _ in 0..rotations {
            Writer::open(&scratch.dir, 1).unwrap().append(b"other").unwrap();
        }
        let line = frame::encode(b"late", scratch.dir.path()).unwrap();
        late.carry(&line, newest).unwrap();
        let last = format!("{}:0", late.newest().unwrap()).parse().unwrap();
        Reader::open(&scratch.dir, Some(last)).unwrap().next_batch().unwrap().records
    }

    #[test]
    fn a_record_that_went_into_a_full_file_is_in_the_next_one_too() {
        assert_eq!(written_late(1), [b"other".as_slice(), b"late"]);
    }

    #[test]
    fn a_record_for_a_file_that_is_gone_is_in_the_newest_one() {
        assert_eq!(written_late(5), [b"other".as_slice(), b"late"]);
    }
}
