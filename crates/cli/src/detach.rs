//! The keys that detach a terminal: a machine over bytes.
//!
//! Bytes go through as they come, except those that may be the beginning of the sequence: they are held until the
//! next one decides, and passed on when it was none. Nothing but the sequence itself is ever swallowed.

use std::fmt;
use std::str::FromStr;

/// A sequence of keys that detaches; `ctrl-p,ctrl-q` unless told.
#[derive(Clone, PartialEq, Eq)]
pub struct DetachKeys {
    keys: Vec<u8>,
}

/// Why a text is no sequence of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DetachKeysError {
    /// A key is neither one letter nor `ctrl-` and one of `a-z @ ^ [ ] \ _`.
    #[error("key {0} of the sequence is neither a letter nor ctrl- with one of a-z @ ^ [ ] \\ _")]
    Key(usize),
}

impl Default for DetachKeys {
    fn default() -> Self {
        DetachKeys { keys: vec![0x10, 0x11] }
    }
}

impl FromStr for DetachKeys {
    type Err = DetachKeysError;

    /// Reads keys between commas; the empty text is a sequence that never comes.
    fn from_str(text: &str) -> Result<Self, DetachKeysError> {
        if text.is_empty() {
            return Ok(DetachKeys { keys: Vec::new() });
        }
        let keys = text.split(',').enumerate().map(|(at, key)| byte_of(key).ok_or(DetachKeysError::Key(at + 1)));
        Ok(DetachKeys { keys: keys.collect::<Result<_, _>>()? })
    }
}

impl fmt::Debug for DetachKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DetachKeys({} keys)", self.keys.len())
    }
}

fn byte_of(key: &str) -> Option<u8> {
    let single = |text: &str| match text.as_bytes() {
        [byte] => Some(*byte),
        _ => None,
    };
    match key.strip_prefix("ctrl-") {
        Some(with) => match single(with)? {
            letter @ b'a'..=b'z' => Some(letter - b'a' + 1),
            b'@' => Some(0),
            sign @ (b'[' | b'\\' | b']' | b'^' | b'_') => Some(sign - 0x40),
            _ => None,
        },
        None => single(key).filter(u8::is_ascii_alphabetic),
    }
}

/// Looks for the sequence in what is typed.
#[derive(Debug)]
pub struct DetachWatch {
    keys: DetachKeys,
    held: Vec<u8>,
}

impl DetachWatch {
    /// A watch for the given keys.
    pub fn new(keys: DetachKeys) -> Self {
        DetachWatch { keys, held: Vec::new() }
    }

    /// Puts what may go on into `pass`, and says whether the sequence is complete; what follows it is dropped.
    pub fn feed(&mut self, typed: &[u8], pass: &mut Vec<u8>) -> bool {
        if self.keys.keys.is_empty() {
            pass.extend_from_slice(typed);
            return false;
        }
        for byte in typed {
            self.held.push(*byte);
            if self.held == self.keys.keys {
                return true;
            }
            let keep = self.longest_beginning();
            pass.extend(self.held.drain(..self.held.len() - keep));
        }
        false
    }

    /// What is held back, once no more can come.
    pub fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    fn longest_beginning(&self) -> usize {
        (0..=self.held.len())
            .rev()
            .find(|length| self.keys.keys.starts_with(&self.held[self.held.len() - length..]))
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> DetachKeys {
        text.parse().unwrap()
    }

    /// What passes when `typed` comes in pieces of `size`, and whether it detached.
    fn typed(keys: DetachKeys, typed: &[u8], size: usize) -> (Vec<u8>, bool) {
        let (mut watch, mut pass) = (DetachWatch::new(keys), Vec::new());
        for piece in typed.chunks(size) {
            if watch.feed(piece, &mut pass) {
                return (pass, true);
            }
        }
        pass.extend(watch.rest());
        (pass, false)
    }

    #[test]
    fn the_sequence_detaches_however_it_is_cut() {
        for size in 1..6 {
            let (pass, detached) = typed(DetachKeys::default(), b"ls\r\x10\x11more", size);
            assert!(detached);
            assert_eq!(pass, b"ls\r");
        }
    }

    #[test]
    fn a_partial_sequence_is_passed_on() {
        for size in 1..6 {
            let (pass, detached) = typed(DetachKeys::default(), b"a\x10b\x11\x10", size);
            assert!(!detached);
            assert_eq!(pass, b"a\x10b\x11\x10");
        }
    }

    #[test]
    fn a_first_key_typed_twice_still_begins_the_sequence() {
        let (pass, detached) = typed(DetachKeys::default(), b"\x10\x10\x11", 1);
        assert!(detached);
        assert_eq!(pass, b"\x10");
        let (pass, detached) = typed(keys("a,a,b"), b"aaab", 2);
        assert!(detached);
        assert_eq!(pass, b"a");
    }

    #[test]
    fn the_empty_sequence_never_detaches() {
        assert_eq!(typed(keys(""), b"\x10\x11", 1), (b"\x10\x11".to_vec(), false));
    }

    #[test]
    fn keys_are_letters_and_controls() {
        assert_eq!(keys("ctrl-p,ctrl-q"), DetachKeys::default());
        assert_eq!(keys("ctrl-@,ctrl-[,ctrl-_,Z").keys, [0, 0x1b, 0x1f, b'Z']);
        for (wrong, at) in [("ctrl-", 1), ("ctrl-P", 1), ("a,,b", 2), ("a,ctrl-pp", 2), ("1", 1), ("é", 1)] {
            assert_eq!(wrong.parse::<DetachKeys>(), Err(DetachKeysError::Key(at)), "{wrong}");
        }
    }
}
