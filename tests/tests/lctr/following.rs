//! `events` as a script follows them: from a place or a time to a time, filtered, and without a gap after a list.

use libcontainerd_tests::lctr::lctr;
use libcontainerd_tests::scratch::Scratch;
use serde_json::Value;

use crate::{background, remove};

/// What the events from the beginning until now say, with further options.
#[track_caller]
fn events(scratch: &Scratch, options: &[&str]) -> Vec<Value> {
    let words = [&["events", "--until", "0s", "--format", "json"], options].concat();
    let ran = lctr(scratch, words).quietly().code(0);
    ran.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn kinds(events: &[Value]) -> Vec<String> {
    let kind = |event: &Value| format!("{} {}", event["container"].as_str().unwrap(), event["kind"].as_str().unwrap());
    events.iter().map(kind).collect()
}

/// Two lives, one with an exec.
fn two(scratch: &Scratch) {
    for name in ["one", "two"] {
        background(scratch, name, &["/probe", "sleep"]);
    }
    lctr(scratch, ["exec", "--exec-id", "job", "one", "/probe", "exit", "3"]).code(3);
    remove(scratch, &["one", "two"]);
}

#[test]
fn events_up_to_now_end_by_themselves() {
    let scratch = Scratch::new();
    two(&scratch);
    let all = events(&scratch, &[]);
    assert_eq!(all.len(), 10, "{all:#?}");
    assert_eq!(kinds(&events(&scratch, &["--since", "1h"])), kinds(&all));
    assert_eq!(events(&scratch, &["--since", "2099-01-01T00:00:00Z"]), Vec::<Value>::new());
    let words = ["events", "--since", "1h", "--until", "30m"];
    lctr(&scratch, words).quietly().stdout("").code(0);
}

#[test]
fn filters_choose_containers_kinds_and_processes() {
    let scratch = Scratch::new();
    two(&scratch);
    let life = ["two created", "two started", "two exited", "two deleted"];
    assert_eq!(kinds(&events(&scratch, &["--filter", "container=two"])), life);
    let exits = ["--filter", "event=die", "--filter", "container=one"];
    assert_eq!(kinds(&events(&scratch, &exits)), ["one exited", "one exited"]);
    let job = ["one exec-started", "one exited"];
    assert_eq!(kinds(&events(&scratch, &["--filter", "process=job"])), job);
    let _ = lctr(&scratch, ["events", "--filter", "label=x"]).complains("container=NAME").code(2);
    let _ = lctr(&scratch, ["events", "--filter", "event=born"]).complains("exec-started").code(2);
}

#[test]
fn each_line_has_the_cursor_to_go_on_after_it() {
    let scratch = Scratch::new();
    two(&scratch);
    let all = events(&scratch, &[]);
    for at in [0, 4, all.len() - 2] {
        let cursor = all[at]["cursor"].as_str().unwrap();
        // Some may be told twice; none is missed.
        assert!(events(&scratch, &["--cursor", cursor]).ends_with(&all[at + 1..]), "after {at}");
    }
}

#[test]
fn a_list_with_its_cursor_and_the_events_after_it_leave_no_gap() {
    let scratch = Scratch::new();
    background(&scratch, "before", &["/probe", "sleep"]);
    let ran = lctr(&scratch, ["ps", "-a", "--cursor", "--format", "json"]).quietly().code(0);
    let objects: Vec<Value> = ran.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [before, place] = &objects[..] else { panic!("{ran:#?}") };
    assert_eq!(before["id"], "before");
    background(&scratch, "after", &["/probe", "sleep"]);
    let told = kinds(&events(&scratch, &["--cursor", place["cursor"].as_str().unwrap()]));
    assert!(told.ends_with(&["after created".to_owned(), "after started".to_owned()]), "{told:?}");
    remove(&scratch, &["before", "after"]);
}
