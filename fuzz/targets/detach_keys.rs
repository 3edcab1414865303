//! Any text as a sequence of keys, and any bytes typed at it, in pieces of any size.
//!
//! The first line is the sequence; the first byte after it says how long the pieces are; the rest is typed.
//!
//! Found must be: no panic; nothing swallowed but the sequence itself, at the first place where it stands.
#![no_main]

use libcontainerd::{DetachKeys, DetachWatch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (text, rest) = input.split_at(end);
    let Some(keys) = std::str::from_utf8(text).ok().and_then(|text| text.parse::<DetachKeys>().ok()) else { return };
    let Some((size, typed)) = rest.get(1..).and_then(<[u8]>::split_first) else { return };
    let sequence = bytes(text);
    let (mut watch, mut passed, mut detached) = (DetachWatch::new(keys), Vec::new(), false);
    for piece in typed.chunks(usize::from(*size).max(1)) {
        detached = watch.feed(piece, &mut passed);
        if detached {
            break;
        }
    }
    let place = typed.windows(sequence.len().max(1)).position(|window| window == sequence);
    assert_eq!(detached, place.is_some());
    if !detached {
        passed.extend(watch.rest());
    }
    assert_eq!(passed, typed[..place.unwrap_or(typed.len())]);
});

/// What the keys of a sequence that was read are as bytes.
fn bytes(text: &[u8]) -> Vec<u8> {
    let key = |key: &[u8]| match key {
        [b'c', b't', b'r', b'l', b'-', with] => with.to_ascii_uppercase() & 0x1f,
        [letter] => *letter,
        other => panic!("{other:?} was taken for a key"),
    };
    if text.is_empty() { Vec::new() } else { text.split(|byte| *byte == b',').map(key).collect() }
}
