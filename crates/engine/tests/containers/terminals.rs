//! Terminals of a container's own.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};

use serde_json::json;

use crate::fixture::{Scratch, process, spec, wait};

/// Reads a master until its last slave is closed.
fn read_all(master: OwnedFd) -> String {
    let mut bytes = Vec::new();
    let mut file = File::from(master);
    let mut buffer = [0; 4096];
    // Linux says EIO, not end-of-file, when the last slave is gone.
    while let Ok(length @ 1..) = file.read(&mut buffer) {
        bytes.extend(&buffer[..length]);
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_terminal_is_the_containers_own_with_size_owner_and_console() {
    let scratch = Scratch::new();
    let script = "tty; stty size; stat -c %u /dev/pts/0; test /dev/console -ef /dev/pts/0 && echo console; test -t 2 && echo all; \
        (: < /dev/tty) && echo controlling";
    let mut spec = spec(&["sh", "-c", script]);
    spec["process"]["user"] = json!({"uid": 1000, "gid": 1000});
    spec["process"]["capabilities"] = json!({});
    let (mut spawned, cgroup) = scratch.start_terminal(spec, 100, 30);
    let text = read_all(spawned.terminal.take().unwrap());
    assert_eq!(wait(&spawned), 0, "{text}");
    cgroup.remove().unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines, ["/dev/pts/0", "30 100", "1000", "console", "all", "controlling"]);
}

#[test]
fn an_exec_can_have_a_terminal_too() {
    let scratch = Scratch::new();
    let running = scratch.start(spec(&["sleep", "1000"]));
    let mut spawned = running.exec_terminal(&scratch, process(&["sh", "-c", "tty; stty size"]), 33, 11);
    let text = read_all(spawned.terminal.take().unwrap());
    assert_eq!((wait(&spawned), text.as_str()), (0, "/dev/pts/0\r\n11 33\r\n"));
    running.cgroup.remove_leaf("exec-t").unwrap();
    running.stop();
}

#[test]
fn a_hang_up_reaches_the_container() {
    let scratch = Scratch::new();
    let (mut spawned, cgroup) = scratch.start_terminal(
        spec(&["sh", "-c", "trap 'exit 42' HUP; echo ready; while :; do sleep 0.01; done"]),
        80,
        24,
    );
    let master = spawned.terminal.take().unwrap();
    let mut buffer = [0; 5];
    File::from(master.as_fd().try_clone_to_owned().unwrap()).read_exact(&mut buffer).unwrap();
    drop(master);
    assert_eq!(wait(&spawned), 42);
    cgroup.kill().unwrap();
    cgroup.remove().unwrap();
}
