//! Opening the program's ends: at once, of the right things, by one reader.

use std::future::Future;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::pin::pin;
use std::task::Poll;

use libcontainerd_core::ErrorKind;
use libcontainerd_core::ports::process_io::ProcessIo;
use libcontainerd_core::stdio::Stdio;
use libcontainerd_fifo_io::FifoProcessIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::room::Room;

#[tokio::test]
async fn a_read_waits_for_the_runtime_and_ends_with_its_last_writer() {
    let room = Room::prepared(Stdio::piped()).await;
    let mut stdout = room.open().await.unwrap().stdout.unwrap();
    let mut got = Vec::new();
    let mut reading = pin!(stdout.read_to_end(&mut got));
    assert!(is_pending(&mut reading).await);
    let keeper = room.keep("stdout");
    let writer = room.output("stdout");
    rustix::io::write(&writer, b"all of it").unwrap();
    drop(writer);
    assert!(is_pending(&mut reading).await);
    drop(keeper);
    assert_eq!(reading.await.unwrap(), 9);
    assert_eq!(got, b"all of it");
}

#[tokio::test]
async fn what_was_written_early_is_kept_for_the_process() {
    for is_closed in [false, true] {
        let room = Room::prepared(Stdio::piped()).await;
        let mut stdin = room.open().await.unwrap().stdin.unwrap();
        stdin.write_all(b"early").await.unwrap();
        if is_closed {
            stdin.shutdown().await.unwrap();
        }
        drop(stdin);
        let mut got = [0; 16];
        assert_eq!(rustix::io::read(room.input(), &mut got[..]).unwrap(), 5);
        assert_eq!(&got[..5], b"early");
    }
}

#[tokio::test]
async fn a_write_of_more_than_a_pipe_holds_waits_for_the_runtime() {
    let room = Room::prepared(Stdio::piped()).await;
    let mut stdin = room.open().await.unwrap().stdin.unwrap();
    let sent = vec![7; (1 << 20) + 1];
    let mut writing = pin!(stdin.write_all(&sent));
    assert!(is_pending(&mut writing).await);
    assert!(is_pending(&mut writing).await);
    let input = room.input();
    assert_eq!(rustix::io::read(&input, &mut vec![0; 1 << 20][..]).unwrap(), 1 << 20);
    writing.await.unwrap();
}

#[tokio::test]
async fn removing_forgets_what_was_never_read() {
    let room = Room::prepared(Stdio::piped()).await;
    let mut stdin = room.open().await.unwrap().stdin.unwrap();
    stdin.write_all(b"of the first").await.unwrap();
    drop(stdin);
    for remover in [&room.io, &FifoProcessIo::new("another program")] {
        remover.remove(&room.request).await.unwrap();
        room.io.prepare(&room.request).await.unwrap();
        let mut stdin = room.open().await.unwrap().stdin.unwrap();
        stdin.write_all(b"second").await.unwrap();
        drop(stdin);
        assert_eq!(rustix::io::ioctl_fionread(room.input()).unwrap(), 6);
    }
}

#[tokio::test]
async fn a_write_goes_on_when_the_process_reads_on() {
    let room = Room::prepared(Stdio::piped()).await;
    let mut stdin = room.open().await.unwrap().stdin.unwrap();
    let input = room.input();
    let sent = vec![7; 3 << 20];
    let mut writing = pin!(stdin.write_all(&sent));
    let (mut got, mut part) = (0, vec![0; 1 << 20]);
    while got < sent.len() {
        let _ = is_pending(&mut writing).await;
        match rustix::io::read(&input, &mut part[..]) {
            Ok(n) => got += n,
            Err(rustix::io::Errno::AGAIN) => {}
            Err(errno) => panic!("{errno}"),
        }
    }
    assert_eq!(got, sent.len());
}

#[tokio::test]
async fn a_writer_learns_that_the_process_is_gone() {
    let room = Room::prepared(Stdio::piped()).await;
    let mut stdin = room.open().await.unwrap().stdin.unwrap();
    let input = room.input();
    stdin.write_all(b"read").await.unwrap();
    assert_eq!(rustix::io::read(&input, &mut [0; 4][..]).unwrap(), 4);
    drop(input);
    let error = stdin.write_all(b"too late").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn dropping_stdin_does_not_close_it_for_the_process() {
    let room = Room::prepared(Stdio::piped()).await;
    let _keeper = room.keep("stdin");
    let mut stdin = room.open().await.unwrap().stdin.unwrap();
    stdin.write_all(b"kept").await.unwrap();
    drop(stdin);
    assert_eq!(room.closings.told(), 0);
    let mut stdin = room.open().await.unwrap().stdin.unwrap();
    stdin.write_all(b" on").await.unwrap();
    let mut got = [0; 16];
    assert_eq!(rustix::io::read(room.input(), &mut got[..]).unwrap(), 7);
    assert_eq!(&got[..7], b"kept on");
}

#[tokio::test]
async fn who_comes_after_the_end_reads_what_is_held_and_then_the_end() {
    for held in [&b""[..], b"held"] {
        let mut room = Room::prepared(Stdio::output()).await;
        let keeper = room.keep("stdout");
        rustix::io::write(&keeper, held).unwrap();
        let path = room.path("init-stdout");
        let read_end = std::fs::OpenOptions::new().read(true).open(path).unwrap();
        drop(keeper);
        room.request.owner = Some(crate::room::us());
        let mut got = Vec::new();
        room.open().await.unwrap().stdout.unwrap().read_to_end(&mut got).await.unwrap();
        assert_eq!(got, held);
        drop(read_end);
    }
}

#[tokio::test]
async fn a_second_reader_is_refused_with_the_first_ones_name() {
    let room = Room::prepared(Stdio::piped()).await;
    let streams = room.open().await.unwrap();
    let other = FifoProcessIo::new("other");
    let refused = other.open(&room.request, room.closings.clone()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WrongState);
    let first = format!("tester (pid {})", std::process::id());
    assert!(refused.message().contains(&first), "{refused}");
    let libcontainerd_core::ports::process_io::Streams { stdin, stdout, stderr, .. } = streams;
    drop((stdin, stdout));
    assert!(other.open(&room.request, room.closings.clone()).await.is_err(), "stderr is still read");
    drop(stderr);
    other.open(&room.request, room.closings.clone()).await.unwrap();
}

#[tokio::test]
async fn a_lock_that_was_left_over_locks_nobody_out() {
    let room = Room::prepared(Stdio::piped()).await;
    std::fs::write(room.path("init-reader"), "somebody longer than us, who died (pid 1234567890)\n").unwrap();
    let _streams = room.open().await.unwrap();
    let signed = std::fs::read_to_string(room.path("init-reader")).unwrap();
    assert_eq!(signed, format!("tester (pid {})\n", std::process::id()));
}

#[tokio::test]
async fn missing_streams_are_said_to_be_missing() {
    let room = Room::bare(Stdio::piped());
    assert_eq!(room.open().await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn whatever_was_planted_at_a_name_is_refused() {
    for name in ["init-stdin", "init-stdout", "init-stderr", "init-reader"] {
        for plant in [plant_foreign_file, plant_directory, plant_symlink, plant_socket] {
            let room = Room::prepared(Stdio::piped()).await;
            let _ = std::fs::remove_file(room.path(name));
            plant(&room, name);
            assert_eq!(room.open().await.unwrap_err().kind(), ErrorKind::PermissionDenied, "{name}");
        }
    }
}

#[tokio::test]
async fn a_lock_of_a_stranger_is_refused_and_not_written() {
    let room = Room::prepared(Stdio::piped()).await;
    std::fs::write(room.path("init-reader"), "theirs").unwrap();
    std::os::unix::fs::chown(room.path("init-reader"), Some(4242), None).unwrap();
    assert_eq!(room.open().await.unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(std::fs::read(room.path("init-reader")).unwrap(), b"theirs");
}

#[tokio::test]
async fn a_fifo_of_a_stranger_is_refused() {
    let room = Room::prepared(Stdio::piped()).await;
    std::os::unix::fs::chown(room.path("init-stderr"), Some(4242), None).unwrap();
    assert_eq!(room.open().await.unwrap_err().kind(), ErrorKind::PermissionDenied);
}

fn plant_foreign_file(room: &Room, name: &str) {
    std::fs::write(room.path(name), "").unwrap();
    std::os::unix::fs::chown(room.path(name), Some(4242), None).unwrap();
}

fn plant_directory(room: &Room, name: &str) {
    std::fs::create_dir(room.path(name)).unwrap();
}

fn plant_symlink(room: &Room, name: &str) {
    let target = room.path("elsewhere");
    rustix::fs::mknodat(rustix::fs::CWD, &target, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    symlink(target, room.path(name)).unwrap();
}

fn plant_socket(room: &Room, name: &str) {
    drop(UnixListener::bind(room.path(name)).unwrap());
}

/// Polls once, after the reactor has had its turn.
async fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    tokio::task::yield_now().await;
    std::future::poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_pending())).await
}
