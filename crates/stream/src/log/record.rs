//! The records of an index: 32 bytes each, little-endian, with a sum.
//!
//! Bytes 0 to 4 are the CRC32C of the rest, then come kind, channel and two small numbers, and from 8 on offset, time
//! (nanoseconds since 1970) and a count. One length for all, so that a torn record is found by its place alone, and none
//! lies across two pages: a record that is overwritten changes as a whole for whoever survives the writer.
//!
//! Keeps: `no_bytes_but_those_of_a_record_are_read_as_one`.

use super::state::{Channels, State};
use super::{Channel, Why};

/// Length of a record in bytes.
pub(super) const LENGTH: usize = 32;

/// What an index says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// Of the whole segment, its first record: what was true when it was made.
    Head { offset: u64, at: u64, state: State },
    /// Everything before `offset` is there; rewritten in place after each turn's bytes, which is what wakes readers.
    Mark { offset: u64, at: u64 },
    /// The bytes from `offset` up to the next such record are of this channel. Written before them.
    Begin { offset: u64, at: u64, channel: Channel },
    /// So many bytes from `offset` on are lost; rewritten in place as it grows.
    Lost { offset: u64, at: u64, count: u64 },
    /// A channel has ended.
    End { offset: u64, at: u64, channel: Channel, why: Why },
    /// A run begins, or what was known of the outputs is put right.
    Start { offset: u64, at: u64, state: State },
}

impl Record {
    /// Offset of the first byte that it is about.
    pub(super) fn offset(&self) -> u64 {
        match *self {
            Self::Head { offset, .. }
            | Self::Mark { offset, .. }
            | Self::Begin { offset, .. }
            | Self::Lost { offset, .. }
            | Self::End { offset, .. }
            | Self::Start { offset, .. } => offset,
        }
    }

    pub(super) fn encode(&self) -> [u8; LENGTH] {
        // Kind, channel, two small numbers; offset, time, count.
        let (small, large) = match *self {
            Self::Head { offset, at, state } => {
                ([HEAD, VERSION, state.known.bits(), state.ended.bits()], [offset, at, 0])
            }
            Self::Mark { offset, at } => ([MARK, 0, 0, 0], [offset, at, 0]),
            Self::Begin { offset, at, channel } => ([BEGIN, number(channel), 0, 0], [offset, at, 0]),
            Self::Lost { offset, at, count } => ([LOST, 0, 0, 0], [offset, at, count]),
            Self::End { offset, at, channel, why } => ([END, number(channel), reason(why), 0], [offset, at, 0]),
            Self::Start { offset, at, state } => ([START, 0, state.known.bits(), state.ended.bits()], [offset, at, 0]),
        };
        let mut bytes = [0; LENGTH];
        bytes[4..8].copy_from_slice(&small);
        for (place, number) in bytes[8..].chunks_exact_mut(8).zip(large) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let sum = crc32c::crc32c(&bytes[4..]);
        bytes[..4].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// The record that these bytes are, if they are one that this build knows.
    pub(super) fn decode(bytes: &[u8; LENGTH]) -> Option<Self> {
        let sum = u32::from_le_bytes(*bytes.first_chunk()?);
        if sum != crc32c::crc32c(&bytes[4..]) {
            return None;
        }
        let number = |at: usize| bytes[at..].first_chunk().map(|eight| u64::from_le_bytes(*eight));
        let (offset, at, count) = (number(8)?, number(16)?, number(24)?);
        let state = || Some(State { known: Channels::from_bits(bytes[6])?, ended: Channels::from_bits(bytes[7])? });
        Some(match bytes[4] {
            HEAD if bytes[5] == VERSION => Self::Head { offset, at, state: state()? },
            MARK => Self::Mark { offset, at },
            BEGIN => Self::Begin { offset, at, channel: channel(bytes[5])? },
            LOST => Self::Lost { offset, at, count },
            END => Self::End { offset, at, channel: channel(bytes[5])?, why: why(bytes[6])? },
            START => Self::Start { offset, at, state: state()? },
            _ => return None,
        })
    }
}

/// The format of the whole segment, said in its head.
const VERSION: u8 = 1;

const HEAD: u8 = 1;
const MARK: u8 = 2;
const BEGIN: u8 = 3;
const LOST: u8 = 4;
const END: u8 = 5;
const START: u8 = 6;

fn number(channel: Channel) -> u8 {
    match channel {
        Channel::Stdout => 1,
        Channel::Stderr => 2,
    }
}

fn channel(number: u8) -> Option<Channel> {
    match number {
        1 => Some(Channel::Stdout),
        2 => Some(Channel::Stderr),
        _ => None,
    }
}

fn reason(why: Why) -> u8 {
    match why {
        Why::Closed => 1,
        Why::Drained => 2,
        Why::Broken => 3,
    }
}

fn why(reason: u8) -> Option<Why> {
    match reason {
        1 => Some(Why::Closed),
        2 => Some(Why::Drained),
        3 => Some(Why::Broken),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one_of_each() -> [Record; 6] {
        let (offset, at) = (1 << 40, 1_700_000_000_123_456_789);
        let state = State { known: Channels::of(&[Channel::Stdout, Channel::Stderr]), ended: Channels::default() };
        [
            Record::Head { offset, at, state },
            Record::Mark { offset, at },
            Record::Begin { offset, at, channel: Channel::Stderr },
            Record::Lost { offset, at, count: 7 },
            Record::End { offset, at, channel: Channel::Stdout, why: Why::Drained },
            Record::Start { offset, at, state },
        ]
    }

    #[test]
    fn every_record_is_read_as_it_was_written() {
        for record in one_of_each() {
            assert_eq!(Record::decode(&record.encode()), Some(record));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_but_those_of_a_record_are_read_as_one(which in 0..6usize, at in 0..LENGTH, flip in 1..=255u8) {
            let mut bytes = one_of_each()[which].encode();
            bytes[at] ^= flip;
            prop_assert_eq!(Record::decode(&bytes), None);
        }

        #[test]
        fn any_bytes_are_refused_or_read_without_a_panic(bytes: [u8; LENGTH]) {
            let _ = Record::decode(&bytes);
            let mut summed = bytes;
            let sum = crc32c::crc32c(&summed[4..]);
            summed[..4].copy_from_slice(&sum.to_le_bytes());
            if let Some(record) = Record::decode(&summed) {
                let _ = record.encode();
            }
        }
    }
}
