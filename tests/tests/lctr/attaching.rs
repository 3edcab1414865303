//! `attach`: the streams of a container that runs in the background. Kept output is for as many as like, from any byte;
//! a live one, and stdin, is for one at a time.

use libcontainerd_tests::lctr::{command, lctr};
use libcontainerd_tests::running::Running;
use libcontainerd_tests::scratch::Scratch;
use rustix::process::Signal;

use crate::{background, background_with, refused, remove};

/// Live output that waits for its reader.
const LIVE: [&str; 4] = ["--log-driver", "none", "--log-opt", "mode=block"];

#[test]
fn many_attach_to_kept_output_each_from_where_it_likes() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "on-term", "bye", "3"]);
    let attach = |from: &str| Running::start(command(&scratch, ["attach", "--sig-proxy=false", "--from", from, "c"]));
    let (start, middle) = (attach("start"), attach("3"));
    start.says("ready\n");
    middle.says("dy\n");
    lctr(&scratch, ["kill", "-s", "TERM", "c"]).code(0);
    start.ends().quietly().stdout("ready\nbye\n").code(3);
    middle.ends().quietly().stdout("dy\nbye\n").code(3);
    // After the end too.
    lctr(&scratch, ["attach", "--from", "6", "c"]).quietly().stdout("bye\n").code(3);
    lctr(&scratch, ["attach", "c"]).quietly().stdout("").code(3);
    let _ = lctr(&scratch, ["attach", "--from", "end", "c"]).complains("start, now, or an offset").code(2);
    remove(&scratch, &["c"]);
}

#[test]
fn an_attached_reader_of_live_output_gets_what_was_written_before_and_since() {
    let scratch = Scratch::new();
    background_with(&scratch, "c", &LIVE, &["/probe", "on-term", "bye", "3"]);
    let attached = Running::start(command(&scratch, ["attach", "--sig-proxy=false", "c"]));
    attached.says("ready\n");
    lctr(&scratch, ["kill", "-s", "TERM", "c"]).code(0);
    attached.ends().quietly().stdout("ready\nbye\n").code(3);
    remove(&scratch, &["c"]);
}

#[test]
fn an_attached_writer_writes_to_the_programs_stdin_and_ends_it() {
    let scratch = Scratch::new();
    background_with(&scratch, "c", &["-i"], &["/probe", "cat"]);
    let mut attached = Running::start(command(&scratch, ["attach", "--from", "start", "c"]));
    attached.is_told(b"hello\n");
    attached.says("hello\n");
    attached.is_told_all();
    attached.ends().quietly().stdout("hello\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn while_one_has_stdin_others_still_see_the_output() {
    let scratch = Scratch::new();
    background_with(&scratch, "c", &["-i"], &["/probe", "cat"]);
    let mut writer = Running::start(command(&scratch, ["attach", "--from", "start", "c"]));
    writer.is_told(b"one\n");
    writer.says("one\n");
    let looking = Running::start(command(&scratch, ["attach", "--no-stdin", "--from", "start", "c"]));
    looking.says("one\n");
    let hopeful = Running::start(command(&scratch, ["attach", "--from", "start", "c"]));
    hopeful.complains("somebody else has its stdin");
    hopeful.says("one\n");
    writer.is_told(b"two\n");
    writer.is_told_all();
    writer.ends().quietly().stdout("one\ntwo\n").code(0);
    looking.ends().quietly().stdout("one\ntwo\n").code(0);
    hopeful.ends().stdout("one\ntwo\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn without_stdin_only_the_output_is_attached() {
    let scratch = Scratch::new();
    background_with(&scratch, "c", &["-i"], &["sh", "-c", "echo ready; read x; echo $x"]);
    let words = ["attach", "--no-stdin", "--sig-proxy=false", "--from", "start", "c"];
    let attached = Running::start(command(&scratch, words));
    attached.says("ready\n");
    lctr(&scratch, ["kill", "-s", "KILL", "c"]).code(0);
    attached.ends().quietly().stdout("ready\n").code(137);
    remove(&scratch, &["c"]);
}

#[test]
fn a_second_reader_of_live_output_is_refused_with_the_name_of_the_first() {
    let scratch = Scratch::new();
    background_with(&scratch, "c", &LIVE, &["/probe", "on-term", "bye", "0"]);
    let first = Running::start(command(&scratch, ["attach", "c"]));
    first.says("ready");
    let ran = lctr(&scratch, ["attach", "c"]);
    let name = format!("already read by lctr (pid {})", first.pid());
    refused(ran, 125, &name, "one program reads a stream at a time");
    first.gets(Signal::TERM);
    first.ends().stdout("ready\nbye\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn a_reader_that_is_killed_takes_nothing_with_it_and_another_comes_back() {
    let scratch = Scratch::new();
    background_with(&scratch, "c", &LIVE, &["/probe", "on-term", "bye", "2"]);
    let first = Running::start(command(&scratch, ["attach", "c"]));
    first.says("ready");
    first.gets(Signal::KILL);
    let _ = first.ends();
    let second = Running::start(command(&scratch, ["attach", "c"]));
    lctr(&scratch, ["kill", "-s", "TERM", "c"]).code(0);
    second.ends().quietly().stdout("bye\n").code(2);
    remove(&scratch, &["c"]);
}

#[test]
fn after_the_end_attach_gives_what_nobody_has_read_of_live_output_and_the_code() {
    let scratch = Scratch::new();
    background_with(&scratch, "c", &LIVE, &["sh", "-c", "echo out; echo err >&2; exit 6"]);
    lctr(&scratch, ["wait", "c"]).stdout("6\n").code(0);
    lctr(&scratch, ["attach", "c"]).stdout("out\n").complains("err\n").code(6);
    remove(&scratch, &["c"]);
}
