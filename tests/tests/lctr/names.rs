//! Names that are none, and names of nobody: refused in one line, wherever one is taken.

use libcontainerd_tests::lctr::lctr;
use libcontainerd_tests::scratch::Scratch;

use crate::{refused, run};

/// Every verb that takes the name of a container, up to the name and after it.
const VERBS: [(&[&str], &[&str]); 9] = [
    (&["start"], &[]),
    (&["exec"], &["true"]),
    (&["attach"], &[]),
    (&["kill"], &[]),
    (&["stop"], &[]),
    (&["wait"], &[]),
    (&["rm"], &[]),
    (&["inspect"], &[]),
    (&["state"], &[]),
];

/// Names that could lead somewhere else, or act on a terminal.
fn bad() -> Vec<String> {
    let long = "a".repeat(300);
    let all = ["", ".", "..", "../x", "/etc", "a/b", "a b", "a\nb", "\x1b[31mred", "a\u{202e}b", "é", &long];
    all.map(str::to_owned).to_vec()
}

/// What a verb says of a name. `inspect` prints what it has found also when that is nothing.
#[track_caller]
fn refused_by(scratch: &Scratch, verb: (&[&str], &[&str]), name: &str, what: &str, cure: &str) {
    let ran = lctr(scratch, [verb.0, &["--", name], verb.1].concat());
    if verb.0 == ["inspect"] {
        assert_eq!(ran.json(), serde_json::json!([]));
        ran.complains(what).complains(cure).code(125);
    } else {
        refused(ran, 125, what, cure);
    }
}

#[test]
fn a_container_that_is_not_there_is_told_by_every_verb() {
    let scratch = Scratch::new();
    for verb in VERBS {
        refused_by(&scratch, verb, "nobody", "nobody", "lctr ps -a");
    }
}

#[test]
fn a_name_that_can_be_none_is_refused_by_every_verb() {
    let scratch = Scratch::new();
    for verb in VERBS {
        for name in ["", "../x", "\x1b[31mred"] {
            refused_by(&scratch, verb, name, "this cannot be a container's name: a name ", "");
        }
    }
}

#[test]
fn nothing_is_made_under_a_name_that_can_be_none() {
    let scratch = Scratch::new();
    for name in bad() {
        let ran = lctr(&scratch, run(&[&format!("--name={name}")], &["true"]));
        refused(ran, 125, "this cannot be a container's name: a name ", "");
    }
    assert!(!scratch.state().join("bundles").read_dir().is_ok_and(|mut all| all.next().is_some()));
}

#[test]
fn a_long_name_that_is_one_works() {
    let scratch = Scratch::new();
    let name = "a".repeat(128);
    lctr(&scratch, run(&["--name", &name, "-h", "short"], &["hostname"])).quietly().stdout("short\n").code(0);
    lctr(&scratch, run(&["--name", &name], &["echo", "hi"])).quietly().stdout("hi\n").code(0);
}

#[test]
fn a_name_with_a_dash_is_no_option() {
    let scratch = Scratch::new();
    lctr(&scratch, ["rm", "--", "-f"]).complains("this cannot be a container's name").code(125);
}

#[test]
fn a_process_that_is_not_there_is_told() {
    let scratch = Scratch::new();
    crate::background(&scratch, "c", &["/probe", "sleep"]);
    refused(lctr(&scratch, ["kill", "--exec", "nobody", "c"]), 125, "nobody", "lctr inspect");
    crate::remove(&scratch, &["c"]);
}
