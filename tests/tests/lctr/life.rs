//! The verbs of a container's life: create, start, run, kill, stop, wait, rm.

use libcontainerd_tests::lctr::{command, lctr};
use libcontainerd_tests::rootfs;
use libcontainerd_tests::running::Running;
use libcontainerd_tests::scratch::Scratch;

use crate::{background, background_with, refused, remove, run};

/// Makes a container of this name without starting it.
fn create(scratch: &Scratch, name: &str, program: &[&str]) {
    let rootfs = rootfs::busybox().to_str().unwrap();
    let words = [&["create", "--name", name, "--rootfs", rootfs, "--"], program].concat();
    lctr(scratch, words).quietly().stdout(&format!("{name}\n")).code(0);
}

#[track_caller]
fn state(scratch: &Scratch, name: &str) -> String {
    lctr(scratch, ["state", name]).quietly().code(0).json()["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_container_is_created_started_and_removed() {
    let scratch = Scratch::new();
    create(&scratch, "c", &["/probe", "on-term", "bye", "7"]);
    assert_eq!(state(&scratch, "c"), "created");
    lctr(&scratch, ["start", "c"]).quietly().stdout("c\n").code(0);
    assert_eq!(state(&scratch, "c"), "running");
    lctr(&scratch, ["kill", "-s", "TERM", "c"]).quietly().stdout("c\n").code(0);
    lctr(&scratch, ["wait", "c"]).quietly().stdout("7\n").code(0);
    assert_eq!(state(&scratch, "c"), "stopped");
    lctr(&scratch, ["rm", "c"]).quietly().stdout("c\n").code(0);
}

#[test]
fn a_created_container_that_is_started_attached_gives_its_output_and_its_code() {
    let scratch = Scratch::new();
    create(&scratch, "c", &["sh", "-c", "echo out; echo err >&2; exit 5"]);
    lctr(&scratch, ["start", "-a", "c"]).stdout("out\n").complains("err\n").code(5);
    remove(&scratch, &["c"]);
}

#[test]
fn a_container_that_was_only_created_can_be_removed() {
    let scratch = Scratch::new();
    create(&scratch, "c", &["/probe", "sleep"]);
    lctr(&scratch, ["rm", "-f", "c"]).quietly().stdout("c\n").code(0);
    lctr(&scratch, ["ps", "-a", "-q"]).stdout("").code(0);
}

#[test]
fn run_in_the_background_prints_a_name_that_can_be_used_by_its_beginning() {
    let scratch = Scratch::new();
    let rootfs = rootfs::busybox().to_str().unwrap();
    let ran = lctr(&scratch, ["run", "-d", "--rootfs", rootfs, "--", "/probe", "sleep"]).quietly().code(0);
    let name = ran.text().trim();
    lctr(&scratch, ["exec", &name[..4], "/probe", "echo", "hi"]).quietly().stdout("hi\n").code(0);
    lctr(&scratch, ["rm", "-f", &name[..4]]).quietly().stdout(&format!("{name}\n")).code(0);
}

#[test]
fn the_beginning_of_two_names_is_refused_and_a_whole_name_never() {
    let scratch = Scratch::new();
    for name in ["web", "web-1", "web-2"] {
        background(&scratch, name, &["/probe", "sleep"]);
    }
    refused(lctr(&scratch, ["stop", "web-"]), 125, "2 containers have names that begin with web-", "");
    lctr(&scratch, ["kill", "-s", "KILL", "web"]).quietly().stdout("web\n").code(0);
    lctr(&scratch, ["wait", "web"]).stdout("137\n").code(0);
    lctr(&scratch, ["ps", "-q"]).stdout("web-1\nweb-2\n").code(0);
    remove(&scratch, &["web", "web-1", "web-2"]);
}

#[test]
fn a_name_that_is_taken_is_refused_and_its_container_goes_on() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    refused(lctr(&scratch, run(&["--name", "c"], &["true"])), 125, "container c", "lctr rm");
    lctr(&scratch, ["exec", "c", "/probe", "echo", "here"]).stdout("here\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn a_container_is_started_once() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    refused(lctr(&scratch, ["start", "c"]), 125, "container c", "lctr ps -a");
    remove(&scratch, &["c"]);
}

#[test]
fn stop_asks_and_gives_time() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "on-term", "bye", "4"]);
    // The program says so once it listens.
    let attached = Running::start(command(&scratch, ["attach", "--from", "start", "c"]));
    attached.says("ready");
    lctr(&scratch, ["stop", "c"]).quietly().stdout("c\n").code(0);
    attached.ends().stdout("ready\nbye\n").code(4);
    // Stopped is what was wanted.
    lctr(&scratch, ["stop", "c"]).quietly().stdout("c\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn stop_kills_who_does_not_listen_when_the_time_is_over() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "ignore-term"]);
    let begin = std::time::Instant::now();
    lctr(&scratch, ["stop", "-t", "1", "c"]).quietly().stdout("c\n").code(0);
    let took = begin.elapsed();
    assert!(took.as_millis() >= 1000 && took.as_secs() < 8, "{took:?}");
    lctr(&scratch, ["wait", "c"]).stdout("137\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn kill_all_reaches_every_process() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "ignore-term"]);
    // A child of one exec, and another exec: neither would hear of a signal to the first process.
    let parent = Running::start(command(
        &scratch,
        ["exec", "c", "sh", "-c", "trap 'wait; exit 6' TERM; sleep 1000 & echo ready; wait"],
    ));
    let other = Running::start(command(&scratch, ["exec", "c", "sh", "-c", "echo ready; exec sleep 1000"]));
    parent.says("ready");
    other.says("ready");
    lctr(&scratch, ["kill", "--all", "-s", "TERM", "c"]).quietly().stdout("c\n").code(0);
    // It ends once its child has, and so would wait for ever if that had not been reached.
    parent.ends().code(6);
    other.ends().code(128 + 15);
    remove(&scratch, &["c"]);
}

#[test]
fn wait_answers_before_and_after_the_end_and_for_many() {
    let scratch = Scratch::new();
    background(&scratch, "one", &["/probe", "on-term", "bye", "1"]);
    background(&scratch, "two", &["/probe", "exit", "2"]);
    let before = Running::start(command(&scratch, ["wait", "one", "two"]));
    let listens = Running::start(command(&scratch, ["attach", "--from", "start", "one"]));
    listens.says("ready");
    lctr(&scratch, ["kill", "-s", "TERM", "one"]).code(0);
    before.ends().quietly().stdout("1\n2\n").code(0);
    lctr(&scratch, ["wait", "two", "one"]).quietly().stdout("2\n1\n").code(0);
    listens.ends().code(1);
    remove(&scratch, &["one", "two"]);
}

#[test]
fn a_running_container_is_not_removed_unless_it_is_forced() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "ignore-term"]);
    refused(lctr(&scratch, ["rm", "c"]), 125, "container c", "lctr rm -f");
    lctr(&scratch, ["ps", "-q"]).stdout("c\n").code(0);
    lctr(&scratch, ["rm", "-f", "c"]).quietly().stdout("c\n").code(0);
    // Gone is what was wanted.
    lctr(&scratch, ["rm", "-f", "c"]).quietly().stdout("").code(0);
}

#[test]
fn of_many_names_the_wrong_ones_are_told_and_the_others_done() {
    let scratch = Scratch::new();
    background(&scratch, "one", &["/probe", "exit", "0"]);
    background(&scratch, "two", &["/probe", "exit", "0"]);
    lctr(&scratch, ["wait", "one", "two"]).code(0);
    lctr(&scratch, ["rm", "one", "none", "two"]).stdout("one\ntwo\n").complains("none").code(125);
}

#[test]
fn a_name_is_free_again_once_its_container_is_removed() {
    let scratch = Scratch::new();
    for code in ["3", "4"] {
        background(&scratch, "c", &["/probe", "exit", code]);
        lctr(&scratch, ["wait", "c"]).stdout(&format!("{code}\n")).code(0);
        lctr(&scratch, ["rm", "c"]).code(0);
    }
}

#[test]
fn a_container_outlives_whoever_started_it_with_its_limits_and_its_state() {
    let scratch = Scratch::new();
    background_with(&scratch, "c", &["-m", "64m"], &["/probe", "sleep"]);
    let pid = lctr(&scratch, ["state", "c"]).json()["pid"].as_u64().unwrap();
    let parent = libcontainerd_tests::host::parent(u32::try_from(pid).unwrap()).unwrap();
    // Neither `lctr`, which has ended, nor this test.
    assert!(libcontainerd_tests::host::lives(parent) && parent != std::process::id());
    remove(&scratch, &["c"]);
}
