//! One record as one line: `CRC32C PAYLOAD`, the sum in eight hexadecimal digits.
//!
//! `cat` shows it, and a line that was torn, left as NULs or overwritten does not pass for one. Zeros are no frame,
//! because the line has no end and no blank in them.
//!
//! Keeps: no bytes that were not framed decode to a record, short of a CRC collision
//! (`a_frame_with_one_bit_changed_is_refused`).

use std::path::Path;

use crate::error::Error;

/// The most bytes that one record may have: 1 MiB.
pub const MAX_RECORD: usize = 1024 * 1024;

/// Bytes of a frame beyond its payload: sum, blank, newline.
pub(crate) const OVERHEAD: usize = SUM + 2;

const SUM: usize = 8;

/// Frames `payload`, newline included; `path` is for the message.
pub(crate) fn encode(payload: &[u8], path: &Path) -> Result<Vec<u8>, Error> {
    if payload.contains(&b'\n') {
        return Err(Error::Newline(path.to_owned()));
    }
    if payload.len() > MAX_RECORD {
        return Err(Error::RecordTooLong { path: path.to_owned(), max: MAX_RECORD });
    }
    let mut line = Vec::with_capacity(payload.len() + OVERHEAD);
    line.extend_from_slice(format!("{:08x} ", crc32c::crc32c(payload)).as_bytes());
    line.extend_from_slice(payload);
    line.push(b'\n');
    Ok(line)
}

/// Takes the payload out of `line`, which has no newline any more; `None` when it is not what [`encode`] made.
pub(crate) fn decode(line: &[u8]) -> Option<&[u8]> {
    let (sum, rest) = line.split_at_checked(SUM)?;
    let payload = rest.strip_prefix(b" ")?;
    // Upper case and signs parse as numbers too, but are not what we write.
    if !sum.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) || payload.len() > MAX_RECORD {
        return None;
    }
    let sum = u32::from_str_radix(str::from_utf8(sum).ok()?, 16).ok()?;
    (sum == crc32c::crc32c(payload)).then_some(payload)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framed(payload: &[u8]) -> Vec<u8> {
        encode(payload, Path::new("journal")).unwrap()
    }

    #[test]
    fn a_frame_is_a_sum_a_blank_and_the_payload() {
        assert_eq!(framed(b"123456789"), b"e3069283 123456789\n");
        assert_eq!(framed(b""), b"00000000 \n");
    }

    #[test]
    fn a_payload_with_a_newline_is_refused() {
        assert!(matches!(encode(b"a\nb", Path::new("journal")), Err(Error::Newline(_))));
    }

    #[test]
    fn a_payload_that_no_reader_accepts_is_refused() {
        let payload = vec![b'x'; MAX_RECORD + 1];
        assert!(matches!(encode(&payload, Path::new("journal")), Err(Error::RecordTooLong { .. })));
    }

    #[test]
    fn nuls_are_no_frame() {
        for length in 0..64 {
            assert_eq!(decode(&vec![0; length]), None);
        }
    }

    #[test]
    fn a_sum_in_upper_case_is_refused() {
        assert_eq!(decode(b"E3069283 123456789"), None);
    }

    proptest! {
        #[test]
        fn what_was_framed_is_found_again(payload in "[^\n]{0,200}") {
            let line = framed(payload.as_bytes());
            prop_assert_eq!(decode(&line[..line.len() - 1]), Some(payload.as_bytes()));
        }

        #[test]
        fn a_frame_with_one_bit_changed_is_refused(
            payload in "[^\n]{0,60}",
            at in any::<prop::sample::Index>(),
            bit in 0..8,
        ) {
            let mut line = framed(payload.as_bytes());
            line.pop();
            let index = at.index(line.len());
            line[index] ^= 1u8 << bit;
            prop_assert_eq!(decode(&line), None);
        }

        #[test]
        fn a_shortened_frame_is_refused(payload in "[^\n]{1,60}", cut in 1usize..20) {
            let line = framed(payload.as_bytes());
            let kept = line.len().saturating_sub(1 + cut);
            // A payload of which only its start is left has the sum of another.
            prop_assume!(crc32c::crc32c(line.get(9..kept).unwrap_or_default()) != crc32c::crc32c(payload.as_bytes()));
            prop_assert_eq!(decode(&line[..kept]), None);
        }
    }
}
