//! `logs`: the views of kept output, for people, for scripts and for readers of log files.

use std::time::{Duration, SystemTime};

use libcontainerd_tests::lctr::{command, lctr};
use libcontainerd_tests::running::Running;
use libcontainerd_tests::scratch::Scratch;
use rustix::process::Signal;
use serde_json::Value;

use crate::{background, refused, remove};

/// Runs a script to its end in the background.
fn ran(scratch: &Scratch, script: &str) {
    background(scratch, "c", &["sh", "-c", script]);
    lctr(scratch, ["wait", "c"]).stdout("0\n").code(0);
}

/// Whether a text is a time in UTC with nanoseconds.
fn is_time(text: &str) -> bool {
    text.len() == "2026-01-01T00:00:00.000000000Z".len() && text.ends_with('Z') && &text[19..20] == "."
}

#[test]
fn a_follower_gets_what_was_written_before_and_since_and_ends_with_the_process() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "on-term", "bye", "3"]);
    let following = Running::start(command(&scratch, ["logs", "-f", "c"]));
    following.says("ready\n");
    lctr(&scratch, ["kill", "-s", "TERM", "c"]).code(0);
    following.ends().quietly().stdout("ready\nbye\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn a_reader_that_does_not_follow_ends_with_what_there_is() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "on-term", "bye", "3"]);
    Running::start(command(&scratch, ["logs", "-f", "c"])).says("ready\n");
    lctr(&scratch, ["logs", "c"]).quietly().stdout("ready\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn a_follower_that_is_stopped_holds_up_neither_the_process_nor_another_reader() {
    let scratch = Scratch::new();
    background(
        &scratch,
        "c",
        &["sh", "-c", "echo ready; until [ -e /go ]; do sleep 0.05; done; /probe emit 20000000 5"],
    );
    let stopped = Running::start(command(&scratch, ["logs", "-f", "c"]));
    stopped.says("ready\n");
    stopped.gets(Signal::STOP);
    let other = Running::start(command(&scratch, ["logs", "-f", "c"]));
    lctr(&scratch, ["exec", "c", "touch", "/go"]).code(0);
    let (status, stdout, _) = other.ends_with_bytes();
    assert!(status.success());
    assert_eq!(stdout.len(), "ready\n".len() + 20_000_000);
    lctr(&scratch, ["wait", "c"]).stdout("0\n").code(0);
    stopped.gets(Signal::CONT);
    let (_, late, _) = stopped.ends_with_bytes();
    assert!(late == stdout, "the stopped one missed something");
    remove(&scratch, &["c"]);
}

#[test]
fn the_last_lines_are_counted_over_both_outputs_or_over_one() {
    let scratch = Scratch::new();
    ran(&scratch, "for n in 1 2 3 4 5 6; do echo out $n; echo err $n >&2; done");
    let _ = lctr(&scratch, ["logs", "-n", "1", "--stream", "stdout", "c"]).quietly().stdout("out 6\n").code(0);
    let _ = lctr(&scratch, ["logs", "--tail", "2", "--stream", "stdout", "c"]).stdout("out 5\nout 6\n").code(0);
    let _ = lctr(&scratch, ["logs", "-n", "0", "c"]).quietly().stdout("").code(0);
    let all = lctr(&scratch, ["logs", "-n", "all", "c"]).code(0);
    assert_eq!((all.text().lines().count(), all.complaint().lines().count()), (6, 6));
    let four = lctr(&scratch, ["logs", "-n", "4", "c"]).code(0);
    assert_eq!(four.text().lines().count() + four.complaint().lines().count(), 4, "{four:#?}");
    for wrong in ["-1", "some", "1.5"] {
        let _ = lctr(&scratch, ["logs", "-n", wrong, "c"]).complains("a number of lines, or all").code(2);
    }
    remove(&scratch, &["c"]);
}

#[test]
fn each_output_goes_to_its_own_and_one_can_be_chosen() {
    let scratch = Scratch::new();
    ran(&scratch, "echo out; echo err >&2");
    assert_eq!(lctr(&scratch, ["logs", "c"]).stdout("out\n").code(0).complaint(), "err\n");
    let _ = lctr(&scratch, ["logs", "--stream", "stdout", "c"]).quietly().stdout("out\n").code(0);
    assert_eq!(lctr(&scratch, ["logs", "--stream", "stderr", "c"]).stdout("").code(0).complaint(), "err\n");
    remove(&scratch, &["c"]);
}

#[test]
fn times_stand_before_each_line_of_either_output() {
    let scratch = Scratch::new();
    ran(&scratch, "echo out; echo; printf rest; echo err >&2");
    let stamped = lctr(&scratch, ["logs", "-t", "c"]).code(0);
    let split = |text: &str| -> Vec<String> {
        let line = |line: &str| line.split_once(' ').map(|(time, rest)| (is_time(time), rest.to_owned())).unwrap();
        text.lines().map(line).map(|(is_time, rest)| if is_time { rest } else { panic!("{text}") }).collect()
    };
    assert_eq!(split(stamped.text()), ["out", "", "rest"]);
    assert!(!stamped.text().ends_with('\n'));
    assert_eq!(split(stamped.complaint()), ["err"]);
    remove(&scratch, &["c"]);
}

#[test]
fn a_time_divides_what_was_written_before_and_after_it() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["sh", "-c", "echo one; until [ -e /go ]; do sleep 0.05; done; echo two"]);
    Running::start(command(&scratch, ["logs", "-f", "c"])).says("one\n");
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + Duration::from_nanos(1);
    let between = format!("{}.{:09}", since_1970.as_secs(), since_1970.subsec_nanos());
    lctr(&scratch, ["exec", "c", "touch", "/go"]).code(0);
    lctr(&scratch, ["wait", "c"]).stdout("0\n").code(0);
    for more in [&[][..], &["-t"], &["-n", "all"]] {
        let since = lctr(&scratch, [&["logs", "--since", &between, "c"], more].concat()).quietly().code(0);
        assert!(since.text().ends_with("two\n") && !since.text().contains("one"), "{more:?}: {since:#?}");
        let until = lctr(&scratch, [&["logs", "--until", &between, "c"], more].concat()).quietly().code(0);
        assert!(until.text().ends_with("one\n") && !until.text().contains("two"), "{more:?}: {until:#?}");
    }
    let _ = lctr(&scratch, ["logs", "--since", "1h", "c"]).quietly().stdout("one\ntwo\n").code(0);
    let _ = lctr(&scratch, ["logs", "--until", "1h", "c"]).quietly().stdout("").code(0);
    let _ = lctr(&scratch, ["logs", "--since", "yesterday", "c"]).complains("2026-01-31T12:00:00Z").code(2);
    remove(&scratch, &["c"]);
}

#[test]
fn a_follower_ends_when_its_time_is_over() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "on-term", "bye", "3"]);
    Running::start(command(&scratch, ["logs", "-f", "c"])).says("ready\n");
    let soon = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + Duration::from_millis(500);
    let soon = format!("{}.{:09}", soon.as_secs(), soon.subsec_nanos());
    lctr(&scratch, ["logs", "-f", "--until", &soon, "c"]).quietly().stdout("ready\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn json_file_is_as_docker_writes_it() {
    let scratch = Scratch::new();
    ran(&scratch, "printf 'a \"quoted\" \\\\ \\t\\377 line\\n'; echo err >&2");
    let ran = lctr(&scratch, ["logs", "--format", "json-file", "c"]).quietly().code(0);
    let records: Vec<Value> = ran.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |stream: &str| records.iter().find(|record| record["stream"] == stream).unwrap();
    assert_eq!(of("stdout")["log"], "a \"quoted\" \\ \t\u{fffd} line\n");
    assert_eq!(of("stderr")["log"], "err\n");
    assert!(records.len() == 2 && records.iter().all(|record| is_time(record["time"].as_str().unwrap())));
    // What other verbs call json is this here.
    let _ = lctr(&scratch, ["--format", "json", "logs", "c"]).quietly().stdout(ran.text()).code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn cri_is_as_kubelets_read_it_with_long_lines_in_parts() {
    let scratch = Scratch::new();
    ran(&scratch, "echo err >&2; head -c 40000 /dev/zero | tr '\\0' x; echo; printf rest");
    let ran = lctr(&scratch, ["logs", "--format", "cri", "c"]).quietly().code(0);
    let mut stdout = Vec::new();
    for line in ran.text().lines() {
        let [time, stream, tag, text] = line.splitn(4, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert!(is_time(time) && ["P", "F"].contains(&tag) && text.len() <= 16 << 10, "{line}");
        if stream == "stdout" {
            stdout.push((tag.to_owned(), text.len()));
        } else {
            assert_eq!((stream, tag, text), ("stderr", "F", "err"));
        }
    }
    let wanted = [("P", 16384), ("P", 16384), ("F", 40000 - 2 * 16384), ("P", 4), ("F", 0)];
    assert_eq!(stdout, wanted.map(|(tag, length)| (tag.to_owned(), length)));
    remove(&scratch, &["c"]);
}

#[test]
fn a_reader_of_logs_that_leaves_ends_them() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "fill"]);
    let mut following = command(&scratch, ["logs", "-f", "c"]);
    let mut child = following.stdout(std::process::Stdio::piped()).stdin(std::process::Stdio::null()).spawn().unwrap();
    std::io::Read::read_exact(&mut child.stdout.take().unwrap(), &mut [0; 100]).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(128 + 13));
    remove(&scratch, &["c"]);
}

#[test]
fn a_follower_ends_when_the_container_is_removed() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["sh", "-c", "echo ready; exec sleep 1000"]);
    let following = Running::start(command(&scratch, ["logs", "-f", "c"]));
    following.says("ready\n");
    remove(&scratch, &["c"]);
    following.ends().stdout("ready\n").code(0);
    refused(lctr(&scratch, ["logs", "c"]), 125, "container c", "lctr ps -a");
}
