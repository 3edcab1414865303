//! The names in a directory of kept output: the only place that knows them.
//!
//! A segment is there while its `.data` and its `.index` are; the first is made last and removed first. Whatever else
//! stands in the directory is nobody's business here.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::{Error, Result};

/// What segments there are: the offsets of their first bytes, in order.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Those with data.
    pub(super) data: Vec<u64>,
    /// Those with an index.
    pub(super) index: Vec<u64>,
}

impl Listing {
    pub(super) fn read(directory: BorrowedFd<'_>) -> Result<Self> {
        list(directory).map_err(|errno| Error::ListLog { source: errno.into() })
    }
}

pub(super) fn data(first: u64) -> String {
    format!("{first:0DIGITS$}{DATA}")
}

pub(super) fn index(first: u64) -> String {
    format!("{first:0DIGITS$}{INDEX}")
}

/// Opens a file that is there, for reading or for both; only a plain file is opened.
pub(super) fn open(directory: BorrowedFd<'_>, name: &str, access: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(directory, name, flags, Mode::empty())?;
    match FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) {
        FileType::RegularFile => Ok(file),
        _ => Err(Errno::LOOP),
    }
}

/// The present length in bytes of an open file.
pub(super) fn length(file: BorrowedFd<'_>) -> rustix::io::Result<u64> {
    Ok(u64::try_from(rustix::fs::fstat(file)?.st_size).unwrap_or(0))
}

/// The present length in bytes of a file.
pub(super) fn size(place: BorrowedFd<'_>, name: &str) -> rustix::io::Result<u64> {
    let stat = rustix::fs::statat(place, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}

const DATA: &str = ".data";
const INDEX: &str = ".index";
const DIGITS: usize = 20;

fn list(directory: BorrowedFd<'_>) -> rustix::io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else { continue };
        if let Some(first) = name.strip_suffix(DATA).and_then(offset) {
            listing.data.push(first);
        } else if let Some(first) = name.strip_suffix(INDEX).and_then(offset) {
            listing.index.push(first);
        }
    }
    listing.data.sort_unstable();
    listing.index.sort_unstable();
    Ok(listing)
}

fn offset(digits: &str) -> Option<u64> {
    let all_digits = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_our_own_making_are_segments() {
        assert_eq!(offset("00000000000000000042"), Some(42));
        assert_eq!(offset(data(u64::MAX).strip_suffix(DATA).unwrap()), Some(u64::MAX));
        for wrong in ["", "42", "+0000000000000000042", "0000000000000000004２", "99999999999999999999", "-1"] {
            assert_eq!(offset(wrong), None, "{wrong}");
        }
    }
}
