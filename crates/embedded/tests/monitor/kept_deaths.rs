//! What it costs kept output when monitor or witness are killed while it is under way: not a byte.

use libcontainerd_core::process::NewProcess;
use libcontainerd_core::stdio::{Keep, Place, Stdio, TerminalSize};
use libcontainerd_stream::log::{Channel, Why};
use serde_json::json;

use crate::container::{Container, eventually, kill, recipe, shell};
use crate::scratch::Scratch;

const STDOUT: &[Channel] = &[Channel::Stdout];
const BOTH: &[Channel] = &[Channel::Stdout, Channel::Stderr];

/// Writes a block that fills a pipe again and again until it is told to stop, and then how often it did.
const WRITES: &str = "w() { i=0; until [ -e /go ]; do seq 1 200000; i=$((i+1)); sleep 0.05; done; echo $i; }";

fn unbounded() -> Stdio {
    Stdio::kept(Keep::unbounded())
}

/// Whether it is what somebody wrote who did as [`WRITES`] says.
fn is_whole(bytes: &[u8]) -> bool {
    let block: String = (1..=200_000).map(|number| format!("{number}\n")).collect();
    let blocks = bytes.len() / block.len();
    bytes == (block.repeat(blocks) + &format!("{blocks}\n")).as_bytes()
}

/// Kills monitor and witness in turns while output is under way, and then lets it end.
fn kill_in_turns(container: &Container<'_>) {
    for round in 0..15 {
        let (monitor, witness) = container.supervisors();
        kill(if round % 3 == 2 { witness } else { monitor });
        eventually(|| Some(container.supervisors()).filter(|next| *next != (monitor, witness)));
    }
    std::fs::write(container.scratch.path("rootfs/go"), "").unwrap();
}

pub(crate) fn kept_output_is_whole_whoever_is_killed() {
    let scratch = Scratch::new();
    let script = format!("{WRITES}; w & w >&2; wait; exit 5");
    let container = shell("c", &script).with(unbounded()).create(&scratch);
    container.start();
    kill_in_turns(&container);
    container.ends_with(json!({"code": 5}));
    let kept = container.kept("init", BOTH);
    let ends = (kept.end(Channel::Stdout), kept.end(Channel::Stderr));
    assert_eq!((kept.lost, ends), (0, (Some(Why::Closed), Some(Why::Closed))));
    assert!(is_whole(&kept.stdout) && is_whole(&kept.stderr), "{}", container.log());
    container.delete();
}

pub(crate) fn kept_output_of_a_terminal_is_whole_whoever_is_killed() {
    let scratch = Scratch::new();
    let mut stdio = unbounded();
    stdio.terminal = Some(TerminalSize::default());
    let script = format!("stty raw -echo; {WRITES}; w; exit 5");
    let container = shell("c", &script).with(stdio).create(&scratch);
    container.start();
    kill_in_turns(&container);
    container.ends_with(json!({"code": 5}));
    let kept = container.kept("init", STDOUT);
    assert_eq!((kept.lost, kept.end(Channel::Stdout)), (0, Some(Why::Closed)));
    assert!(is_whole(&kept.stdout), "{}", container.log());
    container.delete();
}

pub(crate) fn kept_output_of_an_exec_is_whole_whoever_is_killed() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    container.start();
    let script = format!("{WRITES}; w; exit 5");
    container.exec("e", NewProcess::new(["/bin/sh", "-c", &script], unbounded()));
    kill_in_turns(&container);
    assert_eq!(container.exit("e")["status"], json!({"code": 5}));
    let kept = container.kept("e", BOTH);
    assert!(kept.lost == 0 && is_whole(&kept.stdout), "{}", container.log());
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
