//! Terminals, relayed.

use std::io::{Read, Write};

use libcontainerd_core::stdio::{Stdio, TerminalSize};
use serde_json::json;

use crate::container::{recipe, shell};
use crate::scratch::Scratch;

fn terminal() -> Stdio {
    Stdio::terminal(TerminalSize { columns: 101, rows: 37 })
}

pub(crate) fn a_terminal_is_relayed_byte_for_byte() {
    let scratch = Scratch::new();
    let script = "stty raw -echo; test -t 0 && test -t 1 && head -c 3000000 /dev/zero; echo end";
    let container = shell("c", script).with(terminal()).create(&scratch);
    container.start();
    let bytes = container.read("init-stdout");
    assert_eq!(bytes.len(), 3_000_004);
    assert!(bytes.ends_with(b"end\n"));
    container.ends_with(json!({"code": 0}));
    container.delete();
}

pub(crate) fn a_terminal_has_its_size_from_the_start_and_changes_it() {
    let scratch = Scratch::new();
    let script = "stty size; trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done";
    let container = shell("c", script).with(terminal()).create(&scratch);
    let resize = |columns, rows| {
        let size = json!({ "columns": columns, "rows": rows });
        container.ask(&json!({ "resize": { "process": "init", "size": size } }))
    };
    assert_eq!(resize(102, 38), "done");
    container.start();
    let mut reader = container.reader("init-stdout");
    let mut text = [0; 15];
    reader.read_exact(&mut text).unwrap();
    assert_eq!(std::str::from_utf8(&text).unwrap(), "38 102\r\nready\r\n");
    assert_eq!(resize(50, 20), "done");
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "20 50\r\n");
    container.ends_with(json!({"code": 0}));
    assert_eq!(resize(1, 1), "done");
    container.delete();
}

pub(crate) fn closing_stdin_of_a_terminal_is_an_end_of_file() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/cat"]).with(terminal()).create(&scratch);
    container.start();
    let mut stdin = container.writer("init-stdin");
    stdin.write_all(b"no end of line").unwrap();
    drop(stdin);
    assert_eq!(container.ask(&json!({ "close-stdin": { "process": "init" } })), "done");
    // What was typed is shown, and then written by cat.
    assert_eq!(container.text("init-stdout"), "no end of lineno end of line");
    container.ends_with(json!({"code": 0}));
    container.delete();
}
