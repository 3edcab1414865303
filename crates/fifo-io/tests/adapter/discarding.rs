//! Output thrown away so that its writer can end.

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use libcontainerd_core::ports::process_io::ProcessIo;
use libcontainerd_core::stdio::Stdio;
use rustix::fs::OFlags;

use crate::room::Room;

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn processes_blocked_in_writes_to_both_outputs_can_end() {
    let room = Room::prepared(Stdio::piped()).await;
    let writers: Vec<_> = ["stdout", "stderr"]
        .map(|stream| {
            let end = room.output(stream);
            let flags = rustix::fs::fcntl_getfl(&end).unwrap();
            rustix::fs::fcntl_setfl(&end, flags - OFlags::NONBLOCK).unwrap();
            let mut end = File::from(end);
            let keeper = room.keep(stream);
            std::thread::spawn(move || {
                end.write_all(&vec![1; 8 << 20]).unwrap();
                drop(keeper);
            })
        })
        .into();
    room.io.discard(&room.request, LONG).await.unwrap();
    for writer in writers {
        writer.join().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn discarding_takes_no_longer_than_its_limit() {
    let room = Room::prepared(Stdio::piped()).await;
    let _keepers = (room.keep("stdout"), room.keep("stderr"));
    let limit = Duration::from_secs(3);
    let began = tokio::time::Instant::now();
    room.io.discard(&room.request, limit).await.unwrap();
    let took = began.elapsed();
    assert!(took >= limit && took < limit * 2, "{took:?}");
}

#[tokio::test]
async fn missing_streams_and_directories_have_nothing_to_discard() {
    let mut room = Room::bare(Stdio::piped());
    room.io.discard(&room.request, LONG).await.unwrap();
    room.request.directory.push("gone");
    room.io.discard(&room.request, LONG).await.unwrap();
}

#[tokio::test]
async fn what_somebody_reads_is_left_to_them() {
    let room = Room::prepared(Stdio::piped()).await;
    let _streams = room.open().await.unwrap();
    let writer = room.output("stdout");
    rustix::io::write(&writer, b"theirs").unwrap();
    room.io.discard(&room.request, LONG).await.unwrap();
    assert!(!libcontainerd_stream::drain::is_empty(room.keep("stdout")).unwrap());
}
