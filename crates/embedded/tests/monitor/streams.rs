//! Bytes, and their ends.

use std::io::{Read, Write};

use libcontainerd_core::stdio::{Place, Stdio};
use serde_json::json;

use crate::container::{recipe, shell};
use crate::scratch::Scratch;

pub(crate) fn output_is_whole_and_ends() {
    let scratch = Scratch::new();
    let script = "head -c 16777216 /dev/zero & head -c 16777216 /dev/zero >&2; wait";
    let container = shell("c", script).with(Stdio::output()).create(&scratch);
    container.start();
    std::thread::scope(|threads| {
        let stderr = threads.spawn(|| container.read("init-stderr").len());
        assert_eq!(container.read("init-stdout").len(), 16 << 20);
        assert_eq!(stderr.join().unwrap(), 16 << 20);
    });
    container.ends_with(json!({"code": 0}));
    container.delete();
}

pub(crate) fn stdin_reaches_the_program_and_its_end_too() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/cat"]).with(Stdio::piped()).create(&scratch);
    // Written before the start: it is there when the program comes to read.
    let mut stdin = container.writer("init-stdin");
    stdin.write_all(b"before ").unwrap();
    container.start();
    stdin.write_all(b"after").unwrap();
    drop(stdin);
    assert!(container.exits("init").is_empty());
    assert_eq!(container.ask(&json!({ "close-stdin": { "process": "init" } })), "done");
    assert_eq!(container.text("init-stdout"), "before after");
    container.ends_with(json!({"code": 0}));
    assert_eq!(container.ask(&json!({ "close-stdin": { "process": "init" } })), "done");
    container.delete();
}

pub(crate) fn output_of_a_container_that_has_ended_waits_for_its_reader() {
    let scratch = Scratch::new();
    let container = shell("c", "head -c 500000 /dev/zero; echo last").with(Stdio::output()).create(&scratch);
    container.start();
    container.ends_with(json!({"code": 0}));
    let bytes = container.read("init-stdout");
    assert_eq!(bytes.len(), 500_005);
    assert!(bytes.ends_with(b"last\n"));
    container.delete();
}

pub(crate) fn a_reader_that_goes_and_comes_back_loses_nothing() {
    let scratch = Scratch::new();
    let script = "echo one; read line; echo two; read line; echo three";
    let stdio = Stdio::output().with_stdin(Place::Stream);
    let container = shell("c", script).with(stdio).create(&scratch);
    container.start();
    let mut stdin = container.writer("init-stdin");
    let mut first = [0; 4];
    container.reader("init-stdout").read_exact(&mut first).unwrap();
    assert_eq!(&first, b"one\n");
    // Nobody reads now.
    stdin.write_all(b"go\ngo\n").unwrap();
    container.ends_with(json!({"code": 0}));
    assert_eq!(container.text("init-stdout"), "two\nthree\n");
    container.delete();
}

pub(crate) fn no_stdin_is_an_end_of_file() {
    let scratch = Scratch::new();
    let container = shell("c", "cat; readlink /proc/self/fd/0").with(Stdio::output()).create(&scratch);
    container.start();
    assert_eq!(container.text("init-stdout"), "/dev/null\n");
    container.ends_with(json!({"code": 0}));
    container.delete();
}
