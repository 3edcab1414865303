//! Where kept output is read from: a number of its last lines, or a place in it.

use libcontainerd::ReadFrom;

use super::GrammarError;

/// Reads a number of lines; `all` is everything.
pub(crate) fn tail(text: &str) -> Result<ReadFrom, GrammarError> {
    match text {
        "all" => Ok(ReadFrom::Start),
        "0" => Ok(ReadFrom::Now),
        _ => number(text).map(ReadFrom::Lines).ok_or(GrammarError::Tail),
    }
}

/// Reads a place.
pub(crate) fn from(text: &str) -> Result<ReadFrom, GrammarError> {
    match text {
        "start" => Ok(ReadFrom::Start),
        "now" => Ok(ReadFrom::Now),
        _ => number(text).map(ReadFrom::Offset).ok_or(GrammarError::From),
    }
}

/// Digits and nothing else: no sign is part of a number here.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_a_number_or_all() {
        assert_eq!(tail("all"), Ok(ReadFrom::Start));
        assert_eq!(tail("0"), Ok(ReadFrom::Now));
        assert_eq!(tail("12"), Ok(ReadFrom::Lines(12)));
        for text in ["", "-1", "+1", "some", "1.5", "99999999999999999999"] {
            assert_eq!(tail(text), Err(GrammarError::Tail), "{text}");
        }
    }

    #[test]
    fn a_place_is_an_offset_or_a_word() {
        assert_eq!(from("start"), Ok(ReadFrom::Start));
        assert_eq!(from("now"), Ok(ReadFrom::Now));
        assert_eq!(from("0"), Ok(ReadFrom::Offset(0)));
        assert_eq!(from("123"), Ok(ReadFrom::Offset(123)));
        for text in ["", "-1", "end", "0x1"] {
            assert_eq!(from(text), Err(GrammarError::From), "{text}");
        }
    }
}
