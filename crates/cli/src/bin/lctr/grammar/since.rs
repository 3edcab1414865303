//! Times in the past: RFC 3339, seconds since 1970, or how long ago.
//!
//! A duration is whole numbers with units; months and years have no fixed length and are not read.

use std::time::{Duration, SystemTime};

use super::GrammarError;

/// Reads a time, `now` being the present.
pub(crate) fn parse_at(text: &str, now: SystemTime) -> Result<SystemTime, GrammarError> {
    let since = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    if !text.is_empty() && text.chars().all(is_number) {
        let seconds: f64 = text.parse().map_err(|_| GrammarError::Since)?;
        let at = since(seconds).and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
        return at.ok_or(GrammarError::Since);
    }
    if let Some(ago) = duration(text) {
        return now.checked_sub(ago).ok_or(GrammarError::Since);
    }
    let at: jiff::Timestamp = text.parse().map_err(|_| GrammarError::Since)?;
    SystemTime::try_from(at).map_err(|_| GrammarError::Since)
}

/// Reads a time.
pub(crate) fn parse(text: &str) -> Result<SystemTime, GrammarError> {
    parse_at(text, SystemTime::now())
}

/// `1h30m`, `10s`, `500ms`: numbers and their units, one after the other.
fn duration(text: &str) -> Option<Duration> {
    let (mut rest, mut sum) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let milliseconds: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let part = number.parse::<u64>().ok()?.checked_mul(milliseconds)?;
        sum = sum.checked_add(Duration::from_millis(part))?;
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
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
