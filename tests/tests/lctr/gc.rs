//! `gc`: what killed programs have left behind is named, and goes; what belongs to a container stays.

use std::fs;

use libcontainerd_tests::lctr::lctr;
use libcontainerd_tests::scratch::Scratch;

use crate::{background, remove};

#[test]
fn what_belongs_to_no_container_is_named_and_then_removed() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    let bundle = scratch.state().join("bundles/left");
    fs::create_dir_all(&bundle).unwrap();
    fs::write(bundle.join("config.json"), "{}").unwrap();
    let ran = lctr(&scratch, ["gc", "--dry-run"]).quietly().code(0);
    assert!(ran.text().starts_with("would remove directory ") && ran.text().lines().count() == 1, "{ran:#?}");
    assert!(bundle.exists());
    let ran = lctr(&scratch, ["gc", "--format", "json"]).quietly().code(0);
    assert_eq!((&ran.json()["kind"], &ran.json()["outcome"]), (&"directory".into(), &"removed".into()));
    assert!(!bundle.exists());
    lctr(&scratch, ["gc"]).quietly().stdout("").code(0);
    // What is there is not touched.
    lctr(&scratch, ["exec", "c", "echo", "here"]).stdout("here\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn containers_that_have_ended_and_their_output_are_nothing_to_remove() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["echo", "hello"]);
    lctr(&scratch, ["wait", "c"]).stdout("0\n").code(0);
    lctr(&scratch, ["gc"]).quietly().stdout("").code(0);
    lctr(&scratch, ["logs", "c"]).stdout("hello\n").code(0);
    remove(&scratch, &["c"]);
}
