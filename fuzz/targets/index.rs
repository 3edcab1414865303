//! Any bytes as the files of kept output: every reader, the writer that comes after, and the way backwards.
//!
//! The first byte says whether the records' sums are put right, without which nearly every input is a torn index; what
//! follows is the index in 32-byte records, in front of which a right head is put. The data are 100 known bytes.
//!
//! Found must be: no panic, an end, no byte that is not in the data, and none twice.
#![no_main]

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use libcontainerd_stream::log::{Channel, From, Limits, Next, Piece, Read, Reader, Writer, tail};
use libfuzzer_sys::fuzz_target;

const RECORD: usize = 32;
const DATA: [u8; 100] = [b'\n'; 100];
const BOTH: [Channel; 2] = [Channel::Stdout, Channel::Stderr];

fuzz_target!(|input: &[u8]| {
    let Some((&mode, records)) = input.split_first() else { return };
    let scratch = tempfile::tempdir_in("/dev/shm").expect("a scratch directory");
    let name = |suffix: &str| scratch.path().join(format!("{:020}.{suffix}", 0));
    fs::write(name("data"), DATA).expect("data");
    fs::write(name("index"), index(mode % 2 == 0, records)).expect("an index");
    let times = [Duration::ZERO, Duration::from_nanos(u64::MAX / 2)].map(|since| SystemTime::UNIX_EPOCH + since);
    for from in [From::Start, From::Now, From::Offset(50), From::Time(times[0]), From::Time(times[1]), From::Lines(3)] {
        read(scratch.path(), from, mode & 2 == 0);
    }
    for channel in BOTH {
        assert!(tail(directory(scratch.path()), channel, 60).expect("a tail").len() <= 60);
    }
    let limits = Limits { segment: 64, segments: Some(2), drop_when_full: mode & 4 == 0 };
    if let Ok(mut writer) = Writer::resume(directory(scratch.path()).into(), limits, &BOTH) {
        let _ = writer.commit();
    }
    read(scratch.path(), From::Start, false);
});

fn directory(path: &Path) -> File {
    File::open(path).expect("the scratch directory")
}

/// A head, a mark, and these records, with sums that are right if so wanted.
fn index(sound: bool, records: &[u8]) -> Vec<u8> {
    let mut head = [0; 2 * RECORD];
    // Kind and version; the mark is not looked at.
    (head[4], head[5], head[RECORD + 4]) = (1, 1, 2);
    let mut index = [&head[..], records].concat();
    let whole = if sound { index.len() } else { 2 * RECORD };
    for record in index[..whole].chunks_exact_mut(RECORD) {
        let sum = crc32c::crc32c(&record[4..]);
        record[..4].copy_from_slice(&sum.to_le_bytes());
    }
    index
}

fn read(path: &Path, from: From, follow: bool) {
    let Ok(mut reader) = Reader::open(directory(path).into(), Read { from, only: None, follow }) else { return };
    let mut at = 0;
    while let Ok(Next::Piece(piece)) = reader.advance() {
        match piece {
            Piece::Bytes { offset, bytes, .. } => {
                assert!(offset >= at && bytes == DATA[offset as usize..offset as usize + bytes.len()]);
                at = offset + bytes.len() as u64;
            }
            Piece::Lost { from, to } => {
                assert!(from >= at && from < to);
                at = to;
            }
            Piece::End { .. } => {}
        }
    }
}
