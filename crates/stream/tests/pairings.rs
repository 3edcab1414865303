//! Every pairing of what a stream can be, 64 MiB through each, compared byte by byte.
//!
//! A thread feeds the source and another empties the sink, both blocking; the transfer between them is non-blocking and
//! waits by poll, as its callers do.

#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::JoinHandle;

use libcontainerd_stream::{Step, Transfer, fifo};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

const TOTAL: usize = 64 << 20;
/// A prime, so that a slip by any page or buffer size shows.
const PERIOD: usize = 1_048_573;

#[derive(Debug, Clone, Copy)]
enum Source {
    Pipe,
    Fifo,
    File,
    Terminal,
    Socket,
}

#[derive(Debug, Clone, Copy)]
enum Sink {
    Pipe,
    Fifo,
    File,
    AppendedFile,
    Terminal,
    TerminalMaster,
    Socket,
    Null,
}

const SINKS: [Sink; 8] = [
    Sink::Pipe,
    Sink::Fifo,
    Sink::File,
    Sink::AppendedFile,
    Sink::Terminal,
    Sink::TerminalMaster,
    Sink::Socket,
    Sink::Null,
];

#[test]
fn every_pairing_is_byte_exact_from_a_pipe() {
    each_sink_gets_every_byte_from(Source::Pipe);
}

#[test]
fn every_pairing_is_byte_exact_from_a_fifo() {
    each_sink_gets_every_byte_from(Source::Fifo);
}

#[test]
fn every_pairing_is_byte_exact_from_a_file() {
    each_sink_gets_every_byte_from(Source::File);
}

#[test]
fn every_pairing_is_byte_exact_from_a_terminal() {
    each_sink_gets_every_byte_from(Source::Terminal);
}

#[test]
fn every_pairing_is_byte_exact_from_a_socket() {
    each_sink_gets_every_byte_from(Source::Socket);
}

fn each_sink_gets_every_byte_from(source: Source) {
    for sink in SINKS {
        let room = tempfile::tempdir().unwrap();
        let (from, feeder) = open_source(source, room.path());
        let (to, emptier) = open_sink(sink, room.path());
        let moved = pump(&from, &to);
        assert_eq!(moved, TOTAL, "{source:?} to {sink:?}");
        feeder.join().unwrap();
        // The hangup of a terminal discards what was not read: so its emptier is waited for first.
        if matches!(sink, Sink::Terminal | Sink::TerminalMaster) {
            emptier.join().unwrap();
            continue;
        }
        drop(to);
        emptier.join().unwrap();
        if matches!(sink, Sink::File | Sink::AppendedFile) {
            expect_all(File::open(room.path().join("sink")).unwrap().into(), true);
        }
    }
}

/// Moves everything, and returns how many bytes that was.
fn pump(from: &OwnedFd, to: &OwnedFd) -> usize {
    let mut transfer = Transfer::between(from, to);
    let mut moved = 0;
    loop {
        match transfer.step(from, to, 1 << 20).unwrap() {
            Step::Moved(n) => moved += n,
            Step::SourceEmpty => wait(from, PollFlags::IN),
            Step::SinkFull => wait(to, PollFlags::OUT),
            Step::End => return moved,
            Step::SinkClosed => panic!("closed after {moved}"),
        }
    }
}

fn wait(fd: &OwnedFd, wanted: PollFlags) {
    poll(&mut [PollFd::new(fd, wanted)], None).unwrap();
}

fn open_source(source: Source, room: &Path) -> (OwnedFd, JoinHandle<()>) {
    let (from, fed): (OwnedFd, OwnedFd) = match source {
        Source::Pipe => rustix::pipe::pipe().unwrap(),
        Source::Fifo => {
            let ends = fifo_ends(room, "source");
            (ends.0, blocking(ends.1))
        }
        Source::File => {
            feed(create(&room.join("source")));
            return unread(File::open(room.join("source")).unwrap().into());
        }
        Source::Terminal => terminal(),
        Source::Socket => sockets(),
    };
    (non_blocking(from), std::thread::spawn(|| feed(fed)))
}

fn open_sink(sink: Sink, room: &Path) -> (OwnedFd, JoinHandle<()>) {
    let (emptied, to): (OwnedFd, OwnedFd) = match sink {
        Sink::Pipe => rustix::pipe::pipe().unwrap(),
        Sink::Fifo => {
            let ends = fifo_ends(room, "sink");
            (blocking(ends.0), ends.1)
        }
        Sink::File => return unread(create(&room.join("sink"))),
        Sink::AppendedFile => return unread(append(&room.join("sink"))),
        Sink::Terminal => terminal(),
        Sink::TerminalMaster => {
            let (master, slave) = terminal();
            (slave, master)
        }
        Sink::Socket => sockets(),
        Sink::Null => return unread(File::create("/dev/null").unwrap().into()),
    };
    let hangs_up = matches!(sink, Sink::Terminal | Sink::TerminalMaster);
    (non_blocking(to), std::thread::spawn(move || expect_all(emptied, !hangs_up)))
}

/// A descriptor without a peer.
fn unread(file: OwnedFd) -> (OwnedFd, JoinHandle<()>) {
    (file, std::thread::spawn(|| {}))
}

fn feed(fed: OwnedFd) {
    let (pattern, mut fed, mut left) = (pattern(), File::from(fed), TOTAL);
    while left > 0 {
        let part = left.min(PERIOD);
        fed.write_all(&pattern[..part]).unwrap();
        left -= part;
    }
}

fn expect_all(emptied: OwnedFd, then_end: bool) {
    let (pattern, mut emptied) = (pattern(), File::from(emptied));
    let (mut got, mut seen) = (vec![0; PERIOD], 0);
    while seen < TOTAL {
        let part = (TOTAL - seen).min(PERIOD);
        emptied.read_exact(&mut got[..part]).unwrap();
        assert!(got[..part] == pattern[..part], "differs within {part} bytes after {seen}");
        seen += part;
    }
    if then_end {
        assert_eq!(emptied.read(&mut got).unwrap(), 0, "more than was sent");
    }
}

fn pattern() -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    std::iter::repeat_with(next).take(PERIOD).collect()
}

fn fifo_ends(room: &Path, name: &str) -> (OwnedFd, OwnedFd) {
    let (dir, us) = (File::open(room).unwrap(), rustix::process::geteuid().as_raw());
    fifo::make(dir.as_fd(), name, 0o600, None).unwrap();
    let reader = fifo::open_reader(dir.as_fd(), name, &[us]).unwrap();
    (reader, fifo::open_writer(dir.as_fd(), name, &[us]).unwrap())
}

/// A raw terminal: master and slave.
fn terminal() -> (OwnedFd, OwnedFd) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags).unwrap();
    unlockpt(&master).unwrap();
    let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
    let mut modes = tcgetattr(&slave).unwrap();
    modes.make_raw();
    tcsetattr(&slave, OptionalActions::Now, &modes).unwrap();
    (master, slave)
}

fn sockets() -> (OwnedFd, OwnedFd) {
    let (one, other) = UnixStream::pair().unwrap();
    (one.into(), other.into())
}

fn create(path: &Path) -> OwnedFd {
    rustix::fs::open(path, OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR).unwrap()
}

fn append(path: &Path) -> OwnedFd {
    OpenOptions::new().create(true).append(true).open(path).unwrap().into()
}

fn non_blocking(fd: OwnedFd) -> OwnedFd {
    let flags = rustix::fs::fcntl_getfl(&fd).unwrap();
    rustix::fs::fcntl_setfl(&fd, flags | OFlags::NONBLOCK).unwrap();
    fd
}

fn blocking(fd: OwnedFd) -> OwnedFd {
    let flags = rustix::fs::fcntl_getfl(&fd).unwrap();
    rustix::fs::fcntl_setfl(&fd, flags - OFlags::NONBLOCK).unwrap();
    fd
}
