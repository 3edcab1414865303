//! Times in the past: RFC 3339, seconds since 1970, or how long ago.
//!
//! A duration is whole numbers with units; months and years have no fixed length and are not read.

use std::time::SystemTime;

use super::{GrammarError, duration};

/// Reads a time, `now` being the present.
pub(crate) fn parse_at(text: &str, now: SystemTime) -> Result<SystemTime, GrammarError> {
    if let Some(since) = duration::seconds(text) {
        return SystemTime::UNIX_EPOCH.checked_add(since).ok_or(GrammarError::Since);
    }
    if let Some(ago) = duration::with_units(text) {
        return now.checked_sub(ago).ok_or(GrammarError::Since);
    }
    let at: jiff::Timestamp = text.parse().map_err(|_| GrammarError::Since)?;
    SystemTime::try_from(at).map_err(|_| GrammarError::Since)
}

/// Reads a time.
pub(crate) fn parse(text: &str) -> Result<SystemTime, GrammarError> {
    parse_at(text, SystemTime::now())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(text: &str) -> Result<u128, GrammarError> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        parse_at(text, now).map(|at| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis())
    }

    #[test]
    fn times_are_written_in_three_ways() {
        assert_eq!(at("1970-01-01T00:00:10.5Z"), Ok(10_500));
        assert_eq!(at("1970-01-01T01:00:00+01:00"), Ok(0));
        assert_eq!(at("12.25"), Ok(12_250));
        assert_eq!(parse_at("1.000000001", SystemTime::now()), Ok(SystemTime::UNIX_EPOCH + Duration::new(1, 1)));
        assert_eq!(at("10m"), Ok(999_400_000));
        assert_eq!(at("1h30m"), Ok(994_600_000));
        assert_eq!(at("500ms"), Ok(999_999_500));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "yesterday", "10x", "m", "1h30", "-5m", "1.2.3", "99999999999999999999d", "2026-01-31"] {
            assert_eq!(at(text), Err(GrammarError::Since), "{text}");
        }
    }
}
