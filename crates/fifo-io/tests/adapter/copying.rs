//! Copies between streams: every pairing byte by byte, ends of both sides, nobody blocked.

use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::thread::JoinHandle;

use libcontainerd_core::ports::process_io::{InputStream, OutputStream, ProcessIo};
use libcontainerd_core::stdio::Stdio;
use libcontainerd_fifo_io::{DescriptorReader, DescriptorWriter, FifoProcessIo};
use tokio::io::AsyncWriteExt;

use crate::peers::{TOTAL, expect, feed, pipe, sockets, terminal};
use crate::room::Room;

#[derive(Debug, Clone, Copy)]
enum Source {
    Fifo,
    Pipe,
    File,
    Socket,
    Master,
}

#[derive(Debug, Clone, Copy)]
enum Sink {
    Fifo,
    Pipe,
    File,
    AppendedFile,
    Socket,
    Terminal,
    Master,
    Null,
}

const SINKS: [Sink; 8] =
    [Sink::Fifo, Sink::Pipe, Sink::File, Sink::AppendedFile, Sink::Socket, Sink::Terminal, Sink::Master, Sink::Null];

#[tokio::test]
async fn every_sink_gets_every_byte_of_a_fifo() {
    each_sink_gets_every_byte_of(Source::Fifo).await;
}

#[tokio::test]
async fn every_sink_gets_every_byte_of_a_pipe() {
    each_sink_gets_every_byte_of(Source::Pipe).await;
}

#[tokio::test]
async fn every_sink_gets_every_byte_of_a_file() {
    each_sink_gets_every_byte_of(Source::File).await;
}

#[tokio::test]
async fn every_sink_gets_every_byte_of_a_socket() {
    each_sink_gets_every_byte_of(Source::Socket).await;
}

#[tokio::test]
async fn every_sink_gets_every_byte_of_a_terminal() {
    each_sink_gets_every_byte_of(Source::Master).await;
}

#[tokio::test]
async fn a_process_gets_every_byte_that_a_person_types_until_they_hang_up() {
    let room = Room::prepared(Stdio::piped()).await;
    let mut stdin = room.open().await.unwrap().stdin.unwrap();
    let (master, slave) = terminal();
    let mut from = DescriptorReader::new(slave).unwrap();
    let process = expect(room.input());
    let (_keeper, feeder) = (room.keep("stdin"), feed(master.try_clone().unwrap()));
    let copy = tokio::spawn(async move { FifoProcessIo::default().copy(&mut from, &mut *stdin).await });
    // A hangup before all was read would discard the rest.
    tokio::task::spawn_blocking(|| process.join().unwrap()).await.unwrap();
    feeder.join().unwrap();
    drop(master);
    assert_eq!(copy.await.unwrap().unwrap(), TOTAL as u64);
}

#[tokio::test]
async fn a_closed_sink_ends_a_copy_without_an_error() {
    for sink in [Sink::Fifo, Sink::Pipe, Sink::Socket, Sink::Terminal] {
        let room = Room::prepared(Stdio::piped()).await;
        let mut from = endless();
        let (mut to, peer) = match sink {
            Sink::Fifo => (room.open().await.unwrap().stdin.unwrap(), room.input()),
            Sink::Pipe => ends(pipe()),
            Sink::Socket => ends(sockets()),
            _ => ends(terminal()),
        };
        let copy = tokio::spawn(async move { FifoProcessIo::default().copy(&mut *from, &mut *to).await });
        let mut part = [0; 100];
        tokio::task::yield_now().await;
        std::thread::spawn(move || {
            use std::io::Read;
            let flags = rustix::fs::fcntl_getfl(&peer).unwrap();
            rustix::fs::fcntl_setfl(&peer, flags - rustix::fs::OFlags::NONBLOCK).unwrap();
            File::from(peer).read_exact(&mut part).unwrap();
        });
        assert!(copy.await.unwrap().unwrap() >= 100, "{sink:?}");
    }
}

#[tokio::test]
async fn a_full_sink_that_the_caller_shares_blocks_no_thread() {
    for (emptied, to) in [sockets(), reversed(terminal()), terminal()] {
        let mut to: Box<dyn InputStream> = Box::new(DescriptorWriter::new(to).unwrap());
        let mut from = endless();
        // One thread for both: were it blocked in the copy, it could never read.
        let copy = tokio::spawn(async move { FifoProcessIo::default().copy(&mut *from, &mut *to).await });
        let mut reader = DescriptorReader::new(emptied).unwrap();
        let mut seen = 0;
        let mut part = vec![0; 50_000];
        while seen < 1 << 20 {
            seen += tokio::io::AsyncReadExt::read(&mut reader, &mut part).await.unwrap();
        }
        copy.abort();
        assert!(copy.await.unwrap_err().is_cancelled());
    }
}

#[tokio::test]
async fn a_copy_into_a_closed_stdin_is_over_at_once() {
    let room = Room::prepared(Stdio::piped()).await;
    let mut stdin = room.open().await.unwrap().stdin.unwrap();
    stdin.shutdown().await.unwrap();
    assert_eq!(room.io.copy(&mut *endless(), &mut *stdin).await.unwrap(), 0);
}

async fn each_sink_gets_every_byte_of(source: Source) {
    for sink in SINKS {
        let room = Room::prepared(Stdio::piped()).await;
        let streams = room.open().await.unwrap();
        let (mut from, feeder) = match source {
            Source::Fifo => (streams.stdout.unwrap(), feed(room.output("stdout"))),
            _ => source_of(source, &room),
        };
        let (mut to, expecting) = match sink {
            Sink::Fifo => (streams.stdin.unwrap(), Some(expect(room.input()))),
            _ => sink_to(sink, &room),
        };
        let copied = room.io.copy(&mut *from, &mut *to).await.unwrap();
        assert_eq!(copied, TOTAL as u64, "{source:?} to {sink:?}");
        feeder.join().unwrap();
        if let Some(expecting) = expecting {
            expecting.join().unwrap();
        }
        if matches!(sink, Sink::File | Sink::AppendedFile) {
            expect(File::open(room.path("sink")).unwrap().into()).join().unwrap();
            assert_eq!(room.path("sink").metadata().unwrap().len(), TOTAL as u64);
        }
    }
}

fn source_of(source: Source, room: &Room) -> (Box<dyn OutputStream>, JoinHandle<()>) {
    let (from, fed) = match source {
        Source::Socket => sockets(),
        Source::Master => terminal(),
        Source::File => {
            feed(File::create(room.path("source")).unwrap().into()).join().unwrap();
            (File::open(room.path("source")).unwrap().into(), File::create(room.path("other")).unwrap().into())
        }
        _ => pipe(),
    };
    (Box::new(DescriptorReader::new(from).unwrap()), feed(fed))
}

fn sink_to(sink: Sink, room: &Room) -> (Box<dyn InputStream>, Option<JoinHandle<()>>) {
    let path = room.path("sink");
    let unread = match sink {
        Sink::File => Some(File::create(path).unwrap()),
        Sink::AppendedFile => Some(OpenOptions::new().create(true).append(true).open(path).unwrap()),
        Sink::Null => Some(File::create("/dev/null").unwrap()),
        _ => None,
    };
    if let Some(file) = unread {
        return (Box::new(DescriptorWriter::new(file.into()).unwrap()), None);
    }
    let (to, emptied) = ends(match sink {
        Sink::Socket => sockets(),
        Sink::Terminal => terminal(),
        Sink::Master => reversed(terminal()),
        _ => pipe(),
    });
    (to, Some(expect(emptied)))
}

/// A sink and the descriptor that empties it.
fn ends((emptied, to): (OwnedFd, OwnedFd)) -> (Box<dyn InputStream>, OwnedFd) {
    (Box::new(DescriptorWriter::new(to).unwrap()), emptied)
}

fn reversed((one, other): (OwnedFd, OwnedFd)) -> (OwnedFd, OwnedFd) {
    (other, one)
}

fn endless() -> Box<dyn OutputStream> {
    Box::new(DescriptorReader::new(File::open("/dev/zero").unwrap().into()).unwrap())
}
