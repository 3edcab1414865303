//! Any bytes as a journal: what is read of it, what is cut off, and what is appended then.
//!
//! The first byte says whether each line gets the sum that it needs, without which nearly every input has no record.
//!
//! Found must be: no panic, no error because of what it contains, the records that were framed and no others, and the
//! same records again after the repair, with the one that was appended.
#![no_main]

use std::fs;

use libcontainerd_durable::{Dir, Journal};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&mode, lines)) = input.split_first() else { return };
    let scratch = tempfile::tempdir_in("/dev/shm").expect("a scratch directory");
    let place = Dir::open_path(scratch.path()).expect("the scratch directory");
    let bytes = if mode % 2 == 0 { framed(lines) } else { lines.to_vec() };
    drop(Journal::create(&place, "journal", 0).expect("a journal"));
    fs::write(scratch.path().join("journal"), &bytes).expect("its bytes");
    let (mut journal, first) = Journal::open(&place, "journal", 4096).expect("any bytes can be opened");
    assert_eq!(first.cut.is_some(), journal.length().expect("a length") < bytes.len() as u64);
    if mode % 2 == 0 && !lines.is_empty() {
        assert!(first.cut.is_none_or(|cut| cut.offset < bytes.len() as u64));
    }
    journal.append(b"one more").expect("a repaired journal takes records");
    drop(journal);
    let (_, second) = Journal::open(&place, "journal", 4096).expect("a repaired journal");
    assert!(second.cut.is_none());
    let (last, others) = second.records.split_last().expect("the record that was appended");
    assert!(last == b"one more" && others == first.records);
});

/// Each line with its sum in front, as a journal has them.
fn framed(lines: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines.split(|&byte| byte == b'\n') {
        bytes.extend(format!("{:08x} ", crc32c::crc32c(line)).bytes());
        bytes.extend([line, b"\n"].concat());
    }
    bytes
}
