//! Kept output: what is kept, how much of it, and that it costs nobody a byte.

use libcontainerd_tests::lctr::{command, lctr};
use libcontainerd_tests::running::Running;
use libcontainerd_tests::scratch::Scratch;

use crate::streams::{patterned, same};
use crate::{background, background_with, refused, remove, run};

const MUCH: usize = 8 << 20;

#[test]
fn in_the_background_both_outputs_are_kept_byte_for_byte_and_reading_takes_nothing_away() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "emit", &MUCH.to_string(), "5", "both"]);
    lctr(&scratch, ["wait", "c"]).stdout("0\n").code(0);
    for _ in 0..2 {
        let (status, stdout, stderr) = Running::start(command(&scratch, ["logs", "c"])).ends_with_bytes();
        same(&stdout, &patterned(5, MUCH));
        same(&stderr, &patterned(6, MUCH));
        assert!(status.success());
    }
    remove(&scratch, &["c"]);
}

#[test]
fn kept_in_the_foreground_it_comes_out_the_same_and_can_be_read_again() {
    let scratch = Scratch::new();
    let words = ["run", "--name", "c", "--log-driver", "kept", "--rootfs", "/"];
    let program = ["--", "/bin/sh", "-c", "echo out; echo err >&2; printf last; exit 5"];
    lctr(&scratch, [&words[..], &program].concat()).stdout("out\nlast").complains("err\n").code(5);
    lctr(&scratch, ["logs", "c"]).stdout("out\nlast").complains("err\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn much_that_is_kept_in_the_foreground_comes_out_byte_for_byte() {
    let scratch = Scratch::new();
    let program = ["/probe", "emit", &MUCH.to_string(), "7", "both"];
    let words = run(&["--log-driver", "json-file", "--log-opt", "max-size=-1"], &program);
    let (status, stdout, stderr) = Running::start(command(&scratch, words)).ends_with_bytes();
    same(&stdout, &patterned(7, MUCH));
    same(&stderr, &patterned(8, MUCH));
    assert!(status.success());
}

#[test]
fn in_the_foreground_nothing_is_kept_unless_it_is_asked_for() {
    let scratch = Scratch::new();
    lctr(&scratch, ["run", "--name", "c", "--rootfs", "/", "--", "/bin/echo", "gone"]).stdout("gone\n").code(0);
    refused(lctr(&scratch, ["logs", "c"]), 125, "no output of container c is kept", "--log-driver kept");
    remove(&scratch, &["c"]);
}

#[test]
fn old_output_makes_room_and_what_is_missing_is_said() {
    let scratch = Scratch::new();
    let options = ["--log-opt", "max-size=64k", "--log-opt", "max-file=2"];
    background_with(&scratch, "c", &options, &["/probe", "emit", "1000000", "5"]);
    // Who reads meanwhile keeps what makes room: it is written to its end first.
    let _ = Running::start(command(&scratch, ["logs", "-f", "c"])).ends_with_bytes();
    let reading = Running::start(command(&scratch, ["logs", "--from", "0", "c"]));
    let (status, stdout, stderr) = reading.ends_with_bytes();
    assert!(status.success());
    assert!((1..=128 << 10).contains(&stdout.len()), "{}", stdout.len());
    same(&stdout, &patterned(5, 1_000_000)[1_000_000 - stdout.len()..]);
    let lost = format!("lctr: {} bytes are not kept any more\n", 1_000_000 - stdout.len());
    assert_eq!(String::from_utf8(stderr).unwrap(), lost);
    remove(&scratch, &["c"]);
}

#[test]
fn without_bounds_everything_is_kept() {
    let scratch = Scratch::new();
    background_with(&scratch, "c", &["--log-opt", "max-size=-1"], &["/probe", "emit", "1000000", "5"]);
    lctr(&scratch, ["wait", "c"]).stdout("0\n").code(0);
    let (_, stdout, _) = Running::start(command(&scratch, ["logs", "c"])).ends_with_bytes();
    same(&stdout, &patterned(5, 1_000_000));
    remove(&scratch, &["c"]);
}

#[test]
fn output_that_is_neither_kept_nor_read_hangs_nobody_in_the_background() {
    let scratch = Scratch::new();
    background_with(&scratch, "c", &["--log-driver", "none"], &["/probe", "emit", "8000000", "5"]);
    lctr(&scratch, ["wait", "c"]).stdout("0\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn a_terminals_output_is_kept_as_it_was_shown() {
    let scratch = Scratch::new();
    background_with(&scratch, "c", &["-t"], &["sh", "-c", "echo out; echo err >&2"]);
    lctr(&scratch, ["wait", "c"]).stdout("0\n").code(0);
    lctr(&scratch, ["logs", "c"]).quietly().stdout("out\r\nerr\r\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn a_created_container_keeps_its_output_from_its_first_byte() {
    let scratch = Scratch::new();
    lctr(&scratch, ["create", "--name", "c", "--rootfs", "/", "--", "/bin/echo", "hello"]).code(0);
    lctr(&scratch, ["start", "c"]).stdout("c\n").code(0);
    lctr(&scratch, ["wait", "c"]).stdout("0\n").code(0);
    lctr(&scratch, ["logs", "c"]).quietly().stdout("hello\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn an_exec_in_the_background_keeps_its_output_under_the_name_that_is_printed() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    let ran = lctr(&scratch, ["exec", "-d", "c", "sh", "-c", "echo out; echo err >&2"]).quietly().code(0);
    let name = ran.text().trim().to_owned();
    lctr(&scratch, ["logs", "-f", "--exec", &name, "c"]).stdout("out\n").complains("err\n").code(0);
    lctr(&scratch, ["logs", "c"]).quietly().stdout("").code(0);
    let nobody = lctr(&scratch, ["logs", "--exec", "none", "c"]);
    refused(nobody, 125, "no output of process none of container c is kept", "`exec -d`");
    remove(&scratch, &["c"]);
}

#[test]
fn what_cannot_be_done_with_output_names_what_can() {
    let scratch = Scratch::new();
    let wrong = |option: &str, value: &str| lctr(&scratch, run(&[option, value], &["true"])).stdout("").code(125);
    let _ = wrong("--log-driver", "syslog").complains("kept").complains("none");
    let _ = wrong("--log-opt", "compress=true").complains("max-size");
    let _ = wrong("--log-opt", "max-size=0").complains("max-size");
    let _ = wrong("--log-opt", "max-file=0").complains("max-file");
    let _ = wrong("--log-opt", "mode=maybe").complains("mode");
}
