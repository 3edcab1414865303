//! Promises about the places behind records, within one batch and from file to file.
//! What a whole log promises is in the tests of `log`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;

use super::*;
use crate::log::Writer;
use crate::scratch::Scratch;

/// Reads up to the end of the log.
fn batches(reader: &mut Reader) -> Vec<Batch> {
    let next = || Some(reader.next_batch().unwrap()).filter(|batch| !batch.records.is_empty());
    std::iter::from_fn(next).collect()
}

/// What is found by a reader that begins at `place`.
fn found_from(scratch: &Scratch, place: Cursor) -> Vec<Vec<u8>> {
    let mut reader = Reader::open(&scratch.dir, Some(place)).unwrap();
    batches(&mut reader).into_iter().flat_map(|batch| batch.records).collect()
}

#[test]
fn from_the_place_behind_a_record_the_one_after_it_is_next() {
    let scratch = Scratch::new();
    let writer = Writer::open(&scratch.dir, 1 << 20).unwrap();
    for record in [b"one".as_slice(), b"", b"three"] {
        writer.append(record).unwrap();
        let newest = numbers(&scratch.dir).unwrap().pop().unwrap();
        let file = File::options().append(true).open(scratch.path(&newest.to_string()));
        file.unwrap().write_all(b"\n00000000 damaged\n\n").unwrap();
    }
    let batch = Reader::open(&scratch.dir, None).unwrap().next_batch().unwrap();
    assert_eq!((batch.records.len(), batch.places.len(), batch.skipped), (3, 3, 3));
    for (at, place) in batch.places.into_iter().enumerate() {
        assert_eq!(found_from(&scratch, place), batch.records[at + 1..]);
    }
}

#[test]
fn places_are_true_in_later_reads_and_in_later_files() {
    let scratch = Scratch::new();
    let writer = Writer::open(&scratch.dir, 60).unwrap();
    let mut reader = Reader::open(&scratch.dir, None).unwrap();
    let mut files = BTreeSet::new();
    for number in 0..20 {
        writer.append(format!("record {number}").as_bytes()).unwrap();
        let last = batches(&mut reader).pop().unwrap();
        assert_eq!(last.places.last(), Some(&last.cursor));
        assert_eq!(found_from(&scratch, last.cursor), [b""; 0]);
        files.insert(last.cursor.file);
    }
    assert!(files.len() > 2, "{files:?}");
}
