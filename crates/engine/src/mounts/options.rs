//! Mount options: words of the spec, sorted into attributes, propagation and parameters.
//!
//! Decision: a word that is an attribute of a mount never reaches the superblock, so that `ro` on one
//! mount of a file system does not change the others; a word that nobody knows is a parameter, and the
//! file system refuses it if it does not know it either.

use crate::error::Error;
use crate::sys::MountAttributes;

/// Options, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// What is set and cleared on the mount.
    pub(crate) attributes: MountAttributes,
    /// What is set and cleared on the mount and all below it.
    pub(crate) recursive: MountAttributes,
    /// `MS_*` propagation; 0 where none was asked for.
    pub(crate) propagation: u64,
    /// Whether that goes for all mounts below too.
    pub(crate) propagation_recursive: bool,
    /// `Some(recursive)` where the mount is a bind.
    pub(crate) bind: Option<bool>,
    /// Whether a mount that is there is changed.
    pub(crate) remount: bool,
    /// Everything else: key and value.
    pub(crate) parameters: Vec<(String, Option<String>)>,
}

const READ_ONLY: u64 = 0x1;
const NO_SUID: u64 = 0x2;
const NO_DEV: u64 = 0x4;
const NO_EXEC: u64 = 0x8;
const ACCESS_TIME: u64 = 0x70;
const NO_ACCESS_TIME: u64 = 0x10;
const STRICT_ACCESS_TIME: u64 = 0x20;
const NO_DIRECTORY_ACCESS_TIME: u64 = 0x80;
const NO_SYMLINK_FOLLOW: u64 = 0x20_0000;

const UNBINDABLE: u64 = 1 << 17;
const PRIVATE: u64 = 1 << 18;
const SLAVE: u64 = 1 << 19;
const SHARED: u64 = 1 << 20;

/// Word, bits to set, bits to clear. With an `r` before it, it goes for all mounts below too.
const ATTRIBUTES: [(&str, u64, u64); 17] = [
    ("ro", READ_ONLY, 0),
    ("rw", 0, READ_ONLY),
    ("nosuid", NO_SUID, 0),
    ("suid", 0, NO_SUID),
    ("nodev", NO_DEV, 0),
    ("dev", 0, NO_DEV),
    ("noexec", NO_EXEC, 0),
    ("exec", 0, NO_EXEC),
    ("noatime", NO_ACCESS_TIME, ACCESS_TIME),
    ("atime", 0, ACCESS_TIME),
    ("relatime", 0, ACCESS_TIME),
    ("norelatime", 0, 0),
    ("strictatime", STRICT_ACCESS_TIME, ACCESS_TIME),
    ("nodiratime", NO_DIRECTORY_ACCESS_TIME, 0),
    ("diratime", 0, NO_DIRECTORY_ACCESS_TIME),
    ("nosymfollow", NO_SYMLINK_FOLLOW, 0),
    ("symfollow", 0, NO_SYMLINK_FOLLOW),
];

const PROPAGATIONS: [(&str, u64); 4] =
    [("private", PRIVATE), ("slave", SLAVE), ("shared", SHARED), ("unbindable", UNBINDABLE)];

const REFUSED: [&str; 5] = ["idmap", "ridmap", "tmpcopyup", "copy-symlink", "src-nofollow"];
const MEANINGLESS: [&str; 3] = ["defaults", "silent", "loud"];

impl Options {
    /// Sorts the words of one mount; `field` names it in errors.
    pub(crate) fn parse(words: &[String], field: &str) -> Result<Self, Error> {
        let mut options = Self::default();
        for word in words {
            if REFUSED.contains(&word.as_str()) {
                return Err(Error::unsupported(format!("{field}.options {word}")));
            }
            options.take(word);
        }
        Ok(options)
    }

    fn take(&mut self, word: &str) {
        match word {
            "bind" => self.bind = Some(self.bind.unwrap_or(false)),
            "rbind" => self.bind = Some(true),
            "remount" => self.remount = true,
            word if MEANINGLESS.contains(&word) => {}
            word => {
                let known = self.take_attribute(word) || self.take_propagation(word);
                if !known {
                    self.parameters.push(parameter(word));
                }
            }
        }
    }

    fn take_attribute(&mut self, word: &str) -> bool {
        let find = |word| ATTRIBUTES.iter().find(|(name, ..)| *name == word);
        if let Some((_, set, clear)) = find(word) {
            change(&mut self.attributes, *set, *clear);
            return true;
        }
        if let Some((_, set, clear)) = word.strip_prefix('r').and_then(find) {
            change(&mut self.recursive, *set, *clear);
            return true;
        }
        false
    }

    fn take_propagation(&mut self, word: &str) -> bool {
        let find = |word| PROPAGATIONS.iter().find(|(name, _)| *name == word);
        let plain = find(word);
        let found = plain.or_else(|| word.strip_prefix('r').and_then(find));
        if let Some((_, propagation)) = found {
            self.propagation = *propagation;
            self.propagation_recursive = plain.is_none();
        }
        found.is_some()
    }
}

/// The later word wins over the earlier one.
fn change(attributes: &mut MountAttributes, set: u64, clear: u64) {
    attributes.set = attributes.set & !clear | set;
    attributes.clear = attributes.clear & !set | clear;
}

fn parameter(word: &str) -> (String, Option<String>) {
    match word.split_once('=') {
        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
        None => (word.to_owned(), None),
    }
}

/// The propagation that a word of the spec names, and whether it goes for all mounts below.
pub(crate) fn propagation(word: &str) -> Option<(u64, bool)> {
    let mut options = Options::default();
    options.take_propagation(word).then_some((options.propagation, options.propagation_recursive))
}

/// The propagation that nothing comes through.
pub(crate) const fn private() -> u64 {
    PRIVATE
}

/// The propagation that the host's later mounts come through.
pub(crate) const fn slave() -> u64 {
    SLAVE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Options {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        Options::parse(&words, "mounts[0]").unwrap()
    }

    #[test]
    fn the_usual_options_of_proc_and_tmpfs_are_sorted() {
        let options = parse(&["nosuid", "noexec", "nodev", "mode=755", "size=65536k"]);
        assert_eq!(options.attributes.set, NO_SUID | NO_EXEC | NO_DEV);
        let parameters = [("mode".into(), Some("755".into())), ("size".into(), Some("65536k".into()))];
        assert_eq!(options.parameters, parameters);
        assert_eq!(options.bind, None);
    }

    #[test]
    fn the_later_word_wins() {
        let options = parse(&["ro", "rw"]);
        assert_eq!((options.attributes.set, options.attributes.clear), (0, READ_ONLY));
        let options = parse(&["noatime", "strictatime"]);
        assert_eq!(options.attributes.set, STRICT_ACCESS_TIME);
    }

    #[test]
    fn recursive_words_are_kept_apart() {
        let options = parse(&["rbind", "rprivate", "rro", "relatime"]);
        assert_eq!(options.bind, Some(true));
        assert_eq!((options.propagation, options.propagation_recursive), (PRIVATE, true));
        assert_eq!(options.recursive.set, READ_ONLY);
        assert_eq!(options.attributes.clear, ACCESS_TIME);
    }

    #[test]
    fn bind_after_rbind_does_not_lose_what_is_below() {
        assert_eq!(parse(&["rbind", "bind"]).bind, Some(true));
    }

    #[test]
    fn what_is_not_enforced_is_refused_by_name() {
        for word in REFUSED {
            let refused = Options::parse(&[word.to_owned()], "mounts[3]");
            assert!(matches!(refused, Err(Error::Unsupported { field, .. }) if field.contains(word)));
        }
    }
}
