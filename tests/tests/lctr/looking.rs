//! The verbs that only look: ps, inspect, state, events, version. For people and for programs.

use libcontainerd_tests::lctr::{command, lctr};
use libcontainerd_tests::running::Running;
use libcontainerd_tests::scratch::Scratch;
use serde_json::Value;

use crate::{background, remove};

/// Names of the fields of an object, sorted.
#[track_caller]
fn fields(value: &Value) -> Vec<&str> {
    let mut names: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// The objects that were printed, one a line.
#[track_caller]
fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether a text is a time in UTC with nanoseconds.
fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.len() == "2026-01-01T00:00:00.000000000Z".len() && text.ends_with('Z') && &text[19..20] == "."
}

/// A container that runs and one that has ended with 7.
fn two(scratch: &Scratch) {
    background(scratch, "ended", &["/probe", "exit", "7"]);
    background(scratch, "runs", &["/probe", "sleep"]);
    lctr(scratch, ["wait", "ended"]).stdout("7\n").code(0);
}

#[test]
fn ps_lists_what_runs_and_with_a_everything() {
    let scratch = Scratch::new();
    lctr(&scratch, ["ps", "-a"]).quietly().stdout("CONTAINER ID   COMMAND   CREATED   STATUS   PID\n").code(0);
    two(&scratch);
    lctr(&scratch, ["ps", "-q"]).quietly().stdout("runs\n").code(0);
    lctr(&scratch, ["ps", "-a", "-q"]).quietly().stdout("ended\nruns\n").code(0);
    let ran = lctr(&scratch, ["ps", "-a"]).quietly().code(0);
    let lines: Vec<_> = ran.text().lines().collect();
    assert!(lines[0].starts_with("CONTAINER ID   COMMAND"), "{ran:#?}");
    assert!(lines[1].starts_with("ended ") && lines[1].contains("Exited (7)"), "{ran:#?}");
    assert!(lines[2].starts_with("runs ") && lines[2].contains("/probe sleep"), "{ran:#?}");
    assert!(lines[2].contains("Up "), "{ran:#?}");
    for alias in ["list", "ls"] {
        lctr(&scratch, [alias, "-q"]).stdout("runs\n").code(0);
    }
    remove(&scratch, &["ended", "runs"]);
}

#[test]
fn the_schema_of_ps_is_stable() {
    let scratch = Scratch::new();
    two(&scratch);
    let ran = lctr(&scratch, ["ps", "-a", "--format", "json"]).quietly().code(0);
    let [ended, runs] = &objects(ran.text())[..] else { panic!("{ran:#?}") };
    let always = ["bundle", "created_at", "id", "instance", "processes", "run", "started_at", "state"];
    let with = |more: &'static str| {
        let mut names = [&always[..], &[more]].concat();
        names.sort_unstable();
        names
    };
    assert_eq!(fields(ended), with("exit"));
    assert_eq!(fields(runs), with("pid"));
    assert_eq!(fields(&runs["processes"][0]), ["args", "id", "pid", "state", "terminal"]);
    assert_eq!(fields(&ended["exit"]), ["at", "code", "durable", "exit_code", "how", "oom", "timed_out"]);
    assert_eq!((&ended["state"], &runs["state"]), (&"stopped".into(), &"running".into()));
    assert_eq!(ended["exit"]["code"], 7);
    assert_eq!(ended["exit"]["durable"], true);
    assert!(is_time(&ended["created_at"]) && is_time(&ended["exit"]["at"]), "{ended:#}");
    remove(&scratch, &["ended", "runs"]);
}

#[test]
fn an_exit_tells_how_it_is_known() {
    let scratch = Scratch::new();
    two(&scratch);
    lctr(&scratch, ["kill", "-s", "KILL", "runs"]).code(0);
    let ran = lctr(&scratch, ["wait", "--format", "json", "ended", "runs"]).quietly().code(0);
    let [ended, killed] = &objects(ran.text())[..] else { panic!("{ran:#?}") };
    assert_eq!((&ended["exit"]["how"], &killed["exit"]["how"]), (&"waited".into(), &"waited".into()));
    assert_eq!((&killed["exit"]["signal"], &killed["exit"]["exit_code"]), (&"SIGKILL".into(), &137.into()));
    remove(&scratch, &["ended", "runs"]);
}

#[test]
fn inspect_is_an_array_also_for_one_and_leaves_out_who_is_not_there() {
    let scratch = Scratch::new();
    two(&scratch);
    let ran = lctr(&scratch, ["inspect", "runs"]).quietly().code(0);
    assert_eq!(ran.json().as_array().unwrap().len(), 1);
    let ran = lctr(&scratch, ["inspect", "runs", "none", "ended"]).complains("none").code(125);
    let found: Vec<_> = ran.json().as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(found, ["runs", "ended"]);
    remove(&scratch, &["ended", "runs"]);
}

#[test]
fn no_environment_is_told_by_any_verb() {
    let scratch = Scratch::new();
    let secret = "hunter2-hunter2";
    crate::background_with(&scratch, "c", &["-e", &format!("PASSWORD={secret}")], &["/probe", "sleep"]);
    for words in [&["inspect", "c"][..], &["ps", "-a", "--format", "json"], &["state", "c"]] {
        let ran = lctr(&scratch, [&["--log-level", "trace"], words].concat()).code(0);
        assert!(!ran.text().contains(secret) && !ran.complaint().contains(secret), "{words:?}");
    }
    lctr(&scratch, ["exec", "c", "/probe", "env", "PASSWORD"]).stdout(&format!("{secret}\n")).code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn state_is_as_the_oci_has_it() {
    let scratch = Scratch::new();
    two(&scratch);
    let state = lctr(&scratch, ["state", "runs"]).quietly().code(0).json();
    assert_eq!(fields(&state), ["bundle", "id", "ociVersion", "pid", "status"]);
    assert_eq!((&state["id"], &state["status"]), (&"runs".into(), &"running".into()));
    assert!(std::path::Path::new(state["bundle"].as_str().unwrap()).join("config.json").is_file());
    assert_eq!(lctr(&scratch, ["state", "ended"]).json()["pid"], 0);
    remove(&scratch, &["ended", "runs"]);
}

#[test]
fn events_tell_a_whole_life_in_order_and_can_be_followed_from_any_of_them() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    lctr(&scratch, ["exec", "c", "/probe", "exit", "3"]).code(3);
    lctr(&scratch, ["rm", "-f", "c"]).code(0);
    let following = Running::start(command(&scratch, ["events", "--since", "10m", "--format", "json"]));
    let text = following.says("deleted") + &following.says("\n");
    drop(following);
    let events = objects(&text);
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["created", "started", "exec-started", "exited", "exited", "deleted"]);
    let always = ["container", "cursor", "instance", "kind", "run", "sequence", "time"];
    for event in &events {
        assert!(always.iter().all(|name| fields(event).contains(name)), "{event:#}");
        assert!(is_time(&event["time"]) && event["container"] == "c", "{event:#}");
    }
    assert_eq!((&events[3]["exit"]["exit_code"], &events[4]["exit"]["exit_code"]), (&3.into(), &137.into()));
    let cursor = events[3]["cursor"].as_str().unwrap();
    let after = Running::start(command(&scratch, ["events", "--cursor", cursor, "--format", "json"]));
    let text = after.says("deleted") + &after.says("\n");
    // Some may be told twice, with the same identity; none is missed.
    assert!(objects(&text).ends_with(&events[4..]), "{text}");
}

#[test]
fn events_for_people_are_a_line_each_as_they_happen() {
    let scratch = Scratch::new();
    let following = Running::start(command(&scratch, ["events", "--since", "10m"]));
    background(&scratch, "c", &["/probe", "exit", "3"]);
    following.says("Z container c created\n");
    following.says("Z container c started pid=");
    following.says("Z container c exited process=init code=3\n");
    remove(&scratch, &["c"]);
    following.says("Z container c deleted\n");
}

#[test]
fn version_names_lctr_and_the_runtime() {
    let scratch = Scratch::new();
    let ran = lctr(&scratch, ["version"]).quietly().code(0);
    assert!(ran.text().starts_with(concat!("lctr ", env!("CARGO_PKG_VERSION"), "\n")), "{ran:#?}");
    let version = lctr(&scratch, ["version", "--format", "json"]).quietly().code(0).json();
    assert_eq!(fields(&version), ["runtime", "version"]);
    assert_eq!(fields(&version["runtime"]), ["details", "name", "version"]);
    lctr(&scratch, ["--version"]).stdout(concat!("lctr ", env!("CARGO_PKG_VERSION"), "\n")).code(0);
}

#[test]
fn what_would_act_on_a_terminal_is_escaped() {
    let scratch = Scratch::new();
    let hostile = "\x1b]0;owned\x07\u{9b}31m\u{202e}gpj.exe\r\n";
    background(&scratch, "c", &["/probe", "sleep", hostile]);
    let ran = lctr(&scratch, ["ps", "--no-trunc"]).quietly().code(0);
    assert!(ran.text().contains(r"\x1b]0;owned\x07\x9b31m\u{202e}gpj.exe\r\n"), "{ran:#?}");
    let acts = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!ran.text().contains(acts), "{ran:#?}");
    let inspected = lctr(&scratch, ["inspect", "c"]).quietly().code(0);
    assert!(!inspected.text().contains('\x1b'), "{inspected:#?}");
    assert_eq!(inspected.json()[0]["processes"][0]["args"][2], hostile);
    let ran = lctr(&scratch, ["exec", "c", hostile]).stdout("").code(127);
    assert!(!ran.complaint().contains(acts), "{ran:#?}");
    remove(&scratch, &["c"]);
}

#[test]
fn logs_are_off_until_they_are_asked_for_and_json_where_that_is() {
    let scratch = Scratch::new();
    let words = ["--log-level", "debug", "--log-format", "json"];
    let ran = lctr(&scratch, [&words[..], &["run", "--rm", "--rootfs", "/", "--", "/bin/true"]].concat()).code(0);
    assert!(objects(ran.complaint()).iter().all(|line| line["level"].is_string()), "{ran:#?}");
}
