//! Kept output: every byte, and how it ended.

use std::time::{Duration, Instant};

use libcontainerd_core::process::NewProcess;
use libcontainerd_core::stdio::{Drain, Keep, Place, Stdio, TerminalSize};
use libcontainerd_stream::log::{Channel, Why};
use serde_json::json;

use crate::container::{Container, eventually, recipe, shell};
use crate::scratch::{Scratch, SmallDisk};

const STDOUT: &[Channel] = &[Channel::Stdout];
const BOTH: &[Channel] = &[Channel::Stdout, Channel::Stderr];

/// Longer than any drain of these tests takes, shorter than any that waits for somebody.
const SOON: Duration = Duration::from_secs(8);

fn unbounded() -> Stdio {
    Stdio::kept(Keep::unbounded())
}

fn end(container: Container<'_>) {
    assert_eq!(container.signal("init", 9, "process"), "done");
    container.ends_with(json!({"signal": 9}));
    container.delete();
}

fn sleeper(scratch: &Scratch) -> Container<'_> {
    let container = recipe("c", &["/bin/sleep", "1000"]).create(scratch);
    container.start();
    container
}

pub(crate) fn kept_output_is_whole_and_ends() {
    let scratch = Scratch::new();
    let script = "seq 1 400000 & seq 1 300000 >&2; wait; echo last";
    let container = shell("c", script).with(unbounded()).create(&scratch);
    container.start();
    container.ends_with(json!({"code": 0}));
    let kept = container.kept("init", BOTH);
    let lines = |last: u32| (1..=last).map(|number| format!("{number}\n")).collect::<String>();
    assert!(kept.text() == lines(400_000) + "last\n");
    assert!(kept.stderr == lines(300_000).into_bytes());
    assert_eq!(
        (kept.lost, kept.end(Channel::Stdout), kept.end(Channel::Stderr)),
        (0, Some(Why::Closed), Some(Why::Closed))
    );
    container.delete();
}

pub(crate) fn kept_output_of_a_terminal_is_whole_and_ends() {
    let scratch = Scratch::new();
    let mut stdio = unbounded();
    stdio.terminal = Some(TerminalSize::default());
    let container = shell("c", "stty raw -echo; seq 1 200000; echo end").with(stdio).create(&scratch);
    container.start();
    container.ends_with(json!({"code": 0}));
    let kept = container.kept("init", STDOUT);
    let lines: String = (1..=200_000).map(|number| format!("{number}\n")).collect();
    assert!(kept.text() == lines + "end\n");
    assert_eq!((kept.lost, kept.ends.as_slice()), (0, &[(Channel::Stdout, Why::Closed)][..]));
    container.delete();
}

pub(crate) fn kept_output_of_execs_is_whole_and_ends_for_each() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    for number in 0..8 {
        let script = format!("seq {number} 50000; echo {number} >&2");
        let started = container.exec(&format!("e{number}"), NewProcess::new(["/bin/sh", "-c", &script], unbounded()));
        assert!(started.get("started").is_some(), "{started}");
    }
    for number in 0..8 {
        let kept = container.kept(&format!("e{number}"), BOTH);
        assert!(kept.text() == (number..=50_000).map(|line| format!("{line}\n")).collect::<String>());
        assert_eq!(kept.stderr, format!("{number}\n").into_bytes());
    }
    end(container);
}

pub(crate) fn only_the_output_that_is_placed_so_is_kept() {
    let scratch = Scratch::new();
    let mut stdio = unbounded();
    stdio.stderr = Place::Stream;
    let container = shell("c", "echo kept; echo live >&2").with(stdio).create(&scratch);
    container.start();
    assert_eq!(container.text("init-stderr"), "live\n");
    container.ends_with(json!({"code": 0}));
    let kept = container.kept("init", STDOUT);
    assert_eq!((kept.text(), kept.stderr.len(), kept.ends.len()), ("kept\n", 0, 1));
    container.delete();
}

pub(crate) fn a_log_that_cannot_be_written_is_an_error_that_says_so() {
    let scratch = Scratch::new();
    let disk = SmallDisk::mount(scratch.path("output"), "4k");
    disk.fill();
    let refused = shell("c", "true").with(unbounded()).try_create(&scratch);
    assert_eq!(refused.created["failed"]["kind"], "resource-exhausted", "{}", refused.created);
    eventually(|| scratch.left_overs().is_empty().then_some(()));
}

pub(crate) fn an_exec_without_a_log_is_an_error_and_leaves_nothing() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    let request = container.exec_request("e", NewProcess::new(["/bin/true"], unbounded()));
    std::fs::remove_dir(container.log_path("e")).unwrap();
    let refused = container.client().ask(&request);
    assert!(refused.get("failed").is_some(), "{refused}");
    assert!(container.exits("e").is_empty());
    assert!(!container.journal().iter().any(|entry| entry["fact"].get("exec-created").is_some()));
    end(container);
}

pub(crate) fn the_log_of_an_exec_that_does_not_start_has_an_end() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    for (name, program) in [("e", "/no/such/program"), ("f", "/etc/passwd")] {
        let refused = container.exec(name, NewProcess::new([program], unbounded()));
        assert!(refused.get("failed").is_some(), "{refused}");
        assert_eq!(container.kept(name, BOTH).stdout.len(), 0);
    }
    end(container);
}

/// A process that leaves a child behind, which holds its output open.
const LEAVES: &str = "echo before; { sleep 1000 & } ; exit 3";

pub(crate) fn the_exit_does_not_wait_for_what_left_overs_write() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    let stdio = unbounded().drained(Drain::UntilEof);
    container.exec("e", NewProcess::new(["/bin/sh", "-c", LEAVES], stdio));
    assert_eq!(container.exit("e")["status"], json!({"code": 3}));
    let kept = eventually(|| Some(container.kept_so_far("e")).filter(|kept| !kept.stdout.is_empty()));
    assert_eq!((kept.text(), kept.ends.len()), ("before\n", 0));
    end(container);
}

pub(crate) fn a_left_over_that_writes_after_the_drain_gets_a_closed_pipe() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    let script = "echo before; (trap '' PIPE; until [ -e /go ]; do sleep 0.01; done; \
                  echo late 2>/dev/null || echo refused >/said) & exit 3";
    container.exec("e", NewProcess::new(["/bin/sh", "-c", script], unbounded()));
    assert_eq!(container.exit("e")["status"], json!({"code": 3}));
    let kept = container.kept("e", BOTH);
    assert_eq!((kept.text(), kept.end(Channel::Stdout)), ("before\n", Some(Why::Drained)));
    let rootfs = scratch.path("rootfs");
    std::fs::write(rootfs.join("go"), "").unwrap();
    let said = eventually(|| std::fs::read_to_string(rootfs.join("said")).ok().filter(|said| !said.is_empty()));
    assert_eq!(said, "refused\n");
    assert_eq!(container.kept_so_far("e").text(), "before\n");
    end(container);
}

pub(crate) fn a_drain_for_a_time_ends_when_it_is_over() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    let stdio = unbounded().drained(Drain::For(Duration::from_millis(300)));
    let script = "(while :; do echo word; sleep 0.01; done) & exit 3";
    container.exec("e", NewProcess::new(["/bin/sh", "-c", script], stdio));
    assert_eq!(container.exit("e")["status"], json!({"code": 3}));
    let kept = container.kept("e", BOTH);
    assert_eq!(kept.end(Channel::Stdout), Some(Why::Drained));
    assert!(kept.text().lines().all(|line| line == "word") && kept.text().len() >= 5);
    end(container);
}

pub(crate) fn a_drain_until_the_end_waits_for_the_last_writer() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    let stdio = unbounded().drained(Drain::UntilEof);
    let script = "(until [ -e /go ]; do sleep 0.01; done; seq 1 100000) & exit 3";
    container.exec("e", NewProcess::new(["/bin/sh", "-c", script], stdio));
    assert_eq!(container.exit("e")["status"], json!({"code": 3}));
    std::fs::write(scratch.path("rootfs/go"), "").unwrap();
    let kept = container.kept("e", BOTH);
    assert!(kept.text() == (1..=100_000).map(|number| format!("{number}\n")).collect::<String>());
    assert_eq!(kept.end(Channel::Stdout), Some(Why::Closed));
    end(container);
}

pub(crate) fn no_drain_keeps_what_was_written_before_the_exit() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    let script = "seq 1 50000; { sleep 1000 & } ; exit 3";
    let begun = Instant::now();
    container.exec("e", NewProcess::new(["/bin/sh", "-c", script], unbounded().drained(Drain::None)));
    let kept = container.kept("e", BOTH);
    assert!(kept.text() == (1..=50_000).map(|number| format!("{number}\n")).collect::<String>());
    assert_eq!(kept.end(Channel::Stdout), Some(Why::Drained));
    assert!(begun.elapsed() < SOON);
    end(container);
}

pub(crate) fn a_full_disk_makes_the_writer_wait_and_delays_no_kill() {
    let scratch = Scratch::new();
    let disk = SmallDisk::mount(scratch.path("output"), "1m");
    let container = sleeper(&scratch);
    let what = NewProcess::new(["/bin/sh", "-c", "seq 1 1000000; echo end"], unbounded());
    container.exec("e", what);
    // The disk is full, and so is the pipe.
    eventually(|| disk.is_full().then_some(()));
    let started = container.exec("f", NewProcess::new(["/bin/true"], Stdio::null()));
    assert!(started.get("started").is_some(), "{started}");
    assert_eq!(container.exit("f")["status"], json!({"code": 0}));
    let begun = Instant::now();
    assert_eq!(container.signal("e", 9, "process"), "done");
    assert_eq!(container.exit("e")["status"], json!({"signal": 9}));
    assert!(begun.elapsed() < SOON);
    let before = container.kept_so_far("e");
    assert_eq!((before.lost, before.ends.len()), (0, 0));
    // Nothing of what it wrote is lost, as soon as there is room.
    disk.grow("64m");
    let kept = container.kept("e", BOTH);
    assert!(kept.lost == 0 && kept.stdout.len() > before.stdout.len());
    let all: String = (1..=1_000_000).map(|number| format!("{number}\n")).collect();
    assert!(all.as_bytes().starts_with(&kept.stdout));
    end(container);
}

pub(crate) fn a_full_disk_drops_what_may_be_dropped() {
    let scratch = Scratch::new();
    let _disk = SmallDisk::mount(scratch.path("output"), "1m");
    let container = sleeper(&scratch);
    let stdio = Stdio::kept(Keep::bounded(16 << 20, 4));
    container.exec("e", NewProcess::new(["/bin/sh", "-c", "seq 1 1000000; exit 4"], stdio));
    assert_eq!(container.exit("e")["status"], json!({"code": 4}));
    let kept = container.kept("e", BOTH);
    let all: String = (1..=1_000_000).map(|number| format!("{number}\n")).collect();
    assert_eq!(kept.stdout.len() as u64 + kept.lost, all.len() as u64);
    assert!(kept.lost > 0);
    end(container);
}

pub(crate) fn a_container_whose_log_is_not_drained_yet_can_be_deleted() {
    let scratch = Scratch::new();
    let disk = SmallDisk::mount(scratch.path("output"), "1m");
    let container = shell("c", "seq 1 1000000; echo end").with(unbounded()).create(&scratch);
    container.start();
    eventually(|| disk.is_full().then_some(()));
    assert_eq!(container.signal("init", 9, "process"), "done");
    container.ends_with(json!({"signal": 9}));
    container.delete();
}
