//! What is left when futures are dropped at any await: nothing (C-48).
//!
//! One test in a process of its own, since descriptors are counted for the whole process.

#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use libcontainerd_core::ports::process_io::ProcessIo;
use libcontainerd_core::stdio::Stdio;
use libcontainerd_fifo_io::{DescriptorReader, DescriptorWriter};
use room::Room;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[path = "../adapter/room.rs"]
#[allow(dead_code, reason = "shared with the other tests, which use all of it")]
mod room;

/// How many polls a future gets before it is dropped: more than any needs to reach its last await.
const POLLS: usize = 6;

#[tokio::test]
async fn no_descriptor_or_task_is_left_wherever_a_future_is_dropped() {
    let room = Room::prepared(Stdio::piped()).await;
    // Once through everything first: what is made once for the whole process is no leak.
    every_way_to_give_up(&room, POLLS).await;
    let (descriptors, tasks) = baseline();
    for polls in 0..POLLS {
        for _ in 0..50 {
            every_way_to_give_up(&room, polls).await;
        }
        assert_eq!(baseline(), (descriptors, tasks), "after {polls} polls");
    }
    open_many(&room).await;
    assert_eq!(baseline(), (descriptors, tasks), "after many were opened");
}

/// What is held for a process that was never written to goes with the stream, not with the adapter.
async fn open_many(room: &Room) {
    for n in 0..20 {
        let mut request = room.request.clone();
        request.process.process = format!("exec{n}").parse().unwrap();
        room.io.prepare(&request).await.unwrap();
        drop(room.io.open(&request, room.closings.clone()).await.unwrap());
    }
}

async fn every_way_to_give_up(room: &Room, polls: usize) {
    give_up(room.open(), polls).await;
    give_up(room.io.discard(&room.request, Duration::from_secs(3600)), polls).await;
    let mut streams = room.open().await.unwrap();
    let (stdin, stdout) = (streams.stdin.as_mut().unwrap(), streams.stdout.as_mut().unwrap());
    give_up(stdin.write_all(b"nobody reads"), polls).await;
    give_up(stdout.read(&mut [0; 10]), polls).await;
    give_up(room.io.copy(&mut **stdout, &mut **stdin), polls).await;
    let _keepers = (room.keep("stdin"), room.keep("stdout"));
    give_up(room.io.copy(&mut **stdout, &mut **stdin), polls).await;
    let (from, to) = rustix::pipe::pipe().unwrap();
    let (mut from, mut to) = (DescriptorReader::new(from).unwrap(), DescriptorWriter::new(to).unwrap());
    give_up(room.io.copy(&mut **stdout, &mut to), polls).await;
    give_up(room.io.copy(&mut from, &mut **stdin), polls).await;
}

/// Polls it so often, with a turn of the reactor between, and drops it.
async fn give_up<F: Future>(future: F, polls: usize) {
    let mut future = pin!(future);
    for _ in 0..polls {
        let done = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
        if done {
            return;
        }
        tokio::task::yield_now().await;
    }
}

fn baseline() -> (usize, usize) {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count();
    (descriptors, tokio::runtime::Handle::current().metrics().num_alive_tasks())
}
