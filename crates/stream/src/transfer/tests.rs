//! Transfers over every kind of descriptor: byte-exact, resumed, ended, closed.

use std::os::fd::OwnedFd;

use rustix::pipe::PipeFlags;

use crate::sys::make_sigpipe_deadly;
use crate::{drain, fifo, pipe_size};

use super::*;

#[test]
fn a_closed_sink_is_told_even_where_sigpipe_kills() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "transfer::tests::in_a_process_that_sigpipe_kills"])
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    let ran = String::from_utf8(child.stdout).unwrap();
    assert!(ran.contains("1 passed"), "{ran}");
}

#[test]
#[ignore = "changes the whole process; run by a_closed_sink_is_told_even_where_sigpipe_kills"]
fn in_a_process_that_sigpipe_kills() {
    make_sigpipe_deadly();
    for choose in [Transfer::between, Transfer::copying] {
        let (from, source) = rustix::pipe::pipe().unwrap();
        let (reader, to) = rustix::pipe::pipe().unwrap();
        rustix::io::write(&source, b"unread").unwrap();
        drop(reader);
        let step = choose(&from, &to).step(&from, &to, 100).unwrap();
        assert_eq!(step, Step::SinkClosed);
        let refused = write(&to, b"unread").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::BrokenPipe);
    }
}

#[test]
fn a_full_sink_is_told_and_resumed_without_loss() {
    for choose in [Transfer::between, Transfer::copying] {
        let ((from, source), (reader, to)) = (pipe(), pipe());
        pipe_size::grow(&from, 256 << 10);
        let sent: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
        assert_eq!(rustix::io::write(&source, &sent), Ok(sent.len()));
        let mut transfer = choose(&from, &to);
        let moved = until(&mut transfer, &from, &to, Step::SinkFull);
        assert_eq!(moved, 64 << 10, "what a pipe holds");
        drop(source);
        let mut got = read(&reader, 64 << 10);
        while got.len() < sent.len() {
            transfer.step(&from, &to, 1 << 20).unwrap();
            got.extend(read(&reader, 64 << 10));
        }
        assert!(got == sent);
        assert_eq!(transfer.step(&from, &to, 100).unwrap(), Step::End);
    }
}

#[test]
fn a_budget_is_never_exceeded() {
    for choose in [Transfer::between, Transfer::copying] {
        let ((from, source), (_reader, to)) = (pipe(), pipe());
        rustix::io::write(&source, &[7; 100]).unwrap();
        let mut transfer = choose(&from, &to);
        assert_eq!(transfer.step(&from, &to, 60).unwrap(), Step::Moved(60));
        assert_eq!(transfer.step(&from, &to, 60).unwrap(), Step::Moved(40));
        assert_eq!(transfer.step(&from, &to, 60).unwrap(), Step::SourceEmpty);
    }
}

#[test]
fn a_source_ends_only_when_its_last_writer_is_gone() {
    for choose in [Transfer::between, Transfer::copying] {
        let ((from, source), (_reader, to)) = (pipe(), pipe());
        let other = source.try_clone().unwrap();
        let mut transfer = choose(&from, &to);
        drop(source);
        assert_eq!(transfer.step(&from, &to, 60).unwrap(), Step::SourceEmpty);
        rustix::io::write(&other, b"last").unwrap();
        drop(other);
        assert_eq!(transfer.step(&from, &to, 60).unwrap(), Step::Moved(4));
        assert_eq!(transfer.step(&from, &to, 60).unwrap(), Step::End);
    }
}

#[test]
fn a_fifo_to_which_no_writer_has_come_is_empty_and_not_at_its_end() {
    let room = tempfile::tempdir().unwrap();
    let dir = std::fs::File::open(room.path()).unwrap();
    let us = [rustix::process::geteuid().as_raw()];
    fifo::make(dir.as_fd(), "out", 0o600, None).unwrap();
    for choose in [Transfer::between, Transfer::copying] {
        let from = fifo::open_reader(dir.as_fd(), "out", &us).unwrap();
        let (_reader, to) = pipe();
        let mut transfer = choose(&from, &to);
        assert_eq!(transfer.step(&from, &to, 60).unwrap(), Step::SourceEmpty);
        drop(fifo::open_writer(dir.as_fd(), "out", &us).unwrap());
        assert_eq!(transfer.step(&from, &to, 60).unwrap(), Step::End);
    }
}

#[test]
fn a_sink_that_learns_to_append_is_copied_to_from_then_on() {
    let ((from, source), mut sink) = (pipe(), tempfile::tempfile().unwrap());
    let mut transfer = Transfer::between(&from, &sink);
    rustix::io::write(&source, b"spliced, ").unwrap();
    assert_eq!(transfer.step(&from, &sink, 60).unwrap(), Step::Moved(9));
    assert!(transfer.splices());
    rustix::fs::fcntl_setfl(&sink, OFlags::APPEND).unwrap();
    rustix::io::write(&source, b"copied").unwrap();
    assert_eq!(transfer.step(&from, &sink, 60).unwrap(), Step::Moved(6));
    assert!(!transfer.splices());
    let mut got = String::new();
    std::io::Seek::rewind(&mut sink).unwrap();
    std::io::Read::read_to_string(&mut sink, &mut got).unwrap();
    assert_eq!(got, "spliced, copied");
}

#[test]
fn only_a_pipe_that_does_not_append_is_spliced() {
    let ((from, _source), file) = (pipe(), tempfile::tempfile().unwrap());
    assert!(Transfer::between(&from, &file).splices());
    assert!(!Transfer::between(&file, &file).splices());
    rustix::fs::fcntl_setfl(&file, OFlags::APPEND).unwrap();
    assert!(!Transfer::between(&from, &file).splices());
}

#[test]
fn what_was_taken_from_the_source_is_held_for_a_full_sink() {
    let ((from, source), (reader, to)) = (pipe(), pipe());
    until(&mut Transfer::copying(&filled(), &to), &filled(), &to, Step::SinkFull);
    let before = drain::is_empty(&reader).unwrap();
    assert!(!before);
    rustix::io::write(&source, b"held").unwrap();
    let mut transfer = Transfer::copying(&from, &to);
    assert_eq!(transfer.step(&from, &to, 60).unwrap(), Step::SinkFull);
    assert_eq!(transfer.held(), 4);
    while !drain::is_empty(&reader).unwrap() {
        read(&reader, 64 << 10);
    }
    assert_eq!(transfer.step(&from, &to, 3).unwrap(), Step::Moved(3));
    assert_eq!(transfer.step(&from, &to, 3).unwrap(), Step::Moved(1));
    assert_eq!(read(&reader, 60), b"held");
}

#[test]
fn bytes_in_transit_are_not_shown_by_debug() {
    let ((from, source), (_reader, to)) = (pipe(), pipe());
    rustix::io::write(&source, b"secret").unwrap();
    let mut transfer = Transfer::copying(&from, &to);
    transfer.step(&from, &to, 60).unwrap();
    let shown = format!("{transfer:?}");
    assert!(shown.contains("Held { len: 0 }"), "{shown}");
}

fn pipe() -> (OwnedFd, OwnedFd) {
    rustix::pipe::pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).unwrap()
}

/// A source that never runs dry.
fn filled() -> std::fs::File {
    std::fs::File::open("/dev/zero").unwrap()
}

fn read(from: &OwnedFd, most: usize) -> Vec<u8> {
    let mut got = vec![0; most];
    let n = rustix::io::read(from, &mut got[..]).unwrap();
    got.truncate(n);
    got
}

/// Steps until `last`, and tells how many bytes went before it.
fn until(transfer: &mut Transfer, from: &impl AsFd, to: &impl AsFd, last: Step) -> usize {
    let mut moved = 0;
    loop {
        match transfer.step(from, to, 1 << 20).unwrap() {
            Step::Moved(n) => moved += n,
            step => {
                assert_eq!(step, last);
                return moved;
            }
        }
    }
}
