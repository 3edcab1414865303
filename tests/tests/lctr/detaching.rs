//! The keys that leave a terminal: for each verb that has one, as they were chosen, and none of them swallowed otherwise.

use libcontainerd_tests::lctr::{command, lctr};
use libcontainerd_tests::rootfs;
use libcontainerd_tests::scratch::Scratch;
use libcontainerd_tests::terminal::Terminal;

use crate::{background, background_with, remove, run};

/// A terminal whose program shows every byte that it is sent.
const RAW: &str = "stty -echo raw; echo ready; exec /probe cat";

#[test]
fn an_exec_is_left_running_under_its_name() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    let words = ["exec", "-it", "--exec-id", "job", "--detach-keys", "ctrl-x,q", "c", "sh", "-c", RAW];
    let mut terminal = Terminal::start(&command(&scratch, words), 100, 40);
    terminal.shows("ready");
    terminal.types(b"\x10\x11\x18x");
    terminal.shows("\x10\x11\x18x");
    terminal.types(b"\x18q");
    terminal.shows("lctr kill --exec job c");
    assert_eq!(terminal.ends().0, Some(0));
    let inspected = lctr(&scratch, ["inspect", "c"]).code(0).json();
    let job = inspected[0]["processes"].as_array().unwrap().iter().find(|process| process["id"] == "job").unwrap();
    assert_eq!(job["state"], "running");
    remove(&scratch, &["c"]);
}

#[test]
fn a_started_container_is_left_running_and_its_kept_terminal_comes_back() {
    let scratch = Scratch::new();
    let rootfs = rootfs::busybox().to_str().unwrap();
    lctr(&scratch, ["create", "-it", "--name", "c", "--rootfs", rootfs, "--", "sh", "-c", RAW]).code(0);
    let mut terminal = Terminal::start(&command(&scratch, ["start", "-ai", "--detach-keys", "a,b", "c"]), 100, 40);
    terminal.shows("ready");
    terminal.types(b"ax");
    // The half that was none was passed on.
    terminal.shows("ax");
    terminal.types(b"ab");
    assert_eq!(terminal.ends().0, Some(0));
    let mut terminal = Terminal::start(&command(&scratch, ["attach", "--from", "start", "c"]), 100, 40);
    terminal.shows("ready");
    terminal.shows("ax");
    terminal.types(b"\x10\x11");
    assert_eq!(terminal.ends().0, Some(1));
    remove(&scratch, &["c"]);
}

#[test]
fn an_empty_sequence_never_leaves() {
    let scratch = Scratch::new();
    background_with(&scratch, "c", &["-i", "-t"], &["sh", "-c", RAW]);
    let words = ["attach", "--from", "start", "--detach-keys", "", "c"];
    let mut terminal = Terminal::start(&command(&scratch, words), 100, 40);
    terminal.shows("ready");
    terminal.types(b"\x10\x11still here");
    terminal.shows("\x10\x11still here");
    remove(&scratch, &["c"]);
    assert_eq!(terminal.ends().0, Some(137));
}

#[test]
fn what_can_be_no_key_is_refused() {
    let scratch = Scratch::new();
    for wrong in ["ctrl-", "ctrl-P", "ab", "a,,b", "1"] {
        let keys = format!("--detach-keys={wrong}");
        let _ = lctr(&scratch, run(&[&keys], &["true"])).stdout("").complains("neither a letter nor ctrl-").code(125);
        let _ = lctr(&scratch, ["attach", &keys, "c"]).stdout("").complains("neither a letter nor ctrl-").code(2);
    }
}
