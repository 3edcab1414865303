//! Readers beside a writer that does not wait for them.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::thread;

use libcontainerd_stream::log::{self, Channel, From, Limits, Next, Piece, Read, Reader, Taken, Why, Writer};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::{directory, pattern};

const TOTAL: u64 = 64 << 20;

/// Writes the whole stream into a pipe.
fn feed(sink: OwnedFd) {
    let (mut sink, mut at) = (File::from(sink), 0);
    while at < TOTAL {
        let part = ((64 << 10) - 7).min((TOTAL - at) as usize);
        sink.write_all(&pattern(at, part)).unwrap();
        at += part as u64;
    }
}

/// Keeps the whole stream.
fn keep(path: &Path, limits: Limits) {
    let (source, sink) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let feeding = thread::spawn(move || feed(sink));
    let mut writer = Writer::open(directory(path), limits, &[Channel::Stdout]).unwrap();
    loop {
        match writer.take(Channel::Stdout, &source, 1 << 20).unwrap() {
            Taken::Moved(_) => writer.commit().unwrap(),
            Taken::SourceEmpty => drop(poll(&mut [PollFd::new(&source, PollFlags::IN)], None).unwrap()),
            Taken::SourceEnded => break,
            other => panic!("{other:?}"),
        }
    }
    writer.end(Channel::Stdout, Why::Closed).unwrap();
    assert_eq!(writer.offset(), TOTAL);
    feeding.join().unwrap();
}

/// Follows from the first byte to the end, and tells how many bytes were there and how many were lost.
fn follow(path: &Path) -> (u64, u64) {
    let place = directory(path);
    let watch = log::watch(&place).unwrap();
    let mut reader = Reader::open(place, Read { follow: true, ..Read::default() }).unwrap();
    let (mut at, mut found, mut missing) = (None, 0, 0);
    loop {
        match reader.advance().unwrap() {
            Next::Piece(Piece::Bytes { offset, bytes, .. }) => {
                assert_eq!(offset, at.unwrap_or(offset), "bytes are passed over without a word");
                assert!(bytes == pattern(offset, bytes.len()), "wrong bytes at {offset}");
                found += bytes.len() as u64;
                at = Some(offset + bytes.len() as u64);
            }
            Next::Piece(Piece::Lost { from, to }) => {
                assert_eq!(from, at.unwrap_or(from));
                missing += to - from;
                at = Some(to);
            }
            Next::Piece(Piece::End { .. }) => assert_eq!(at, Some(TOTAL)),
            Next::NotYet => {
                poll(&mut [PollFd::new(&watch, PollFlags::IN)], None).unwrap();
                log::clear(&watch).unwrap();
            }
            Next::Over => return (found, missing),
        }
    }
}

#[test]
fn three_readers_of_which_one_never_reads_have_every_byte_of_64_mebibytes() {
    let scratch = tempfile::tempdir().unwrap();
    let read = Read { from: From::Start, only: None, follow: true };
    let stopped = Reader::open(directory(scratch.path()), read).unwrap();
    thread::scope(|scope| {
        let readers = [(); 2].map(|()| scope.spawn(|| follow(scratch.path())));
        keep(scratch.path(), Limits { segment: 5 << 20, segments: None, drop_when_full: false });
        for reader in readers {
            assert_eq!(reader.join().unwrap(), (TOTAL, 0));
        }
    });
    drop(stopped);
}

#[test]
fn readers_whose_segments_are_removed_under_them_know_of_every_byte_that_they_miss() {
    let scratch = tempfile::tempdir().unwrap();
    let limits = Limits { segment: 128 << 10, segments: Some(2), drop_when_full: true };
    thread::scope(|scope| {
        let readers = [(); 2].map(|()| scope.spawn(|| follow(scratch.path())));
        keep(scratch.path(), limits);
        for reader in readers {
            let (found, missing) = reader.join().unwrap();
            assert!(found >= 128 << 10 && found + missing <= TOTAL, "{found} bytes, {missing} missing");
        }
    });
}
