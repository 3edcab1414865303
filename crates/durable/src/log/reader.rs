//! The reading end of a log.
//!
//! A reader holds the file open that it is in, and so finishes it even when it is removed meanwhile. It goes on to the
//! next file only after it has read this one to its end once more *after* seeing the next: whoever wrote into this one
//! later writes into the next, too. A last line without its end is waited for, until there is a next file.

use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::OFlags;

use super::{Cursor, numbers};
use crate::dir::Dir;
use crate::disk::retry;
use crate::error::{Error, at};
use crate::frame;

#[cfg(test)]
mod tests;

/// How many bytes are read at a time.
const CHUNK: usize = 64 * 1024;

/// A reader of a log, at a place in it.
#[derive(Debug)]
pub struct Reader {
    dir: Dir,
    /// The file that the place is in; none as long as the log has none.
    file: Option<OwnedFd>,
    /// Behind the last record that was handed out.
    cursor: Cursor,
}

/// Records that were read together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Their payloads, in the order of the log; a record that was written during a rotation may come twice.
    pub records: Vec<Vec<u8>>,
    /// The place behind each of them: whoever goes on from there reads the one after it next.
    pub places: Vec<Cursor>,
    /// The place behind all that was read: from here the next one is read.
    pub cursor: Cursor,
    /// How many lines were passed over because they are no records, torn by a killed writer or a full disk.
    pub skipped: u64,
}

impl Reader {
    /// Opens the log in `dir` at `cursor`, or at its oldest record.
    ///
    /// # Errors
    /// [`Error::Gap`] when the log does not hold the place any more (or yet); otherwise the act that failed.
    pub fn open(dir: &Dir, cursor: Option<Cursor>) -> Result<Reader, Error> {
        let dir = dir.try_clone()?;
        let Some(cursor) = cursor.filter(|cursor| cursor.file != 0) else {
            let mut reader = Reader { dir, file: None, cursor: Cursor { file: 0, offset: 0 } };
            reader.find_first()?;
            return Ok(reader);
        };
        let mut reader = Reader { dir, file: None, cursor };
        if !reader.enter(cursor)? || reader.file_length()? < cursor.offset {
            return Err(reader.gap());
        }
        Ok(reader)
    }

    /// Opens the log in `dir` behind its newest record: for those who want to hear of what comes from now on.
    ///
    /// # Errors
    /// The act that failed.
    pub fn open_at_end(dir: &Dir) -> Result<Reader, Error> {
        let mut reader = Reader { dir: dir.try_clone()?, file: None, cursor: Cursor { file: 0, offset: 0 } };
        if let Some(newest) = numbers(dir)?.pop()
            && reader.enter(Cursor { file: newest, offset: 0 })?
        {
            reader.cursor.offset = reader.last_line_end()?;
        }
        Ok(reader)
    }

    /// Returns the place behind the last record that was handed out.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Reads what has come since the last call, about 64 KiB at most; an empty batch when nothing has.
    ///
    /// It does not wait: a caller who wants to watches the directory.
    ///
    /// # Errors
    /// [`Error::Gap`] when files were removed that this reader had not read; otherwise the act that failed. The place
    /// stays what it was.
    pub fn next_batch(&mut self) -> Result<Batch, Error> {
        if self.file.is_none() && !self.find_first()? {
            return Ok(self.batch(Lines::default()));
        }
        let found = self.read_here()?;
        if found.ended > 0 {
            return Ok(self.batch(found));
        }
        let Some(next) = self.next_number()? else { return Ok(self.batch(found)) };
        // Only what is read here from now on is known to be all that is only here.
        let last = self.read_here()?;
        if last.ended > 0 {
            return Ok(self.batch(last));
        }
        self.move_to(next, last)
    }

    /// Enters the log's oldest file, if it has one.
    fn find_first(&mut self) -> Result<bool, Error> {
        loop {
            let Some(oldest) = numbers(&self.dir)?.first().copied() else { return Ok(false) };
            if self.enter(Cursor { file: oldest, offset: 0 })? {
                return Ok(true);
            }
        }
    }

    /// Opens the file of the place; `false` when it is not there.
    fn enter(&mut self, place: Cursor) -> Result<bool, Error> {
        match self.dir.open_own_file(&OsString::from(place.file.to_string()), OFlags::RDONLY) {
            Ok(file) => {
                self.file = Some(file);
                self.cursor = place;
                Ok(true)
            }
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Finds the file after this one, if there is one; files in between that are gone are a gap.
    fn next_number(&self) -> Result<Option<u64>, Error> {
        let numbers = numbers(&self.dir)?;
        let here = self.cursor.file;
        match numbers.iter().copied().find(|number| *number > here) {
            Some(next) if next == here + 1 || numbers.contains(&here) => Ok(Some(next)),
            Some(_) => Err(self.gap()),
            None if numbers.contains(&here) => Ok(None),
            None => Err(self.gap()),
        }
    }

    /// Goes on in the next file; `rest` is what this one ends with.
    fn move_to(&mut self, next: u64, rest: Lines) -> Result<Batch, Error> {
        let torn = u64::from(rest.unended);
        if !self.enter(Cursor { file: next, offset: 0 })? {
            return Err(self.gap());
        }
        let mut found = self.read_here()?;
        found.skipped += torn;
        Ok(self.batch(found))
    }

    /// Reads whole lines from the place on, and moves it behind them.
    fn read_here(&mut self) -> Result<Lines, Error> {
        let Some(file) = &self.file else { return Ok(Lines::default()) };
        let name = OsString::from(self.cursor.file.to_string());
        let mut bytes = Vec::new();
        loop {
            let start = bytes.len();
            bytes.resize(start + CHUNK, 0);
            let offset = self.cursor.offset + start as u64;
            let count = retry(|| rustix::io::pread(file.as_fd(), &mut bytes[start..], offset))
                .map_err(at(Error::Read, &self.dir.at(&name)))?;
            bytes.truncate(start + count);
            // One line may be longer than a chunk.
            if count == 0 || holds_a_line(&bytes) {
                break;
            }
        }
        let lines = Lines::of(&bytes, self.cursor);
        self.cursor.offset += lines.ended;
        Ok(lines)
    }

    /// Finds where the file's last whole line ends, looking from its end: what is before does not matter.
    fn last_line_end(&self) -> Result<u64, Error> {
        let Some(file) = &self.file else { return Ok(0) };
        let mut bytes = vec![0; CHUNK];
        let mut end = self.file_length()?;
        while end > 0 {
            let start = end.saturating_sub(CHUNK as u64);
            let wanted = (end - start) as usize;
            let count = retry(|| rustix::io::pread(file.as_fd(), &mut bytes[..wanted], start))
                .map_err(at(Error::Read, self.dir.path()))?;
            if let Some(last) = bytes[..count].iter().rposition(|byte| *byte == b'\n') {
                return Ok(start + last as u64 + 1);
            }
            end = start;
        }
        Ok(0)
    }

    fn file_length(&self) -> Result<u64, Error> {
        let Some(file) = &self.file else { return Ok(0) };
        let stat = rustix::fs::fstat(file).map_err(at(Error::Stat, self.dir.path()))?;
        Ok(u64::try_from(stat.st_size).unwrap_or(0))
    }

    fn batch(&self, lines: Lines) -> Batch {
        Batch { records: lines.records, places: lines.places, cursor: self.cursor, skipped: lines.skipped }
    }

    fn gap(&self) -> Error {
        Error::Gap { path: self.dir.path().to_owned(), cursor: self.cursor }
    }
}

/// Tells whether a line that is not empty ends in `bytes`.
fn holds_a_line(bytes: &[u8]) -> bool {
    let start = bytes.iter().position(|byte| *byte != b'\n').unwrap_or(bytes.len());
    bytes[start..].contains(&b'\n')
}

/// What a piece of a file holds.
#[derive(Default)]
struct Lines {
    records: Vec<Vec<u8>>,
    /// The place behind each record.
    places: Vec<Cursor>,
    skipped: u64,
    /// Up to where the lines have their ends, in bytes.
    ended: u64,
    /// Whether a line without its end follows.
    unended: bool,
}

impl Lines {
    /// Takes apart what was read from `place` on.
    fn of(bytes: &[u8], mut place: Cursor) -> Lines {
        let ended = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let mut lines = Lines { ended: ended as u64, unended: ended < bytes.len(), ..Lines::default() };
        for line in bytes[..ended].split_inclusive(|byte| *byte == b'\n') {
            place.offset += line.len() as u64;
            let line = &line[..line.len() - 1];
            if line.is_empty() {
                continue;
            }
            match frame::decode(line) {
                Some(payload) => {
                    lines.records.push(payload.to_vec());
                    lines.places.push(place);
                }
                None => lines.skipped += 1,
            }
        }
        lines
    }
}
