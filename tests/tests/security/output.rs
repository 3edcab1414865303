//! C-41: nothing that a user or a container has named, typed or said acts on the terminal of whoever looks.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use libcontainerd_tests::lctr::{Ran, lctr};
use libcontainerd_tests::scratch::Scratch;

use crate::cell::{Cell, run, run_on};

/// Sets a title, returns to the line's start, turns the direction of writing, and does all that in other alphabets.
const HOSTILE: &str = "x\u{1b}]0;owned\u{7}y\rz\u{202e}w\u{9b}31mv\u{7f}u\u{2066}t";

/// The same as people see it.
const SHOWN: &str = r"x\x1b]0;owned\x07y\rz\u{202e}w\x9b31mv\x7fu\u{2066}t";

#[track_caller]
fn assert_harmless(ran: &Ran) {
    let acts = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    for text in [ran.text(), ran.complaint()] {
        assert!(!text.contains(acts), "{ran:#?}");
    }
}

#[test]
fn c41_a_hostile_command_is_shown_and_does_not_act() {
    let cell = Cell::running(&[], &["sh", "-c", "sleep 1000", HOSTILE]);
    let table = cell.lctr(&["ps", "--no-trunc"]).quietly().code(0);
    assert_harmless(&table);
    let line = table.text().lines().nth(1).unwrap();
    assert!(line.starts_with(&format!("cell           sh -c sleep 1000 {SHOWN}   ")), "{line}");
    assert_harmless(&cell.lctr(&["ps", "-a"]).quietly().code(0));
    assert_harmless(&cell.lctr(&["inspect", "cell"]).quietly().code(0));
    assert_harmless(&cell.lctr(&["ps", "--format", "json"]).quietly().code(0));
}

#[test]
fn c41_errors_show_hostile_words_and_do_not_act() {
    let scratch = Scratch::new();
    let refused: [&[&str]; 12] = [
        &["kill", HOSTILE],
        &["inspect", HOSTILE],
        &["rm", "-f", HOSTILE],
        &["kill", "-s", HOSTILE, "cell"],
        &["ps", "--format", HOSTILE],
        &["--log-level", HOSTILE, "ps"],
        &[HOSTILE],
        &["run", HOSTILE],
        &["run", "--rootfs", HOSTILE, "true"],
        &["run", "--bundle", HOSTILE],
        &["run", "--rootfs", "/", "-v", HOSTILE, "true"],
        &["run", "--rootfs", "/", "--env-file", HOSTILE, "true"],
    ];
    for args in refused {
        let ran = lctr(&scratch, args);
        assert_harmless(&ran);
        assert!(ran.complaint().starts_with("lctr: ") || args.contains(&"--log-level"), "{ran:#?}");
    }
    for flags in
        [&["-w", HOSTILE][..], &["-u", HOSTILE], &["-m", HOSTILE], &["--name", HOSTILE], &["--network", HOSTILE]]
    {
        let ran = run(&scratch, &[&["--rm"], flags].concat(), &["true"]);
        assert_harmless(&ran);
        assert_eq!(ran.exit_code(), Some(if flags[0] == "-w" { ran.exit_code().unwrap() } else { 125 }), "{ran:#?}");
    }
    let ran = run(&scratch, &["--rm"], &[HOSTILE]).code(127);
    assert_harmless(&ran);
    assert!(ran.complaint().contains(SHOWN), "{ran:#?}");
}

#[test]
fn c41_words_that_are_no_text_do_not_act_either() {
    let scratch = Scratch::new();
    for args in
        [[OsStr::new("kill"), OsStr::from_bytes(b"\xff\x1b[31m")], [OsStr::from_bytes(b"\x1b\xfe"), OsStr::new("x")]]
    {
        let ran = lctr(&scratch, args);
        assert_harmless(&ran);
        assert!(matches!(ran.exit_code(), Some(1 | 2 | 125)), "{ran:#?}");
    }
}

#[test]
fn c41_a_hostile_interpreter_of_an_image_is_shown_and_does_not_act() {
    let scratch = Scratch::new();
    let tree = scratch.place("tree");
    std::fs::create_dir_all(tree.join("proc")).unwrap();
    for name in ["sys", "dev"] {
        std::fs::create_dir(tree.join(name)).unwrap();
    }
    std::fs::write(tree.join("script"), format!("#!/{}\n", HOSTILE.replace('\r', ""))).unwrap();
    std::fs::set_permissions(tree.join("script"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let ran = run_on(&scratch, tree.to_str().unwrap(), &["--rm"], &["/script"]).code(127);
    assert_harmless(&ran);
}
