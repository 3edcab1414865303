//! Bundles of the caller's, and `spec`, which makes their `config.json`.

use std::fs;
use std::path::{Path, PathBuf};

use libcontainerd_tests::lctr::lctr;
use libcontainerd_tests::rootfs;
use libcontainerd_tests::scratch::Scratch;
use serde_json::{Value, json};

use crate::refused;

/// A bundle in busybox' root file system with this `config.json`.
fn bundle(scratch: &Scratch, config: &str) -> PathBuf {
    let place = scratch.place("bundle");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("config.json"), config).unwrap();
    place
}

/// What `spec` prints for such options, changed.
fn spec(scratch: &Scratch, options: &[&str], change: impl FnOnce(&mut Value)) -> String {
    let ran = lctr(scratch, [&["spec"], options].concat()).quietly().code(0);
    let mut spec = ran.json();
    change(&mut spec);
    spec["root"] = json!({"path": rootfs::busybox(), "readonly": true});
    spec.to_string()
}

#[track_caller]
fn run_bundle(scratch: &Scratch, place: &Path) -> libcontainerd_tests::lctr::Ran {
    lctr(scratch, ["run", "--rm", "--bundle", place.to_str().unwrap()])
}

#[test]
fn what_spec_prints_is_what_run_runs() {
    let scratch = Scratch::new();
    let options = ["-e", "A=b", "-w", "/tmp", "-h", "there", "--", "sh", "-c", "echo $A; pwd; hostname"];
    let config = spec(&scratch, &options, |_| {});
    run_bundle(&scratch, &bundle(&scratch, &config)).quietly().stdout("b\n/tmp\nthere\n").code(0);
}

#[test]
fn spec_is_for_everybody_and_names_a_root_beside_itself() {
    let scratch = Scratch::new();
    let spec = lctr(&scratch, ["spec"]).quietly().code(0).json();
    assert_eq!(spec["process"]["args"], json!(["sh"]));
    assert_eq!(spec["process"]["noNewPrivileges"], true);
    assert!(spec["root"]["path"].as_str().unwrap().ends_with("rootfs"), "{:#}", spec["root"]);
    assert!(!scratch.state().exists());
}

#[test]
fn properties_that_nobody_knows_are_named_and_the_program_runs() {
    let scratch = Scratch::new();
    let options = ["--", "echo", "hi"];
    let config = spec(&scratch, &options, |spec| spec["process"]["warpFactor"] = json!(9));
    let ran = run_bundle(&scratch, &bundle(&scratch, &config)).stdout("hi\n").code(0);
    assert_eq!(ran.complaint().lines().count(), 1, "{ran:#?}");
    ran.complains("process.warpFactor");
}

#[test]
fn a_property_that_is_known_and_not_enforced_is_refused_by_name() {
    let scratch = Scratch::new();
    let options = ["--", "echo", "hi"];
    let config = spec(&scratch, &options, |spec| spec["linux"]["intelRdt"] = json!({"closID": "x"}));
    let ran = run_bundle(&scratch, &bundle(&scratch, &config)).stdout("").code(125);
    ran.complains("intelRdt");
}

#[test]
fn a_config_that_is_no_json_is_refused_with_its_place() {
    let scratch = Scratch::new();
    for config in ["", "{", "[]", "null", "{\"ociVersion\": 7}", "\u{feff}{}", "{\"ociVersion\": \"1.2.0\"}"] {
        refused(run_bundle(&scratch, &bundle(&scratch, config)), 125, "config.json", "");
    }
}

#[test]
fn a_bundle_that_is_not_there_is_refused_with_its_path() {
    let scratch = Scratch::new();
    let place = scratch.place("no-bundle");
    refused(run_bundle(&scratch, &place), 125, place.join("config.json").to_str().unwrap(), "check the path");
}

#[test]
fn a_bundle_whose_root_is_not_there_is_refused_with_its_path() {
    let scratch = Scratch::new();
    let config = json!({"ociVersion": "1.2.0", "root": {"path": "no-root"}, "process":
        {"cwd": "/", "args": ["true"], "user": {"uid": 0, "gid": 0}}});
    let place = bundle(&scratch, &config.to_string());
    refused(run_bundle(&scratch, &place), 125, place.join("no-root").to_str().unwrap(), "check the path");
}
