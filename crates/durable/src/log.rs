//! A log that many processes append to without a lock, bounded, with cursors for its readers.
//!
//! It is a directory of numbered files, of which two are kept. A record is one line, appended to the newest file in
//! one write, with a newline before it too: what a killed writer has torn spoils no record after it. A full file is
//! followed by the next, made exclusively. After each write the writer looks for a newer file and writes the record
//! there again: a reader may see one twice, and never miss one. A lock would outlive a killed writer whose descriptors
//! others share. Numbers begin with the time in seconds, so that cursors do not fit the log of another boot.
//!
//! Keeps: no record is lost to a reader that follows (`many_writers_lose_nothing_while_the_log_rotates`); what is lost
//! to one that fell behind is said (`a_reader_that_fell_behind_is_told_of_the_gap`).

use std::ffi::OsString;

use crate::dir::Dir;
use crate::error::Error;

pub use cursor::Cursor;
pub use reader::{Batch, Reader};
pub use writer::Writer;

mod cursor;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

/// Lists the numbers of the log's files, oldest first; what has another name is none of ours.
fn numbers(dir: &Dir) -> Result<Vec<u64>, Error> {
    let mut numbers: Vec<u64> = dir.names()?.into_iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Parses the name of a file: decimal digits as we write them, with no sign and no leading zero.
fn number(name: OsString) -> Option<u64> {
    let name = name.into_string().ok()?;
    name.parse().ok().filter(|number: &u64| number.to_string() == name)
}
