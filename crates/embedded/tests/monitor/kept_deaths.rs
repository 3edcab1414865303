//! What it costs kept output when monitor or witness are killed while it is under way: not a byte.

use libcontainerd_core::process::NewProcess;
use libcontainerd_core::stdio::{Keep, Place, Stdio, TerminalSize};
use libcontainerd_stream::log::{Channel, Why};
use serde_json::json;

use crate::container::{Container, eventually, kill, recipe, shell};
use crate::scratch::Scratch;

const STDOUT: &[Channel] = &[Channel::Stdout];
const BOTH: &[Channel] = &[Channel::Stdout, Channel::Stderr];

/// How many lines are written while somebody is killed again and again.
const LINES: u32 = 2_000_000;

fn unbounded() -> Stdio {
    Stdio::kept(Keep::unbounded())
}

fn lines() -> String {
    (1..=LINES).map(|number| format!("{number}\n")).collect()
}

/// Kills monitor and witness in turns until the log of `process` is long enough, and sees to it that it was often.
fn kill_in_turns(container: &Container<'_>, process: &str) {
    let mut kills = 0;
    while container.kept_so_far(process).ends.is_empty() && kills < 40 {
        let (monitor, witness) = container.supervisors();
        kill(if kills % 3 == 2 { witness } else { monitor });
        eventually(|| Some(container.supervisors()).filter(|next| *next != (monitor, witness)));
        kills += 1;
    }
    assert!(kills > 3, "{kills}");
}

pub(crate) fn kept_output_is_whole_whoever_is_killed() {
    let scratch = Scratch::new();
    let script = format!("seq 1 {LINES} & seq 1 {LINES} >&2; wait; exit 5");
    let container = shell("c", &script).with(unbounded()).create(&scratch);
    container.start();
    kill_in_turns(&container, "init");
    container.ends_with(json!({"code": 5}));
    let kept = container.kept("init", BOTH);
    assert_eq!(
        (kept.lost, kept.end(Channel::Stdout), kept.end(Channel::Stderr)),
        (0, Some(Why::Closed), Some(Why::Closed))
    );
    assert!(kept.text() == lines() && kept.stderr == lines().into_bytes(), "{}", container.log());
    container.delete();
}

pub(crate) fn kept_output_of_a_terminal_is_whole_whoever_is_killed() {
    let scratch = Scratch::new();
    let mut stdio = unbounded();
    stdio.terminal = Some(TerminalSize::default());
    let script = format!("stty raw -echo; seq 1 {LINES}; exit 5");
    let container = shell("c", &script).with(stdio).create(&scratch);
    container.start();
    kill_in_turns(&container, "init");
    container.ends_with(json!({"code": 5}));
    let kept = container.kept("init", STDOUT);
    assert_eq!((kept.lost, kept.end(Channel::Stdout)), (0, Some(Why::Closed)));
    assert!(kept.text() == lines(), "{}", container.log());
    container.delete();
}

pub(crate) fn kept_output_of_an_exec_is_whole_whoever_is_killed() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    container.start();
    let script = format!("seq 1 {LINES}; exit 5");
    container.exec("e", NewProcess::new(["/bin/sh", "-c", &script], unbounded()));
    kill_in_turns(&container, "e");
    assert_eq!(container.exit("e")["status"], json!({"code": 5}));
    let kept = container.kept("e", BOTH);
    assert!(kept.lost == 0 && kept.text() == lines(), "{}", container.log());
    assert_eq!(container.signal("init", 9, "process"), "done");
    container.ends_with(json!({"signal": 9}));
    container.delete();
}

pub(crate) fn a_monitor_killed_after_the_exit_still_ends_the_log() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    container.start();
    let script = "echo before; (until [ -e /go ]; do sleep 0.01; done; echo after) & exit 3";
    let stdio = unbounded().drained(libcontainerd_core::stdio::Drain::UntilEof);
    container.exec("e", NewProcess::new(["/bin/sh", "-c", script], stdio));
    assert_eq!(container.exit("e")["status"], json!({"code": 3}));
    let (monitor, _) = container.supervisors();
    kill(monitor);
    eventually(|| (container.supervisors().0 != monitor).then_some(()));
    std::fs::write(scratch.path("rootfs/go"), "").unwrap();
    let kept = container.kept("e", BOTH);
    assert_eq!((kept.text(), kept.end(Channel::Stdout)), ("before\nafter\n", Some(Why::Closed)));
    assert_eq!(container.signal("init", 9, "process"), "done");
    container.ends_with(json!({"signal": 9}));
    container.delete();
}

/// Kills monitor and witness at once.
fn kill_both(container: &Container<'_>) {
    let (monitor, witness) = container.supervisors();
    for pid in [witness, monitor] {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), nix::sys::signal::Signal::SIGSTOP).unwrap();
    }
    kill(witness);
    kill(monitor);
    eventually(|| container.connect().is_none().then_some(()));
}

pub(crate) fn output_goes_on_into_the_log_of_a_container_that_is_adopted() {
    let scratch = Scratch::new();
    let stdio = unbounded().with_stdin(Place::Stream);
    let script = "echo one; while read line; do eval \"$line\"; done";
    let mut container = shell("c", script).with(stdio).create(&scratch);
    container.start();
    let mut hold = container.writer("init-stdin");
    eventually(|| (container.kept_so_far("init").text() == "one\n").then_some(()));
    kill_both(&container);
    assert_eq!(container.adopt(), "done");
    std::io::Write::write_all(&mut hold, b"echo two; exit 5\n").unwrap();
    assert_eq!(container.exit("init")["status"], json!({"code": 5}));
    let kept = container.kept("init", BOTH);
    assert_eq!((kept.text(), kept.end(Channel::Stdout)), ("one\ntwo\n", Some(Why::Closed)));
    container.delete();
}

pub(crate) fn a_terminal_whose_monitor_and_witness_died_is_broken_off() {
    let scratch = Scratch::new();
    let mut stdio = unbounded();
    stdio.terminal = Some(TerminalSize::default());
    let script = "trap '' HUP; stty raw -echo; echo one; while :; do sleep 0.05; done";
    let mut container = shell("c", script).with(stdio).create(&scratch);
    container.start();
    eventually(|| (container.kept_so_far("init").text() == "one\n").then_some(()));
    kill_both(&container);
    assert_eq!(container.adopt(), "done");
    let kept = container.kept("init", STDOUT);
    assert_eq!((kept.text(), kept.end(Channel::Stdout)), ("one\n", Some(Why::Broken)));
    assert_eq!(container.signal("init", 9, "process"), "done");
    container.exit("init");
    container.delete();
}
