//! Exits that outlive their containers: waits of every kind, the ledger, and the autopsy of one that has ended.

use libcontainerd_tests::lctr::{command, lctr};
use libcontainerd_tests::rootfs;
use libcontainerd_tests::running::Running;
use libcontainerd_tests::scratch::Scratch;
use serde_json::Value;

use crate::{background, background_with, refused, remove};

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_exit_is_known_after_its_container_was_removed() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "exit", "7"]);
    lctr(&scratch, ["wait", "c"]).stdout("7\n").code(0);
    lctr(&scratch, ["rm", "c"]).code(0);
    for until in ["exited", "not-running", "removed"] {
        lctr(&scratch, ["wait", "--until", until, "c"]).quietly().stdout("7\n").code(0);
    }
    refused(lctr(&scratch, ["wait", "none"]), 125, "none", "lctr ps -a");
}

#[test]
fn the_newest_of_a_name_answers() {
    let scratch = Scratch::new();
    for code in ["3", "4"] {
        background(&scratch, "c", &["/probe", "exit", code]);
        lctr(&scratch, ["wait", "--until", "exited", "c"]).stdout(&format!("{code}\n")).code(0);
        lctr(&scratch, ["rm", "c"]).code(0);
    }
    lctr(&scratch, ["wait", "c"]).stdout("4\n").code(0);
}

#[test]
fn removed_in_the_background_it_leaves_nothing_but_its_exit() {
    let scratch = Scratch::new();
    background_with(&scratch, "c", &["--rm"], &["/probe", "exit", "7"]);
    lctr(&scratch, ["wait", "--until", "removed", "c"]).quietly().stdout("7\n").code(0);
    lctr(&scratch, ["ps", "-a", "-q"]).stdout("").code(0);
    assert_eq!(scratch.left_over(), Vec::<String>::new());
    // Its name is free, and the next is removed too.
    background_with(&scratch, "c", &["--rm"], &["/probe", "exit", "8"]);
    lctr(&scratch, ["wait", "--until", "removed", "c"]).stdout("8\n").code(0);
}

#[test]
fn a_waiter_for_the_removal_is_answered_by_it() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "exit", "3"]);
    let waiting = Running::start(command(&scratch, ["wait", "--until", "removed", "c"]));
    lctr(&scratch, ["wait", "c"]).stdout("3\n").code(0);
    remove(&scratch, &["c"]);
    waiting.ends().quietly().stdout("3\n").code(0);
}

#[test]
fn a_container_that_is_not_started_does_not_run() {
    let scratch = Scratch::new();
    let rootfs = rootfs::busybox().to_str().unwrap();
    lctr(&scratch, ["create", "--name", "c", "--rootfs", rootfs, "--", "/probe", "exit", "3"]).code(0);
    lctr(&scratch, ["wait", "--until", "not-running", "c"]).quietly().stdout("-\n").code(0);
    lctr(&scratch, ["start", "c"]).code(0);
    lctr(&scratch, ["wait", "c"]).quietly().stdout("3\n").code(0);
    lctr(&scratch, ["wait", "--until", "not-running", "c"]).quietly().stdout("3\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn ps_lists_those_that_were_removed_when_asked() {
    let scratch = Scratch::new();
    background(&scratch, "gone", &["/probe", "exit", "7"]);
    lctr(&scratch, ["wait", "gone"]).code(0);
    lctr(&scratch, ["rm", "gone"]).code(0);
    background(&scratch, "here", &["/probe", "sleep"]);
    lctr(&scratch, ["ps", "-a", "-q"]).stdout("here\n").code(0);
    lctr(&scratch, ["ps", "-a", "--removed", "-q"]).stdout("here\ngone\n").code(0);
    let table = lctr(&scratch, ["ps", "-a", "--removed"]).quietly().code(0);
    let line = table.text().lines().last().unwrap();
    assert!(line.starts_with("gone ") && line.contains("Removed (7)") && line.contains("/probe exit 7"), "{table:#?}");
    let json = lctr(&scratch, ["ps", "-a", "--removed", "--format", "json"]).quietly().code(0);
    let [here, gone] = &objects(json.text())[..] else { panic!("{json:#?}") };
    assert_eq!((&here["id"], &gone["id"], &gone["state"]), (&"here".into(), &"gone".into(), &"removed".into()));
    assert_eq!((&gone["exit"]["exit_code"], &gone["args"][2]), (&7.into(), &"7".into()));
    remove(&scratch, &["here"]);
}

#[test]
fn an_autopsy_tells_how_it_ended_and_its_last_words() {
    let scratch = Scratch::new();
    let script = "head -c 10000 /dev/zero | tr '\\0' x >&2; echo; echo last words >&2; exit 9";
    background(&scratch, "c", &["sh", "-c", script]);
    lctr(&scratch, ["wait", "c"]).stdout("9\n").code(0);
    // Its output has ended once this has.
    lctr(&scratch, ["logs", "-f", "c"]).code(0);
    let inspected = lctr(&scratch, ["inspect", "c"]).quietly().code(0).json();
    let autopsy = &inspected[0]["autopsy"];
    assert_eq!((&autopsy["exit_code"], &autopsy["code"]), (&9.into(), &9.into()), "{autopsy:#}");
    assert_eq!((&autopsy["how"], &autopsy["oom"]), (&"waited".into(), &false.into()));
    let words = autopsy["last_stderr"].as_str().unwrap();
    assert!(words.len() == 4096 && words.ends_with("xlast words\n"), "{words}");
    assert!(autopsy["usage"]["max_resident_bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{autopsy:#}");
    assert!(autopsy["cgroup"]["memory_peak_bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{autopsy:#}");
    remove(&scratch, &["c"]);
}

#[test]
fn a_container_that_runs_has_no_autopsy() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    assert!(lctr(&scratch, ["inspect", "c"]).code(0).json()[0].get("autopsy").is_none());
    remove(&scratch, &["c"]);
}

#[test]
fn want_of_memory_is_in_the_autopsy() {
    let scratch = Scratch::new();
    background_with(&scratch, "c", &["-m", "32m"], &["/probe", "hog"]);
    lctr(&scratch, ["wait", "c"]).stdout("137\n").code(0);
    let autopsy = lctr(&scratch, ["inspect", "c"]).quietly().code(0).json()[0]["autopsy"].clone();
    assert_eq!((&autopsy["oom"], &autopsy["signal"]), (&true.into(), &"SIGKILL".into()), "{autopsy:#}");
    assert!(autopsy["cgroup"]["oom_kills"].as_u64().is_none_or(|kills| kills > 0), "{autopsy:#}");
    remove(&scratch, &["c"]);
}
