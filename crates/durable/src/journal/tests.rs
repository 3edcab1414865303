//! Promises of `journal`, kept on a real file system.
//! Power cuts are in `replay_tests`; here are damaged tails, full disks and strangers.

use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};

use proptest::prelude::*;

use super::*;
use crate::scratch::{Scratch, mount_small, with_own_mounts};

const RESERVE: u64 = 4096;

fn journal_of(scratch: &Scratch, records: &[&str]) -> Journal {
    let mut journal = Journal::create(&scratch.dir, "j", RESERVE).unwrap();
    for record in records {
        journal.append(record.as_bytes()).unwrap();
    }
    journal.sync().unwrap();
    journal
}

fn add_tail(scratch: &Scratch, tail: &[u8]) {
    use std::io::Write;
    std::fs::File::options().append(true).open(scratch.path("j")).unwrap().write_all(tail).unwrap();
}

/// Opens the journal with `tail` behind its two records, and returns what was cut.
fn cut_of(tail: &[u8]) -> Option<Cut> {
    let scratch = Scratch::new();
    journal_of(&scratch, &["one", "two"]);
    add_tail(&scratch, tail);
    let (mut journal, replay) = Journal::open(&scratch.dir, "j", RESERVE).unwrap();
    assert_eq!(replay.records, [b"one", b"two"]);
    journal.append(b"three").unwrap();
    let again = read(&scratch.dir, "j").unwrap();
    assert_eq!(again.records, [b"one".as_slice(), b"two", b"three"]);
    assert_eq!(again.cut, None);
    replay.cut
}

#[test]
fn records_come_back_in_order() {
    let scratch = Scratch::new();
    drop(journal_of(&scratch, &["one", "", "three with blanks"]));
    let (_, replay) = Journal::open(&scratch.dir, "j", RESERVE).unwrap();
    assert_eq!(replay.records, [b"one".as_slice(), b"", b"three with blanks"]);
    assert_eq!(replay.cut, None);
}

#[test]
fn a_journal_is_text_of_mode_0600() {
    let scratch = Scratch::new();
    journal_of(&scratch, &["123456789"]);
    assert_eq!(std::fs::read_to_string(scratch.path("j")).unwrap(), "e3069283 123456789\n");
    assert_eq!(std::fs::metadata(scratch.path("j")).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn a_torn_tail_is_cut_off_and_said() {
    let cut = cut_of(b"e3069283 1234").unwrap();
    assert_eq!((cut.offset, cut.bytes, cut.why), (26, 13, CutReason::Torn));
    assert_eq!(cut.to_string(), "a torn record at offset 26, 13 bytes to the end");
}

#[test]
fn a_tail_of_zeros_is_cut_off_and_said() {
    assert_eq!(cut_of(&[0; 5000]).unwrap().why, CutReason::Zeros);
}

#[test]
fn a_damaged_record_is_cut_off_with_all_behind_it() {
    let behind = frame::encode(b"behind", std::path::Path::new("j")).unwrap();
    let tail = [b"00000000 damaged\n".as_slice(), &behind].concat();
    let cut = cut_of(&tail).unwrap();
    assert_eq!((cut.bytes, cut.why), (tail.len() as u64, CutReason::Garbage));
}

#[test]
fn a_look_repairs_nothing() {
    let scratch = Scratch::new();
    journal_of(&scratch, &["one"]);
    add_tail(&scratch, b"torn");
    let before = std::fs::read(scratch.path("j")).unwrap();
    assert_eq!(read(&scratch.dir, "j").unwrap().cut.unwrap().why, CutReason::Torn);
    assert_eq!(std::fs::read(scratch.path("j")).unwrap(), before);
}

#[test]
fn a_record_with_a_newline_is_refused_and_leaves_nothing() {
    let scratch = Scratch::new();
    let mut journal = journal_of(&scratch, &["one"]);
    let length = journal.length().unwrap();
    assert!(matches!(journal.append(b"a\nb"), Err(Error::Newline(_))));
    assert_eq!(journal.length().unwrap(), length);
}

#[test]
fn a_rewritten_journal_holds_the_new_records_behind_the_same_descriptor() {
    let scratch = Scratch::new();
    let mut journal = journal_of(&scratch, &["one", "two"]);
    let number = journal.as_fd().as_raw_fd();
    journal.rewrite(["sum"]).unwrap();
    journal.append(b"three").unwrap();
    assert_eq!(journal.as_fd().as_raw_fd(), number);
    assert_eq!(read(&scratch.dir, "j").unwrap().records, [b"sum".as_slice(), b"three"]);
    assert!(journal.reserved().unwrap() >= RESERVE);
    assert_eq!(scratch.dir.names().unwrap(), ["j"]);
}

#[test]
fn a_dead_writers_descriptor_can_be_taken_over() {
    let scratch = Scratch::new();
    let dead = journal_of(&scratch, &["one"]);
    add_tail(&scratch, b"torn");
    let fd = dead.as_fd().try_clone_to_owned().unwrap();
    let (mut journal, replay) = Journal::adopt(&scratch.dir, "j", fd, RESERVE).unwrap();
    assert!(replay.cut.is_some());
    journal.append(b"two").unwrap();
    assert_eq!(read(&scratch.dir, "j").unwrap().records, [b"one", b"two"]);
}

#[test]
fn what_is_not_a_file_of_ours_is_no_journal() {
    let scratch = Scratch::new();
    journal_of(&scratch, &["one"]);
    symlink("j", scratch.path("link")).unwrap();
    assert!(matches!(Journal::open(&scratch.dir, "link", 0), Err(Error::WrongKind { .. })));
    assert!(matches!(Journal::create(&scratch.dir, "link", 0), Err(Error::Exists(_))));
    std::os::unix::fs::chown(scratch.path("j"), Some(65534), None).unwrap();
    assert!(matches!(Journal::open(&scratch.dir, "j", 0), Err(Error::Foreign { owner: 65534, .. })));
    assert!(matches!(read(&scratch.dir, "j"), Err(Error::Foreign { .. })));
    assert!(read(&scratch.dir, "missing").unwrap_err().is_not_found());
}

#[test]
fn room_is_kept_ahead_of_the_end() {
    let scratch = Scratch::new();
    let mut journal = journal_of(&scratch, &[]);
    for _ in 0..100 {
        journal.append(&[b'x'; 1000]).unwrap();
        assert!(journal.reserved().unwrap() >= RESERVE);
    }
}

#[test]
fn a_journal_that_gets_no_room_is_not_made() {
    with_own_mounts(|scratch| {
        mount_small(scratch.dir.path(), 64 * 1024);
        let dir = Dir::open_path(scratch.dir.path()).unwrap();
        let failed = Journal::create(&dir, "j", 1024 * 1024).unwrap_err();
        assert!(matches!(failed, Error::Reserve(..)) && failed.is_full(), "{failed:?}");
        assert_eq!(dir.names().unwrap().len(), 0);
    });
}

#[test]
fn a_full_disk_still_takes_the_reserved_records() {
    with_own_mounts(|scratch| {
        mount_small(scratch.dir.path(), 256 * 1024);
        let dir = Dir::open_path(scratch.dir.path()).unwrap();
        let mut journal = Journal::create(&dir, "j", 16 * 1024).unwrap();
        journal.append(b"first").unwrap();
        fill(&dir);
        let mut kept = vec![b"first".to_vec()];
        let failed = loop {
            let record = format!("{:0900}", kept.len()).into_bytes();
            match journal.append(&record) {
                Ok(()) => kept.push(record),
                Err(failed) => break failed,
            }
        };
        assert!(kept.len() > 17, "16 KiB were reserved, {} records taken", kept.len());
        assert!(matches!(failed, Error::Write(..)) && failed.is_full(), "{failed:?}");
        let found = read(&dir, "j").unwrap();
        assert_eq!((found.records, found.cut), (kept.clone(), None));
        dir.remove_file("filler").unwrap();
        journal.append(b"last").unwrap();
        kept.push(b"last".to_vec());
        assert_eq!(Journal::open(&dir, "j", 16 * 1024).unwrap().1.records, kept);
    });
}

#[test]
fn a_record_that_may_be_refused_leaves_the_reserved_room_alone() {
    with_own_mounts(|scratch| {
        mount_small(scratch.dir.path(), 256 * 1024);
        let dir = Dir::open_path(scratch.dir.path()).unwrap();
        let mut journal = Journal::create(&dir, "j", 16 * 1024).unwrap();
        fill(&dir);
        let failed = loop {
            if let Err(failed) = journal.append_if_room(&[b'x'; 900]) {
                break failed;
            }
        };
        assert!(matches!(failed, Error::Reserve(..)) && failed.is_full(), "{failed:?}");
        for _ in 0..16 {
            journal.append(&[b'y'; 900]).unwrap();
        }
    });
}

#[test]
fn a_full_disk_keeps_no_journal_from_being_opened() {
    with_own_mounts(|scratch| {
        mount_small(scratch.dir.path(), 256 * 1024);
        let dir = Dir::open_path(scratch.dir.path()).unwrap();
        Journal::create(&dir, "j", 16 * 1024).unwrap().append(b"one").unwrap();
        fill(&dir);
        let (mut journal, replay) = Journal::open(&dir, "j", 64 * 1024).unwrap();
        assert_eq!(replay.records, [b"one"]);
        journal.append(b"two").unwrap();
    });
}

#[test]
fn what_a_failed_write_left_and_could_not_take_back_is_cut_off_by_the_next() {
    with_own_mounts(|scratch| {
        mount_small(scratch.dir.path(), 64 * 1024);
        let dir = Dir::open_path(scratch.dir.path()).unwrap();
        let mut journal = Journal::create(&dir, "j", 0).unwrap();
        journal.append(b"one").unwrap();
        fill(&dir);
        // A file for appending only cannot be truncated.
        rustix::fs::ioctl_setflags(&journal, rustix::fs::IFlags::APPEND).unwrap();
        assert!(journal.append(&[b'x'; 5000]).unwrap_err().is_full());
        assert!(read(&dir, "j").unwrap().cut.is_some());
        assert!(matches!(journal.append(b"early"), Err(Error::Truncate(..))));
        rustix::fs::ioctl_setflags(&journal, rustix::fs::IFlags::empty()).unwrap();
        dir.remove_file("filler").unwrap();
        journal.append(b"two").unwrap();
        let found = read(&dir, "j").unwrap();
        assert_eq!((found.records, found.cut), (vec![b"one".to_vec(), b"two".to_vec()], None));
    });
}

fn fill(dir: &Dir) {
    use std::io::Write;
    let mut filler = std::fs::File::create(dir.path().join("filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_bytes_behind_the_records_leave_the_records(tail in prop::collection::vec(any::<u8>(), 0..300)) {
        cut_of(&tail);
    }

    #[test]
    fn any_bytes_at_all_can_be_opened(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'0')], 0..300),
    ) {
        let found = replay::of_bytes(&bytes);
        let cut = found.cut.map_or(0, |cut| cut.bytes);
        prop_assert_eq!(found.length + cut, bytes.len() as u64);
    }
}
