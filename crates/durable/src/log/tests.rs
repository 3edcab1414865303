//! Promises of `log`, kept on a real file system.
//! What writers race for is in the tests of `writer`, step by step; here they race.

use std::collections::BTreeSet;
use std::sync::mpsc;

use super::*;
use crate::scratch::{Scratch, mount_small, with_own_mounts};

const LONG: u64 = 1 << 20;

fn all(reader: &mut Reader) -> Vec<String> {
    let mut records = Vec::new();
    loop {
        let batch = reader.next_batch().unwrap();
        if batch.records.is_empty() && batch.skipped == 0 {
            return records;
        }
        records.extend(batch.records.into_iter().map(|record| String::from_utf8(record).unwrap()));
    }
}

fn append_raw(scratch: &Scratch, bytes: &[u8]) {
    use std::io::Write;
    let newest = numbers(&scratch.dir).unwrap().pop().unwrap();
    let path = scratch.path(&newest.to_string());
    std::fs::File::options().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn records_come_in_order_and_once() {
    let scratch = Scratch::new();
    let writer = Writer::open(&scratch.dir, LONG).unwrap();
    let mut reader = Reader::open(&scratch.dir, None).unwrap();
    assert_eq!(all(&mut reader), [""; 0]);
    for record in ["one", "two"] {
        writer.append(record.as_bytes()).unwrap();
    }
    assert_eq!(all(&mut reader), ["one", "two"]);
    writer.append(b"three").unwrap();
    assert_eq!(all(&mut reader), ["three"]);
}

#[test]
fn a_cursor_goes_on_where_it_was_kept() {
    let scratch = Scratch::new();
    let writer = Writer::open(&scratch.dir, LONG).unwrap();
    writer.append(b"one").unwrap();
    let mut reader = Reader::open(&scratch.dir, None).unwrap();
    let cursor: Cursor = reader.next_batch().unwrap().cursor.to_string().parse().unwrap();
    writer.append(b"two").unwrap();
    assert_eq!(all(&mut Reader::open(&scratch.dir, Some(cursor)).unwrap()), ["two"]);
}

#[test]
fn a_cursor_of_an_empty_log_sees_its_first_record() {
    let scratch = Scratch::new();
    let cursor = Reader::open(&scratch.dir, None).unwrap().next_batch().unwrap().cursor;
    Writer::open(&scratch.dir, LONG).unwrap().append(b"first").unwrap();
    assert_eq!(all(&mut Reader::open(&scratch.dir, Some(cursor)).unwrap()), ["first"]);
}

#[test]
fn a_reader_at_the_end_hears_only_of_what_comes() {
    let scratch = Scratch::new();
    let writer = Writer::open(&scratch.dir, 100).unwrap();
    for number in 0..20 {
        writer.append(format!("old {number}").as_bytes()).unwrap();
    }
    let mut reader = Reader::open_at_end(&scratch.dir).unwrap();
    writer.append(b"new").unwrap();
    assert_eq!(all(&mut reader), ["new"]);
}

#[test]
fn a_reader_at_the_end_of_a_long_log_hears_nothing_of_before() {
    let scratch = Scratch::new();
    let writer = Writer::open(&scratch.dir, LONG).unwrap();
    let record = vec![b'x'; 1000];
    for _ in 0..300 {
        writer.append(&record).unwrap();
    }
    append_raw(&scratch, &vec![b'y'; 100_000]);
    let mut reader = Reader::open_at_end(&scratch.dir).unwrap();
    assert_eq!(all(&mut reader), [""; 0]);
    writer.append(b"new").unwrap();
    assert_eq!(all(&mut reader), ["new"]);
}

#[test]
fn the_two_newest_files_are_kept_and_followed() {
    let scratch = Scratch::new();
    let writer = Writer::open(&scratch.dir, 200).unwrap();
    let mut reader = Reader::open(&scratch.dir, None).unwrap();
    for number in 0..200 {
        writer.append(format!("record {number}").as_bytes()).unwrap();
        assert_eq!(all(&mut reader), [format!("record {number}")]);
        assert!(numbers(&scratch.dir).unwrap().len() <= 2);
    }
    assert_eq!(numbers(&scratch.dir).unwrap().len(), 2);
}

#[test]
fn a_reader_that_fell_behind_is_told_of_the_gap() {
    let scratch = Scratch::new();
    let writer = Writer::open(&scratch.dir, 200).unwrap();
    writer.append(b"record").unwrap();
    let mut slow = Reader::open(&scratch.dir, None).unwrap();
    let cursor = slow.next_batch().unwrap().cursor;
    for _ in 0..100 {
        writer.append(b"record").unwrap();
    }
    assert!(matches!(Reader::open(&scratch.dir, Some(cursor)), Err(Error::Gap { .. })));
    // The reader holds its file open and finishes it first.
    let rest = slow.next_batch().unwrap();
    assert!(!rest.records.is_empty());
    assert!(matches!(slow.next_batch(), Err(Error::Gap { .. })));
}

#[test]
fn a_cursor_of_a_log_that_was_removed_is_a_gap() {
    let scratch = Scratch::new();
    let writer = Writer::open(&scratch.dir, LONG).unwrap();
    writer.append(b"one").unwrap();
    let first = numbers(&scratch.dir).unwrap()[0];
    // Seconds since 1970: beyond any count of files, and larger in the next log.
    assert!(first > 1_000_000_000);
    let behind = Cursor { file: first, offset: LONG };
    let other = Cursor { file: first - 1, offset: 0 };
    for cursor in [behind, other] {
        assert!(matches!(Reader::open(&scratch.dir, Some(cursor)), Err(Error::Gap { .. })));
    }
}

#[test]
fn torn_and_damaged_lines_are_skipped_and_counted() {
    let scratch = Scratch::new();
    let writer = Writer::open(&scratch.dir, LONG).unwrap();
    writer.append(b"one").unwrap();
    append_raw(&scratch, b"\n12345678 torn");
    writer.append(b"two").unwrap();
    append_raw(&scratch, b"\n00000000 damaged\n");
    writer.append(b"three").unwrap();
    let batch = Reader::open(&scratch.dir, None).unwrap().next_batch().unwrap();
    assert_eq!(batch.records, [b"one".as_slice(), b"two", b"three"]);
    assert_eq!(batch.skipped, 2);
}

#[test]
fn a_last_line_without_its_end_is_waited_for() {
    let scratch = Scratch::new();
    let writer = Writer::open(&scratch.dir, LONG).unwrap();
    writer.append(b"one").unwrap();
    let mut reader = Reader::open(&scratch.dir, None).unwrap();
    let line = crate::frame::encode(b"two", scratch.dir.path()).unwrap();
    append_raw(&scratch, &line[..7]);
    assert_eq!(all(&mut reader), ["one"]);
    append_raw(&scratch, &line[7..]);
    assert_eq!(all(&mut reader), ["two"]);
}

#[test]
fn a_last_line_without_its_end_is_given_up_when_there_is_a_next_file() {
    let scratch = Scratch::new();
    let writer = Writer::open(&scratch.dir, LONG).unwrap();
    writer.append(b"one").unwrap();
    let mut reader = Reader::open(&scratch.dir, None).unwrap();
    assert_eq!(all(&mut reader), ["one"]);
    append_raw(&scratch, b"\ntorn for ever");
    Writer::open(&scratch.dir, 1).unwrap().append(b"two").unwrap();
    let batches: Vec<Batch> = (0..3).map(|_| reader.next_batch().unwrap()).collect();
    assert_eq!(batches.iter().map(|batch| batch.skipped).sum::<u64>(), 1);
    assert_eq!(batches.into_iter().flat_map(|batch| batch.records).collect::<Vec<_>>(), [b"two"]);
}

#[test]
fn records_longer_than_a_read_are_read_whole() {
    let scratch = Scratch::new();
    let writer = Writer::open(&scratch.dir, LONG).unwrap();
    let long = "x".repeat(300_000);
    for record in ["short", &long, "short", &long] {
        writer.append(record.as_bytes()).unwrap();
    }
    let mut reader = Reader::open(&scratch.dir, None).unwrap();
    assert_eq!(all(&mut reader), ["short", &long, "short", &long]);
}

#[test]
fn a_log_that_fills_its_disk_gives_up_old_records_for_new_ones_and_says_so() {
    with_own_mounts(|scratch| {
        mount_small(scratch.dir.path(), 64 * 1024);
        let dir = Dir::open_path(scratch.dir.path()).unwrap();
        let writer = Writer::open(&dir, LONG).unwrap();
        writer.append(b"first").unwrap();
        let behind = Reader::open(&dir, None).unwrap().cursor();
        (0..50).for_each(|_| writer.append(&[b'x'; 3000]).unwrap());
        let told = Reader::open(&dir, Some(behind)).unwrap_err();
        assert!(matches!(told, Error::Gap { .. }), "{told:?}");
        writer.append(b"last").unwrap();
        assert_eq!(all(&mut Reader::open(&dir, None).unwrap()).last().unwrap(), "last");
    });
}

#[test]
fn a_disk_that_others_have_filled_refuses_a_record_and_spoils_none_after_it() {
    with_own_mounts(|scratch| {
        mount_small(scratch.dir.path(), 64 * 1024);
        let dir = Dir::open_path(scratch.dir.path()).unwrap();
        let writer = Writer::open(&dir, LONG).unwrap();
        writer.append(b"first").unwrap();
        let mut following = Reader::open_at_end(&dir).unwrap();
        // Whole pages are taken until there is none; only the log's own is left to give.
        let mut others = std::fs::File::create(dir.path().join("others")).unwrap();
        while std::io::Write::write_all(&mut others, &[0; 4096]).is_ok() {}
        let failed = writer.append(&[b'x'; 6000]).unwrap_err();
        assert!(failed.is_full(), "{failed:?}");
        // What the record has left of itself is passed over first.
        let told = (0..2).find_map(|_| following.next_batch().err()).unwrap();
        assert!(matches!(told, Error::Gap { .. }), "who follows looks for itself: {told:?}");
        rustix::mount::mount_remount(dir.path(), rustix::mount::MountFlags::empty(), c"size=1m").unwrap();
        writer.append(b"after").unwrap();
        assert_eq!(all(&mut Reader::open(&dir, None).unwrap()), ["after"]);
    });
}

/// Eight writers, and a reader that they must not outrun by more than a file, through a hundred rotations.
#[test]
fn many_writers_lose_nothing_while_the_log_rotates() {
    const WRITERS: usize = 8;
    const RECORDS: usize = 200;
    let scratch = Scratch::new();
    let (give, take) = mpsc::channel();
    let take = std::sync::Mutex::new(take);
    (0..10).for_each(|_| give.send(()).unwrap());
    let mut reader = Reader::open(&scratch.dir, None).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (dir, take) = (&scratch.dir, &take);
            scope.spawn(move || {
                let log = Writer::open(dir, 400).unwrap();
                for record in 0..RECORDS {
                    take.lock().unwrap().recv().unwrap();
                    log.append(format!("{writer} {record:03}").as_bytes()).unwrap();
                }
            });
        }
        let mut seen = BTreeSet::new();
        while seen.len() < WRITERS * RECORDS {
            for record in reader.next_batch().unwrap().records {
                if seen.insert(record) {
                    give.send(()).unwrap();
                }
            }
        }
    });
    assert!(numbers(&scratch.dir).unwrap().len() <= 2);
}
