//! Live output that nobody reads.

use std::io::Read;

use libcontainerd_core::stdio::{Keep, Stdio, Unread};
use libcontainerd_stream::log::{Channel, Why};
use rustix::fs::FlockOperation;
use serde_json::json;

use crate::container::{Container, eventually, kill, shell};
use crate::scratch::Scratch;

const BOTH: &[Channel] = &[Channel::Stdout, Channel::Stderr];

fn output(unread: Unread) -> Stdio {
    let mut stdio = Stdio::output();
    stdio.unread = unread;
    stdio.keep = Keep::unbounded();
    stdio
}

/// The lock of whoever reads the streams of init.
fn lock(container: &Container<'_>) -> std::fs::File {
    let file = std::fs::File::options().write(true).create(true).truncate(false).open(container.fifo("init-reader"));
    let file = file.unwrap();
    eventually(|| rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).ok());
    file
}

pub(crate) fn live_output_that_nobody_reads_is_thrown_away_where_asked() {
    let scratch = Scratch::new();
    let script = "head -c 8000000 /dev/zero; head -c 8000000 /dev/zero >&2; exit 4";
    let container = shell("c", script).with(output(Unread::Discard)).create(&scratch);
    container.start();
    container.ends_with(json!({"code": 4}));
    container.delete();
}

pub(crate) fn a_reader_is_never_robbed_of_what_it_reads() {
    let scratch = Scratch::new();
    let script = "seq 1 1000000; exit 4";
    let container = shell("c", script).with(output(Unread::Discard)).create(&scratch);
    let lock = lock(&container);
    let mut reader = container.reader("init-stdout");
    container.start();
    // For a while it reads nothing, though it is there.
    let mut first = [0; 2];
    reader.read_exact(&mut first).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    let all: String = (1..=1_000_000).map(|number| format!("{number}\n")).collect();
    assert!(&first == b"1\n" && rest == all[2..]);
    drop(lock);
    container.ends_with(json!({"code": 4}));
    container.delete();
}

pub(crate) fn live_output_that_nobody_reads_is_kept_where_asked() {
    let scratch = Scratch::new();
    let container = shell("c", "seq 1 1000000; exit 4").with(output(Unread::Keep)).create(&scratch);
    container.start();
    container.ends_with(json!({"code": 4}));
    let kept = container.kept("init", BOTH);
    assert!(kept.text() == (1..=1_000_000).map(|number| format!("{number}\n")).collect::<String>());
    assert_eq!((kept.lost, kept.end(Channel::Stdout)), (0, Some(Why::Closed)));
    container.delete();
}

pub(crate) fn output_that_turned_into_kept_output_stays_so_whoever_is_killed() {
    let scratch = Scratch::new();
    let script = "seq 1 1000000; until [ -e /go ]; do sleep 0.01; done; echo end; exit 4";
    let container = shell("c", script).with(output(Unread::Keep)).create(&scratch);
    container.start();
    let all: String = (1..=1_000_000).map(|number| format!("{number}\n")).collect();
    eventually(|| (container.kept_so_far("init").stdout.len() == all.len()).then_some(()));
    for _ in 0..2 {
        let (monitor, _) = container.supervisors();
        kill(monitor);
        eventually(|| (container.supervisors().0 != monitor).then_some(()));
    }
    // Whoever comes now is told that it is read already.
    let late = std::fs::File::open(container.fifo("init-reader")).unwrap();
    assert!(rustix::fs::flock(&late, FlockOperation::NonBlockingLockShared).is_err());
    std::fs::write(scratch.path("rootfs/go"), "").unwrap();
    container.ends_with(json!({"code": 4}));
    assert!(container.kept("init", BOTH).text() == all + "end\n");
    container.delete();
}
