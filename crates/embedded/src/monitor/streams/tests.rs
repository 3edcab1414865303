//! Promises of `streams`, on real FIFOs in a directory of the test's own.
//! No process is started: the ends that it would get are written to and dropped by the test itself.

use std::io::{Read, Write};
use std::path::PathBuf;

use libcontainerd_core::stdio::Stdio;

use super::*;

fn fifo(directory: &tempfile::TempDir, name: &str) -> Endpoint {
    let path: PathBuf = directory.path().join(name);
    let parent = File::open(directory.path()).unwrap();
    fifo::make(std::os::fd::AsFd::as_fd(&parent), name, 0o600, None).unwrap();
    Endpoint::Fifo(path)
}

fn endpoints(directory: &tempfile::TempDir) -> Endpoints {
    Endpoints::new(fifo(directory, "in"), fifo(directory, "out"), Endpoint::Null, &Stdio::piped())
}

#[test]
fn what_was_written_before_the_end_is_kept_for_a_reader_and_then_ends() {
    let directory = tempfile::tempdir().unwrap();
    let (streams, ends) = Streams::open(&endpoints(&directory), 0, Caller::at(None)).unwrap();
    let ends = ends.unwrap();
    File::from(ends.stdout.try_clone().unwrap()).write_all(b"last words").unwrap();
    drop(ends);
    let kept = streams.let_go();
    assert!(!is_drained(std::os::fd::AsFd::as_fd(&kept[0])));
    let mut text = String::new();
    File::from(kept[0].try_clone().unwrap()).read_to_string(&mut text).unwrap();
    assert_eq!(text, "last words");
    assert!(is_drained(std::os::fd::AsFd::as_fd(&kept[0])));
}

#[test]
fn a_successor_finds_the_ends_by_number_and_by_name_where_the_number_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let endpoints = endpoints(&directory);
    let (streams, ends) = Streams::open(&endpoints, 0, Caller::at(None)).unwrap();
    let mut numbers = Descriptors::default();
    streams.write_down(&mut numbers);
    File::from(ends.unwrap().stdout).write_all(b"x").unwrap();
    // As if the process that holds them had died and left them open.
    std::mem::forget(streams);
    numbers.stdin = None;
    let resumed = Streams::resume(&endpoints, 0, &numbers, false);
    assert_eq!(resumed.stdout.reader.as_ref().map(AsRawFd::as_raw_fd), numbers.stdout);
    assert!(resumed.stdin.is_some());
    assert!(!is_drained(std::os::fd::AsFd::as_fd(resumed.stdout.reader.as_ref().unwrap())));
}

#[test]
fn a_number_that_became_another_fifo_is_not_taken_for_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let endpoint = fifo(&directory, "out");
    let (reader, _writer) = rustix::pipe::pipe().unwrap();
    assert!(inherit_remains(&endpoint, Some(reader.as_raw_fd())).is_none());
    assert!(inherit_remains(&endpoint, None).is_none());
}
