//! The end of a stream that a child of an ended process still holds open.

use std::time::Duration;

use libcontainerd_core::ports::process_io::{OutputStream, ProcessIo};
use libcontainerd_core::stdio::{Drain, Stdio};
use libcontainerd_fifo_io::DescriptorWriter;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout};

use crate::peers;
use crate::room::Room;

/// A process whose output a child holds open: a keeper that never goes.
async fn held_open(drain: Drain) -> (Room, std::os::fd::OwnedFd, Box<dyn OutputStream>) {
    let room = Room::prepared(Stdio::output().drained(drain)).await;
    let child = room.keep("stdout");
    let stdout = room.open().await.unwrap().stdout.unwrap();
    (room, child, stdout)
}

#[tokio::test(start_paused = true)]
async fn what_the_process_wrote_arrives_and_a_child_does_not_hold_the_end_up() {
    for drain in [Drain::Quiet, Drain::None, Drain::For(Duration::from_secs(1)), Drain::For(Duration::ZERO)] {
        let (room, child, mut stdout) = held_open(drain).await;
        let written = vec![7; 50_000];
        rustix::io::write(&child, &written).unwrap();
        room.closings.end();
        let mut got = Vec::new();
        stdout.read_to_end(&mut got).await.unwrap();
        assert_eq!(got.len(), written.len(), "{drain:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_ends_with_the_drain_too() {
    let (room, child, mut stdout) = held_open(Drain::Quiet).await;
    rustix::io::write(&child, b"all").unwrap();
    room.closings.end();
    let (emptied, fed) = peers::pipe();
    let mut sink = DescriptorWriter::new(fed).unwrap();
    assert_eq!(room.io.copy(&mut *stdout, &mut sink).await.unwrap(), 3);
    let mut got = [0; 8];
    assert_eq!(rustix::io::read(&emptied, &mut got[..]).unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_goes_on_writing_is_given_up_after_ten_seconds() {
    let (room, child, mut stdout) = held_open(Drain::Quiet).await;
    room.closings.end();
    let begun = Instant::now();
    let (mut byte, mut count) = ([0], 0);
    rustix::io::write(&child, b".").unwrap();
    while stdout.read(&mut byte).await.unwrap() == 1 {
        count += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
        rustix::io::write(&child, b".").unwrap();
    }
    assert!(begun.elapsed() >= Duration::from_secs(10) && begun.elapsed() < Duration::from_secs(11));
    assert!(count >= 190, "{count}");
}

#[tokio::test(start_paused = true)]
async fn who_wants_all_of_it_waits_for_every_writer() {
    let (room, child, mut stdout) = held_open(Drain::UntilEof).await;
    room.closings.end();
    let mut got = Vec::new();
    assert!(timeout(Duration::from_secs(3600), stdout.read_to_end(&mut got)).await.is_err());
    rustix::io::write(&child, b"late").unwrap();
    drop(child);
    stdout.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"late");
}
