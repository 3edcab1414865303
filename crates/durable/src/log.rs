//! A log that many processes append to without a lock, bounded, with cursors for its readers.
//!
//! It is a directory of numbered files. A record is one line and goes into the newest file in one O_APPEND write; a
//! newline stands before it too, so that what a killed writer has torn spoils no record after it. A file that is long
//! enough is followed by one with the next number, made exclusively: who loses that race uses the winner's. After each
//! write the writer looks whether a newer file has come and, if so, writes the record there again: a reader may see a
//! record twice, and never miss one. The two newest files are kept.
//!
//! There is no lock, because a writer can be killed while others share its descriptors, and its lock would then live on.
//! The first file's number is the time at which it was made, in seconds, so that cursors of a log that was removed (a
//! reboot empties /run) do not fit the next one.
//!
//! Keeps: no record is lost to a reader that follows (`many_writers_lose_nothing_while_the_log_rotates`); what is lost
//! to one that fell behind is said ([`Error::Gap`]).
//!
//! [`Error::Gap`]: crate::Error::Gap

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
