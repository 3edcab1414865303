//! Kept output, with the test as the runtime that keeps it.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use libcontainerd_core::ErrorKind;
use libcontainerd_core::id::Instance;
use libcontainerd_core::ports::process_io::{EndOfOutput, LogSource, OutputKind, Piece, ProcessIo, ReadFrom, ReadLog};
use libcontainerd_core::stdio::{Endpoint, Endpoints, Keep, Place, Stdio, Unread};
use libcontainerd_fifo_io::FifoProcessIo;
use libcontainerd_stream::log::{Channel, Limits, Why, Writer};

use crate::peers::{pipe, terminal};
use crate::room::Room;

const INSTANCE: Instance = Instance::from_bits(5);
const LIMITS: Limits = Limits { segment: 1 << 20, segments: Some(4), drop_when_full: true };

fn room(stdio: Stdio) -> Room {
    let mut room = Room::bare(stdio);
    room.io = FifoProcessIo::new("tester").keeping(room.path("output"));
    room.request.instance = Some(INSTANCE);
    room
}

/// The runtime, which keeps what it finds in the FIFOs.
struct Keeper {
    writer: Writer,
    stdout: OwnedFd,
    sink: OwnedFd,
}

impl Keeper {
    async fn of(room: &Room) -> Self {
        let endpoints = room.io.prepare(&room.request).await.unwrap();
        let directory = File::open(endpoints.log.unwrap().directory).unwrap();
        let writer = Writer::open(directory.into(), LIMITS, &[Channel::Stdout]).unwrap();
        Self { writer, stdout: room.keep("stdout"), sink: room.output("stdout") }
    }

    fn keep(&mut self, text: &str) {
        rustix::io::write(&self.sink, text.as_bytes()).unwrap();
        self.writer.take(Channel::Stdout, &self.stdout, 1 << 20).unwrap();
        self.writer.commit().unwrap();
    }

    fn end(&mut self) {
        self.writer.end(Channel::Stdout, Why::Drained).unwrap();
    }
}

async fn log(room: &Room, from: ReadFrom, follow: bool) -> Box<dyn LogSource> {
    let mut read = ReadLog::default();
    (read.from, read.follow) = (from, follow);
    room.io.log(&room.request.process, INSTANCE, read).await.unwrap()
}

async fn text(log: &mut Box<dyn LogSource>) -> String {
    match log.next().await.unwrap() {
        Some(Piece::Bytes { kind: OutputKind::Stdout, bytes, .. }) => String::from_utf8(bytes.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn kept_output_has_a_fifo_for_the_runtime_alone_and_a_log() {
    let room = room(Stdio::kept(Keep::bounded(77, 3)).with_stdin(Place::Stream));
    let endpoints = room.io.prepare(&room.request).await.unwrap();
    assert_eq!(endpoints.stdin, Endpoint::Fifo(room.path("init-stdin")));
    assert_eq!(endpoints.stdout, Endpoint::Kept(room.path("init-stdout")));
    assert_eq!(endpoints.stderr, Endpoint::Kept(room.path("init-stderr")));
    let log = endpoints.log.unwrap();
    assert_eq!(log.directory, room.path(&format!("output/{INSTANCE}/init")));
    assert!(log.directory.is_dir() && log.keep == Keep::bounded(77, 3));
    let streams = room.open().await.unwrap();
    assert!(streams.stdin.is_some() && streams.stdout.is_none() && streams.stderr.is_none());
    assert_eq!(endpoints_places(&room).await, (Place::Kept, Place::Kept));
}

async fn endpoints_places(room: &Room) -> (Place, Place) {
    room.io.remove(&room.request).await.unwrap();
    let stdio = Endpoints::stdio(&room.io.prepare(&room.request).await.unwrap());
    (stdio.stdout, stdio.stderr)
}

#[tokio::test]
async fn a_stream_that_may_come_to_be_kept_has_a_log_too() {
    let mut stdio = Stdio::output();
    stdio.unread = Unread::Keep;
    let endpoints = {
        let room = room(stdio);
        room.io.prepare(&room.request).await.unwrap()
    };
    assert!(matches!(endpoints.stdout, Endpoint::Fifo(_)) && endpoints.log.is_some());
}

#[tokio::test]
async fn discarding_leaves_what_is_kept_to_the_runtime() {
    let room = room(Stdio::kept(Keep::default()));
    let mut keeper = Keeper::of(&room).await;
    rustix::io::write(&keeper.sink, b"kept").unwrap();
    room.io.discard(&room.request, Duration::from_secs(60)).await.unwrap();
    keeper.keep("");
    assert_eq!(text(&mut log(&room, ReadFrom::Start, false).await).await, "kept");
}

#[tokio::test]
async fn a_follower_hears_of_output_as_it_comes_and_ends_with_it() {
    let room = room(Stdio::kept(Keep::default()));
    let mut keeper = Keeper::of(&room).await;
    let mut log = log(&room, ReadFrom::Start, true).await;
    for part in ["one", "two", "three"] {
        let waiting = tokio::spawn(async move {
            let text = text(&mut log).await;
            (log, text)
        });
        tokio::task::yield_now().await;
        keeper.keep(part);
        let heard;
        (log, heard) = waiting.await.unwrap();
        assert_eq!(heard, part);
    }
    keeper.end();
    let end = log.next().await.unwrap();
    assert!(matches!(end, Some(Piece::End { kind: OutputKind::Stdout, why: EndOfOutput::Drained, .. })), "{end:?}");
    assert_eq!(log.next().await.unwrap(), None);
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_waits_loses_nothing() {
    let room = room(Stdio::kept(Keep::default()));
    let mut keeper = Keeper::of(&room).await;
    let mut log = log(&room, ReadFrom::Start, true).await;
    for _ in 0..10 {
        tokio::select! {
            biased;
            piece = log.next() => panic!("{piece:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    keeper.keep("all of it");
    assert_eq!(text(&mut log).await, "all of it");
}

#[tokio::test]
async fn a_follower_ends_when_the_container_is_forgotten() {
    let room = room(Stdio::kept(Keep::default()));
    let mut keeper = Keeper::of(&room).await;
    keeper.keep("last words");
    let mut follower = log(&room, ReadFrom::Start, true).await;
    assert_eq!(text(&mut follower).await, "last words");
    room.io.forget(INSTANCE).await.unwrap();
    assert_eq!(follower.next().await.unwrap(), None);
    let error = room.io.log(&room.request.process, INSTANCE, ReadLog::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(room.path("output").read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn the_log_stays_when_the_streams_are_removed_and_goes_on_under_the_same_id() {
    let room = room(Stdio::kept(Keep::default()));
    for text in ["first, ", "second"] {
        Keeper::of(&room).await.keep(text);
        room.io.remove(&room.request).await.unwrap();
    }
    let mut log = log(&room, ReadFrom::Offset(3), false).await;
    assert_eq!((text(&mut log).await, text(&mut log).await), ("st, ".into(), "second".into()));
    assert_eq!(log.next().await.unwrap(), None);
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_and_leaves_nothing() {
    let mut stdin = room(Stdio::null().with_stdin(Place::Kept));
    let mut nameless = room(Stdio::kept(Keep::default()));
    nameless.request.instance = None;
    let nowhere = Room::bare(Stdio::kept(Keep::default()));
    stdin.request.instance = None;
    for (room, kind) in
        [(stdin, ErrorKind::InvalidArgument), (nameless, ErrorKind::Internal), (nowhere, ErrorKind::Unsupported)]
    {
        assert_eq!(room.io.prepare(&room.request).await.unwrap_err().kind(), kind);
        assert_eq!(room.names(), Vec::<String>::new());
    }
    let planted = room(Stdio::kept(Keep::default()));
    std::fs::write(planted.path("init-stderr"), "planted").unwrap();
    planted.io.prepare(&planted.request).await.unwrap_err();
    assert_eq!(planted.names(), ["init-stderr", "output"]);
    assert_eq!(planted.path("output").read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn a_descriptor_of_the_caller_is_given_as_it_is() {
    let (from, to) = pipe();
    let mut stdio = Stdio::null().with_stdin(Place::Descriptor(from.as_raw_fd()));
    stdio.stdout = Place::Descriptor(to.as_raw_fd());
    let room = Room::bare(stdio);
    let endpoints = room.io.prepare(&room.request).await.unwrap();
    assert_eq!(endpoints.stdin, Endpoint::Descriptor(from.as_raw_fd()));
    assert_eq!(endpoints.stdout, Endpoint::Descriptor(to.as_raw_fd()));
    assert!(room.names().is_empty());
    assert!(room.open().await.unwrap().stdout.is_none());
}

#[tokio::test]
async fn a_terminal_of_the_caller_is_never_handed_in() {
    let (master, slave) = terminal();
    for end in [&master, &slave] {
        refused(Place::Descriptor(end.as_raw_fd())).await;
    }
}

#[tokio::test]
async fn a_descriptor_that_is_not_open_or_not_for_writing_is_refused() {
    let (from, _to) = pipe();
    for number in [from.as_raw_fd(), -1, i32::MIN, i32::MAX] {
        refused(Place::Descriptor(number)).await;
    }
}

async fn refused(stdout: Place) {
    let mut stdio = Stdio::null();
    stdio.stdout = stdout;
    let room = Room::bare(stdio);
    assert_eq!(room.io.prepare(&room.request).await.unwrap_err().kind(), ErrorKind::InvalidArgument, "{stdout:?}");
}
