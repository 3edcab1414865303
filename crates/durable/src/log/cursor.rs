//! A place in a log, as text.
//!
//! It is the file's number and the offset behind the last record that was read, `N:OFFSET`. Whoever reads keeps it, and
//! finds the next record there after any restart. It is checked only when it is used: the file may be gone by then.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// A place in a log between two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// The number of the file.
    pub(super) file: u64,
    /// Bytes from its start.
    pub(super) offset: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.offset)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    /// # Errors
    /// [`Error::Cursor`].
    fn from_str(text: &str) -> Result<Cursor, Error> {
        let parsed = text
            .split_once(':')
            .and_then(|(file, offset)| Some(Cursor { file: file.parse().ok()?, offset: offset.parse().ok()? }));
        // Only one text for each place: no signs, no leading zeros.
        parsed.filter(|cursor| cursor.to_string() == text).ok_or_else(|| Error::Cursor(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_the_same_after_it_was_text() {
        let cursor = Cursor { file: u64::MAX, offset: 17 };
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", ":", "1", "1:", ":1", "-1:0", "+1:0", "01:0", "1:2:3", "1: 2", "99999999999999999999:0"] {
            assert!(matches!(text.parse::<Cursor>(), Err(Error::Cursor(_))), "{text:?}");
        }
    }
}
