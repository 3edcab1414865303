//! How output is kept: `--log-driver` and `--log-opt`, as Docker's hands type them.
//!
//! There is one way to keep output and one to keep none; drivers of others that mean a file are taken for the first.
//! A total of `max-file` times `max-size` is kept, in whole segments.

use libcontainerd::{Keep, Unread, WhenFull};

use super::{GrammarError, size};

/// Whether output is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogDriver {
    /// On disk.
    Kept,
    /// Nowhere: it is live.
    None,
}

/// What can be said about keeping output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogOption {
    /// The length of a segment in bytes; none for output without bounds.
    MaxSize(Option<u64>),
    /// How many segments.
    MaxFile(u32),
    /// What happens to output that there is no room for, or that nobody reads.
    Mode(WhenFull),
}

/// Reads the name of a driver.
pub(crate) fn driver(text: &str) -> Result<LogDriver, GrammarError> {
    match text {
        "kept" | "json-file" | "local" | "k8s-file" => Ok(LogDriver::Kept),
        "none" => Ok(LogDriver::None),
        _ => Err(GrammarError::LogDriver(text.to_owned())),
    }
}

/// Reads one option.
pub(crate) fn option(text: &str) -> Result<LogOption, GrammarError> {
    let unknown = || GrammarError::LogOption(text.to_owned());
    let (name, value) = text.split_once('=').ok_or_else(unknown)?;
    match (name, value) {
        ("max-size", "-1") => Ok(LogOption::MaxSize(None)),
        ("max-size", _) => match size::parse(value) {
            Ok(bytes) if bytes >= SMALLEST => Ok(LogOption::MaxSize(Some(bytes))),
            _ => Err(GrammarError::LogSize),
        },
        ("max-file", _) => match value.parse() {
            Ok(count) if count > 0 => Ok(LogOption::MaxFile(count)),
            _ => Err(GrammarError::LogFiles),
        },
        ("mode", "drop" | "non-blocking") => Ok(LogOption::Mode(WhenFull::Drop)),
        ("mode", "block" | "blocking") => Ok(LogOption::Mode(WhenFull::Block)),
        ("mode", _) => Err(GrammarError::LogMode),
        _ => Err(unknown()),
    }
}

/// Below that a segment would be mostly index.
const SMALLEST: u64 = 4096;

/// How output is kept by these options, the last of each kind among them.
pub(crate) fn keep(options: &[LogOption]) -> Keep {
    let mut size = None;
    let mut files = None;
    for option in options {
        match option {
            LogOption::MaxSize(bytes) => size = Some(*bytes),
            LogOption::MaxFile(count) => files = Some(*count),
            LogOption::Mode(_) => {}
        }
    }
    let usual = Keep::default();
    let mut keep = match size {
        Some(None) => Keep::unbounded(),
        Some(Some(bytes)) => Keep::bounded(bytes, files.or(usual.segments).unwrap_or(1)),
        None => Keep::bounded(usual.segment, files.or(usual.segments).unwrap_or(1)),
    };
    keep.when_full = mode(options).unwrap_or(keep.when_full);
    keep
}

/// What becomes of live output in the background that nobody reads: by default it hangs nobody.
pub(crate) fn unread(options: &[LogOption]) -> Unread {
    match mode(options) {
        Some(WhenFull::Block) => Unread::Block,
        _ => Unread::Discard,
    }
}

fn mode(options: &[LogOption]) -> Option<WhenFull> {
    options.iter().rev().find_map(|option| match option {
        LogOption::Mode(mode) => Some(*mode),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(texts: &[&str]) -> Keep {
        keep(&texts.iter().map(|text| option(text).unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn files_of_others_are_kept_output_and_what_is_neither_is_named() {
        for name in ["kept", "json-file", "local", "k8s-file"] {
            assert_eq!(driver(name), Ok(LogDriver::Kept), "{name}");
        }
        assert_eq!(driver("none"), Ok(LogDriver::None));
        assert_eq!(driver("syslog"), Err(GrammarError::LogDriver("syslog".into())));
    }

    #[test]
    fn output_is_kept_within_bounds_unless_told_otherwise() {
        assert_eq!(kept(&[]), Keep::default());
        assert_eq!(kept(&["max-size=1m"]), Keep::bounded(1 << 20, 4));
        assert_eq!(kept(&["max-size=16m", "max-file=2"]), Keep::bounded(16 << 20, 2));
        assert_eq!(kept(&["max-file=2", "max-file=3"]), Keep::bounded(16 << 20, 3));
        assert_eq!(kept(&["max-size=-1"]), Keep::unbounded());
    }

    #[test]
    fn who_asks_for_it_decides_about_a_full_disk() {
        assert_eq!(kept(&["mode=block"]).when_full, WhenFull::Block);
        assert_eq!(kept(&["max-size=-1", "mode=drop"]).when_full, WhenFull::Drop);
        assert_eq!(kept(&["max-size=-1", "mode=drop"]).segments, None);
    }

    #[test]
    fn live_output_in_the_background_is_thrown_away_unless_it_is_to_block() {
        assert_eq!(unread(&[]), Unread::Discard);
        assert_eq!(unread(&[option("mode=block").unwrap()]), Unread::Block);
    }

    #[test]
    fn what_is_no_option_says_what_is_wrong() {
        let all = || GrammarError::LogOption("compress=true".into());
        assert_eq!(option("compress=true"), Err(all()));
        assert_eq!(option("max-size=0"), Err(GrammarError::LogSize));
        assert_eq!(option("max-size=100"), Err(GrammarError::LogSize));
        assert_eq!(option("max-size="), Err(GrammarError::LogSize));
        assert_eq!(option("max-file=0"), Err(GrammarError::LogFiles));
        assert_eq!(option("max-file=x"), Err(GrammarError::LogFiles));
        assert_eq!(option("mode=maybe"), Err(GrammarError::LogMode));
        assert!(option("max-size").is_err());
    }
}
