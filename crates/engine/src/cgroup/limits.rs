//! A limit as it is written and read back, and the act itself.
//!
//! The two versions of cgroups turn a spec's resources into the same list of [`Limit`]s; this file
//! writes them in order and compares what the kernel then shows.
//! Keeps: a limit that was accepted is the limit that holds (C-53).

use std::collections::BTreeSet;

use rustix::io::Errno;

use super::directory::Directory;
use crate::error::Error;

/// One value for one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// The controller of version 1 whose hierarchy has the file.
    pub(crate) controller: &'static str,
    /// The file.
    pub(crate) file: String,
    /// What is written.
    pub(crate) value: String,
    /// The spec's field, for messages.
    pub(crate) field: String,
    /// How the value read back is compared.
    pub(crate) compare: Compare,
}

/// How a value that was read back is compared with what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    /// The same text but for blanks around it.
    Same,
    /// The same number of bytes, rounded to a page by the kernel; -1 and `max` mean no limit.
    Bytes,
    /// The same set of numbers, however it is written.
    Set,
    /// Not at all: the file shows more than what was written.
    Not,
}

const PAGE_MAX: u64 = 65_536;

impl Limit {
    /// A limit that is shown as it was written.
    pub(crate) fn new(controller: &'static str, file: impl Into<String>, value: impl ToString, field: &str) -> Self {
        Self {
            controller,
            file: file.into(),
            value: value.to_string(),
            field: format!("linux.resources.{field}"),
            compare: Compare::Same,
        }
    }

    /// The same, compared in another way.
    pub(crate) fn compared(self, compare: Compare) -> Self {
        Self { compare, ..self }
    }

    /// Writes the limit and reads it back.
    pub(crate) fn apply(&self, directory: &Directory) -> Result<(), Error> {
        match directory.write(&self.file, &self.value) {
            Ok(()) => {}
            Err(Errno::NOENT | Errno::OPNOTSUPP) => return Err(Error::unsupported(&self.field)),
            Err(errno) => return Err(directory.failed("write", &self.file, errno)),
        }
        if self.compare == Compare::Not {
            return Ok(());
        }
        let found = directory.read(&self.file)?.unwrap_or_default();
        if self.compare.holds(&self.value, &found) {
            return Ok(());
        }
        Err(Error::LimitNotKept {
            field: self.field.clone(),
            wanted: self.value.clone(),
            found: found.trim().to_owned(),
        })
    }
}

impl Compare {
    fn holds(self, wanted: &str, found: &str) -> bool {
        let (wanted, found) = (wanted.trim(), found.trim());
        match self {
            Self::Same => wanted == found,
            Self::Bytes => match (bytes(wanted), bytes(found)) {
                (Some(wanted), Some(found)) => wanted.abs_diff(found) < PAGE_MAX,
                _ => false,
            },
            Self::Set => number_set(wanted).is_some() && number_set(wanted) == number_set(found),
            Self::Not => true,
        }
    }
}

/// A number of bytes; no limit is the largest number, as near as version 1 shows it.
fn bytes(text: &str) -> Option<u64> {
    const UNLIMITED: u64 = i64::MAX as u64;
    match text {
        "-1" | "max" => Some(UNLIMITED),
        number => number.parse().ok(),
    }
}

/// The numbers of a list such as `0-3,7`; at most as many as a machine could have processors.
fn number_set(list: &str) -> Option<BTreeSet<u32>> {
    const MOST: u32 = 65_536;
    let mut numbers = BTreeSet::new();
    for range in list.split(',').map(str::trim).filter(|range| !range.is_empty()) {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
        if last >= MOST {
            return None;
        }
        numbers.extend(first..=last);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_may_be_rounded_to_a_page_and_no_more() {
        assert!(Compare::Bytes.holds("1000000", "999424\n"));
        assert!(!Compare::Bytes.holds("1000000", "500000"));
        assert!(Compare::Bytes.holds("-1", "9223372036854771712"));
        assert!(Compare::Bytes.holds("max", "max"));
        assert!(!Compare::Bytes.holds("4096", ""));
    }

    #[test]
    fn sets_are_equal_however_they_are_written() {
        assert!(Compare::Set.holds("0,1,2", "0-2\n"));
        assert!(!Compare::Set.holds("0-1", "0"));
        assert!(!Compare::Set.holds("0-4294967295", "0-4294967295"));
    }

    #[test]
    fn other_values_must_be_shown_as_written() {
        assert!(Compare::Same.holds("64", "64\n"));
        assert!(!Compare::Same.holds("64", "max"));
    }
}
