//! Descriptors of the caller as the streams of a process.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use libcontainerd_core::process::NewProcess;
use libcontainerd_core::stdio::{Place, Stdio};
use serde_json::{Value, json};

use crate::container::{eventually, recipe, shell};
use crate::scratch::Scratch;

/// A pipe to read from, a file and a socket to write to.
struct Ends {
    stdin: (OwnedFd, OwnedFd),
    stdout: File,
    stderr: (UnixStream, UnixStream),
}

const SCRIPT: &str = "cat; echo to the file; echo to the socket >&2; exit 6";

impl Ends {
    fn new() -> Ends {
        Ends {
            stdin: rustix::pipe::pipe().unwrap(),
            stdout: tempfile::tempfile().unwrap(),
            stderr: UnixStream::pair().unwrap(),
        }
    }

    fn stdio(&self) -> Stdio {
        let mut stdio = Stdio::null().with_stdin(Place::Descriptor(self.stdin.0.as_raw_fd()));
        stdio.stdout = Place::Descriptor(self.stdout.as_raw_fd());
        stdio.stderr = Place::Descriptor(self.stderr.0.as_raw_fd());
        stdio
    }

    /// Lets go of what the process has by now, and sees what it does with it.
    fn check(mut self) {
        drop((self.stdin.0, self.stderr.0));
        File::from(self.stdin.1).write_all(b"through the pipe\n").unwrap();
        let mut said = String::new();
        self.stderr.1.read_to_string(&mut said).unwrap();
        assert_eq!(said, "to the socket\n");
        let mut written = String::new();
        self.stdout.rewind().unwrap();
        self.stdout.read_to_string(&mut written).unwrap();
        assert_eq!(written, "through the pipe\nto the file\n");
    }
}

pub(crate) fn pipe_file_and_socket_of_the_caller_are_the_streams_of_init() {
    let scratch = Scratch::new();
    let ends = Ends::new();
    let container = shell("c", SCRIPT).with(ends.stdio()).create(&scratch);
    container.start();
    // End-of-file at the socket says as well that nobody else has it: neither monitor nor witness.
    ends.check();
    container.ends_with(json!({"code": 6}));
    container.delete();
}

pub(crate) fn pipe_file_and_socket_of_the_caller_are_the_streams_of_an_exec() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    container.start();
    let ends = Ends::new();
    let started = container.exec("e", NewProcess::new(["/bin/sh", "-c", SCRIPT], ends.stdio()));
    assert!(started.get("started").is_some(), "{started}");
    ends.check();
    assert_eq!(container.exit("e")["status"], json!({"code": 6}));
    assert_eq!(container.signal("init", 9, "process"), "done");
    container.ends_with(json!({"signal": 9}));
    container.delete();
}

pub(crate) fn a_monitor_holds_nothing_of_a_descriptor_once_the_process_has_it() {
    let scratch = Scratch::new();
    let ends = Ends::new();
    let container = shell("c", "exec sleep 1000").with(ends.stdio()).create(&scratch);
    container.start();
    let (monitor, _) = container.supervisors();
    let held = std::fs::read_dir(format!("/proc/{monitor}/fd")).unwrap();
    let held: Vec<_> = held.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok()).collect();
    let ours = std::fs::read_link(format!("/proc/self/fd/{}", ends.stdout.as_raw_fd())).unwrap();
    assert!(!held.contains(&ours), "{held:?}");
    assert_eq!(container.signal("init", 9, "process"), "done");
    container.ends_with(json!({"signal": 9}));
    container.delete();
}

fn refusal(answer: &Value) -> &str {
    assert_eq!(answer["failed"]["kind"], "invalid-argument", "{answer}");
    answer["failed"]["message"].as_str().unwrap()
}

pub(crate) fn a_terminal_of_the_host_is_refused() {
    let scratch = Scratch::new();
    let flags = rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY;
    let master = rustix::pty::openpt(flags).unwrap();
    let stdio = Stdio::null().with_stdin(Place::Descriptor(master.as_raw_fd()));
    let refused = shell("no", "true").with(stdio).try_create(&scratch);
    assert!(refusal(&refused.created).contains("terminal"));
    eventually(|| scratch.left_overs().is_empty().then_some(()));

    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    container.start();
    let refused = container.exec("e", NewProcess::new(["/bin/true"], stdio));
    assert!(refusal(&refused).contains("terminal"));
    assert!(container.exits("e").is_empty());
    assert_eq!(container.signal("init", 9, "process"), "done");
    container.ends_with(json!({"signal": 9}));
    container.delete();
}

pub(crate) fn a_descriptor_that_is_not_open_is_refused() {
    let scratch = Scratch::new();
    let stdio = Stdio::null().with_stdin(Place::Descriptor(1_000_000));
    let refused = shell("no", "true").with(stdio).try_create(&scratch);
    assert!(refusal(&refused.created).contains("descriptor 1000000"));
    eventually(|| scratch.left_overs().is_empty().then_some(()));
}
