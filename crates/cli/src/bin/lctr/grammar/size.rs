//! Amounts of memory: `512m`, `1.5g`, `64MiB`; units are powers of 1024, as Docker's.
//!
//! Nothing is no amount: a limit of zero would keep a container from running.

use super::GrammarError;

const UNITS: &str = "bkmgtp";

/// Reads an amount of memory in bytes; none is no amount.
pub(crate) fn parse(text: &str) -> Result<u64, GrammarError> {
    let lower = text.trim().to_ascii_lowercase();
    let end = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(end);
    let bytes = scaled(number, shift(unit)?)?;
    if bytes == 0 { Err(GrammarError::Size) } else { Ok(bytes) }
}

/// How many bits to the left: a letter, and after it `b` or `ib` as people write it.
fn shift(unit: &str) -> Result<u32, GrammarError> {
    let Some(letter) = unit.chars().next() else { return Ok(0) };
    let power = UNITS.find(letter).ok_or(GrammarError::Size)?;
    match (power, &unit[1..]) {
        (_, "") | (1.., "b" | "ib") => Ok(power as u32 * 10),
        _ => Err(GrammarError::Size),
    }
}

fn scaled(number: &str, shift: u32) -> Result<u64, GrammarError> {
    if number.contains('.') {
        let number: f64 = number.parse().map_err(|_| GrammarError::Size)?;
        let bytes = number * (1_u64 << shift) as f64;
        return if bytes < i64::MAX as f64 { Ok(bytes as u64) } else { Err(GrammarError::SizeTooLarge) };
    }
    if number.is_empty() {
        return Err(GrammarError::Size);
    }
    let number: u64 = number.parse().map_err(|_| GrammarError::SizeTooLarge)?;
    let bytes = number.checked_mul(1 << shift).filter(|bytes| i64::try_from(*bytes).is_ok());
    bytes.ok_or(GrammarError::SizeTooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_powers_of_1024_however_they_are_written() {
        for (text, bytes) in [
            ("1", 1),
            ("10b", 10),
            ("4k", 4096),
            ("512m", 512 << 20),
            ("512MB", 512 << 20),
            ("512MiB", 512 << 20),
            ("1g", 1 << 30),
            ("1.5G", 3 << 29),
            ("2t", 2 << 40),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "m", "-1", "0", "0m", "1x", "1bb", "1bib", "1mm", "1 m", "1.2.3m", ".", "1e3", "é"] {
            assert_eq!(parse(text), Err(GrammarError::Size), "{text}");
        }
    }

    #[test]
    fn more_than_the_kernel_can_count_is_refused() {
        for text in ["99999999999999999999", "9223372036854775808", "8388608t", "1e400.0p", "99999999.5t"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
