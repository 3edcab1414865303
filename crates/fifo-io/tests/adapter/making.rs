//! Making and removing the streams.

use std::os::unix::fs::MetadataExt;

use libcontainerd_core::ErrorKind;
use libcontainerd_core::ports::process_io::ProcessIo;
use libcontainerd_core::stdio::{Endpoint, Place, Stdio, TerminalSize};

use crate::room::Room;

#[tokio::test]
async fn each_placed_stream_has_a_fifo_of_its_own() {
    let room = Room::bare(Stdio::piped());
    let endpoints = room.io.prepare(&room.request).await.unwrap();
    assert_eq!(endpoints.stdin, Endpoint::Fifo(room.path("init-stdin")));
    assert_eq!(endpoints.stdout, Endpoint::Fifo(room.path("init-stdout")));
    assert_eq!(endpoints.stderr, Endpoint::Fifo(room.path("init-stderr")));
    assert_eq!(room.names(), ["init-stderr", "init-stdin", "init-stdout"]);
}

#[tokio::test]
async fn what_is_placed_nowhere_has_no_fifo() {
    let room = Room::bare(Stdio::output());
    let endpoints = room.io.prepare(&room.request).await.unwrap();
    assert_eq!(endpoints.stdin, Endpoint::Null);
    assert_eq!(room.names(), ["init-stderr", "init-stdout"]);
    assert!(room.open().await.unwrap().stdin.is_none());
}

#[tokio::test]
async fn a_terminal_has_no_stderr() {
    let mut stdio = Stdio::terminal(TerminalSize::default());
    stdio.stderr = Place::Stream;
    let room = Room::bare(stdio);
    let endpoints = room.io.prepare(&room.request).await.unwrap();
    assert_eq!(endpoints.stderr, Endpoint::Null);
    assert_eq!(endpoints.terminal, Some(TerminalSize::default()));
    assert_eq!(room.names(), ["init-stdin", "init-stdout"]);
}

#[tokio::test]
async fn only_the_owner_may_open_a_fifo() {
    let mut room = Room::bare(Stdio::piped());
    room.request.owner = Some(4242);
    room.io.prepare(&room.request).await.unwrap();
    for name in room.names() {
        let made = room.path(&name).symlink_metadata().unwrap();
        assert_eq!((made.mode(), made.uid()), (0o010600, 4242), "{name}");
    }
    room.open().await.unwrap();
}

#[tokio::test]
async fn making_refuses_what_is_there_and_leaves_nothing_new() {
    let room = Room::bare(Stdio::piped());
    std::fs::write(room.path("init-stderr"), "planted").unwrap();
    let error = room.io.prepare(&room.request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(room.names(), ["init-stderr"]);
    assert_eq!(std::fs::read(room.path("init-stderr")).unwrap(), b"planted");
}

#[tokio::test]
async fn removing_leaves_nothing_and_may_be_repeated() {
    let room = Room::prepared(Stdio::piped()).await;
    drop(room.open().await.unwrap());
    assert!(room.names().contains(&"init-reader".into()));
    room.io.remove(&room.request).await.unwrap();
    assert!(room.names().is_empty());
    room.io.remove(&room.request).await.unwrap();
}

#[tokio::test]
async fn removing_is_fine_where_the_directory_is_gone() {
    let mut room = Room::bare(Stdio::piped());
    room.request.directory.push("gone");
    room.io.remove(&room.request).await.unwrap();
}

#[tokio::test]
async fn making_in_a_missing_directory_says_so() {
    let mut room = Room::bare(Stdio::piped());
    room.request.directory.push("gone");
    let error = room.io.prepare(&room.request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
