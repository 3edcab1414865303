//! Power cuts at every moment: what a sequence of operations does to a disk is recorded, cut short after each change,
//! and opened again in every state that the disk may then be in.
//!
//! A sequence goes through numbered states. [`Op::Begin`] says that the next one may be found from now on,
//! [`Op::Done`] that it was acknowledged, so that nothing older may. What is found must be one of those in between, and
//! must be fit to be written on.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::disk::recorder::{Op, mark, record};
use crate::scratch::Scratch;
use crate::{Journal, journal, write_atomic, write_new};
use power_cut::{Disk, Found};

mod power_cut;

const RESERVE: u64 = 4096;

/// Writes what was found after a power cut into a directory.
fn holding(found: &Found) -> Scratch {
    let scratch = Scratch::new();
    for (name, contents) in found {
        write_new(&scratch.dir, OsStr::from_bytes(name), 0o600, None, contents, false).unwrap();
    }
    scratch
}

/// Runs `check(found, oldest, newest)` on every state of the disk that a power cut can leave.
fn at_every_cut(mut disk: Disk, ops: &[Op], check: impl Fn(&Found, usize, usize)) -> usize {
    let (mut oldest, mut newest, mut states) = (0, 0, 0);
    for op in [None].into_iter().chain(ops.iter().map(Some)) {
        match op {
            Some(Op::Begin(state)) => newest = *state,
            Some(Op::Done(state)) => oldest = *state,
            Some(op) => disk.apply(op),
            None => {}
        }
        for found in disk.after_power_cut() {
            check(&found, oldest, newest);
            states += 1;
        }
    }
    states
}

/// Marks the states around one operation.
fn step(state: usize, act: impl FnOnce()) {
    mark(Op::Begin(state));
    act();
    mark(Op::Done(state));
}

fn records(of: &[&str]) -> Vec<Vec<u8>> {
    of.iter().map(|record| record.as_bytes().to_vec()).collect()
}

/// Opens the journal that was found; it must hold one of the states and take another record.
fn check_journal(found: &Found, states: &[Option<Vec<Vec<u8>>>]) {
    let scratch = holding(found);
    let opened = Journal::open(&scratch.dir, "j", RESERVE);
    let (mut journal, replay) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            assert!(error.is_not_found() && states.contains(&None), "{error}: {found:?}");
            return;
        }
    };
    assert!(states.contains(&Some(replay.records.clone())), "{replay:?} is none of {states:?}");
    journal.append(b"after").unwrap();
    journal.sync().unwrap();
    let again = journal::read(&scratch.dir, "j").unwrap();
    assert_eq!(again.records, [replay.records, records(&["after"])].concat());
    assert_eq!(again.cut, None);
}

#[test]
fn every_cut_leaves_what_was_acknowledged() {
    let scratch = Scratch::new();
    let mut journal = None;
    let states = [
        None,
        Some(records(&[])),
        Some(records(&["one"])),
        Some(records(&["one", "two"])),
        Some(records(&["one", "two", "three"])),
        Some(records(&["sum"])),
        Some(records(&["sum", "four"])),
    ];
    let ops = record(&scratch.dir, &[], || {
        step(1, || journal = Some(Journal::create(&scratch.dir, "j", RESERVE).unwrap()));
        let journal = journal.as_mut().unwrap();
        step(2, || append_synced(journal, b"one"));
        // Two records with one sync: either none, the first, or both may be found until it has returned.
        mark(Op::Begin(3));
        journal.append(b"two").unwrap();
        mark(Op::Begin(4));
        journal.append(b"three").unwrap();
        journal.sync().unwrap();
        mark(Op::Done(4));
        step(5, || journal.rewrite(["sum"]).unwrap());
        step(6, || append_synced(journal, b"four"));
    });
    let check = |found: &Found, oldest: usize, newest: usize| check_journal(found, &states[oldest..=newest]);
    let cuts = at_every_cut(Disk::default(), &ops, check);
    assert!(cuts > 500, "only {cuts} states were looked at");
}

fn append_synced(journal: &mut Journal, record: &[u8]) {
    journal.append(record).unwrap();
    journal.sync().unwrap();
}

#[test]
fn every_cut_during_a_repair_leaves_what_was_acknowledged() {
    let torn = b"5c9eb9af one\n00000000 tw\nrest".to_vec();
    let one = crate::frame::encode(b"one", std::path::Path::new("j")).unwrap();
    let torn = [one, torn].concat();
    let scratch = holding(&[(b"j".to_vec(), torn.clone())].into());
    let states = [records(&["one"]), records(&["one", "two"])].map(Some);
    let ops = record(&scratch.dir, &["j"], || {
        let (mut journal, replay) = Journal::open(&scratch.dir, "j", RESERVE).unwrap();
        assert!(replay.cut.is_some());
        step(1, || append_synced(&mut journal, b"two"));
    });
    at_every_cut(Disk::with(&[("j", &torn)]), &ops, |found, oldest, newest| {
        check_journal(found, &states[oldest..=newest]);
    });
}

#[test]
fn every_cut_shows_an_atomic_write_as_old_or_new() {
    let scratch = Scratch::new();
    let states = [None, Some(b"old contents".to_vec()), Some(b"new contents, longer".to_vec())];
    let ops = record(&scratch.dir, &[], || {
        step(1, || write_atomic(&scratch.dir, "f", 0o600, b"old contents").unwrap());
        step(2, || write_atomic(&scratch.dir, "f", 0o600, b"new contents, longer").unwrap());
    });
    at_every_cut(Disk::default(), &ops, |found, oldest, newest| {
        let contents = found.get(b"f".as_slice()).cloned();
        assert!(states[oldest..=newest].contains(&contents), "{contents:?} in {oldest}..={newest}");
        assert!(found.keys().all(|name| name == b"f" || crate::is_temporary(OsStr::from_bytes(name))));
    });
}

#[test]
fn every_cut_after_a_synced_new_file_shows_it_whole() {
    let scratch = Scratch::new();
    let ops = record(&scratch.dir, &[], || {
        step(1, || write_new(&scratch.dir, "f", 0o600, None, b"contents", true).unwrap());
    });
    at_every_cut(Disk::default(), &ops, |found, oldest, _| {
        let contents = found.get(b"f".as_slice());
        assert!(oldest == 0 || contents.is_some_and(|contents| contents == b"contents"));
    });
}

/// The replay itself is judged: with its syncs taken out, a journal must be found wanting.
#[test]
fn a_journal_that_did_not_sync_would_be_found_out() {
    let scratch = Scratch::new();
    let ops = record(&scratch.dir, &[], || {
        let mut journal = Journal::create(&scratch.dir, "j", RESERVE).unwrap();
        step(1, || append_synced(&mut journal, b"one"));
    });
    let ops: Vec<Op> = ops
        .into_iter()
        .enumerate()
        .filter(|(index, op)| *index < 3 || !matches!(op, Op::Sync { .. }))
        .map(|(_, op)| op)
        .collect();
    let lost = std::cell::Cell::new(false);
    at_every_cut(Disk::default(), &ops, |found, oldest, _| {
        let scratch = holding(found);
        let records = journal::read(&scratch.dir, "j").map(|replay| replay.records).unwrap_or_default();
        lost.set(lost.get() || (oldest == 1 && records.is_empty()));
    });
    assert!(lost.get());
}
