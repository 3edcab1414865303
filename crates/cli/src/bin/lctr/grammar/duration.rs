//! How long something may take: `10s`, `1m30s`, `500ms`, or plain seconds as `10` and `1.5`.
//!
//! Months and years have no fixed length and are not read.

use std::time::Duration;

use super::GrammarError;

/// Reads a time that something may take, which is not zero.
pub(crate) fn parse(text: &str) -> Result<Duration, GrammarError> {
    seconds(text).or_else(|| with_units(text)).filter(|length| !length.is_zero()).ok_or(GrammarError::Duration)
}

/// Seconds as a number, with up to nine digits behind the point.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    // Digits behind the ninth are less than a nanosecond.
    let nanos = format!("{:0<9.9}", fraction).parse().ok()?;
    Some(Duration::new(whole.parse().ok()?, nanos))
}

/// `1h30m`, `10s`, `500ms`: numbers and their units, one after the other.
pub(super) fn with_units(text: &str) -> Option<Duration> {
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

    #[test]
    fn a_duration_is_seconds_or_numbers_with_units() {
        for (text, milliseconds) in
            [("10", 10_000), ("0.5", 500), ("10s", 10_000), ("1m30s", 90_000), ("250ms", 250), ("1h", 3_600_000)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(parse("1.000000001"), Ok(Duration::new(1, 1)));
    }

    #[test]
    fn no_time_is_no_duration() {
        for text in ["", "0", "0s", "0.0", "-1", "s", "10x", "1.5s", "1.", ".5", "1e3", "99999999999999999999", "1 s"] {
            assert_eq!(parse(text), Err(GrammarError::Duration), "{text}");
        }
    }
}
