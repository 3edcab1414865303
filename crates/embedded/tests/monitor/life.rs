//! Create, start, exit, delete.

use std::fs;

use libcontainerd_core::rootfs::Rootfs;
use libcontainerd_core::stdio::Stdio;
use serde_json::{Value, json};

use crate::container::{eventually, recipe, shell};
use crate::scratch::Scratch;

pub(crate) fn a_container_is_made_started_and_tells_its_exit() {
    let scratch = Scratch::new();
    let container = shell("c", "exit 7").create(&scratch);
    assert!(container.created["created"]["pid"].as_u64().unwrap() > 1);
    assert_eq!(container.journal().len(), 2);
    container.start();
    let exit = container.exit("init");
    assert_eq!(
        (&exit["status"], &exit["how"], &exit["durable"]),
        (&json!({"code": 7}), &json!("waited"), &json!(true))
    );
    assert!(exit["usage"]["max_resident"].as_u64().unwrap() > 0);
    eventually(|| (container.events().len() == 3).then_some(()));
    let kinds: Vec<Value> = container.events().into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds[0], "created");
    assert!(kinds[1].get("started").is_some() && kinds[2].get("exited").is_some());
    container.delete();
}

pub(crate) fn a_death_by_signal_is_told_as_that() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    container.start();
    assert_eq!(container.signal("init", 9, "process"), "done");
    container.ends_with(json!({"signal": 9}));
    let refused = container.signal("init", 15, "process");
    assert_eq!(refused["failed"]["kind"], "wrong-state");
    container.delete();
}

pub(crate) fn a_deleted_container_leaves_nothing() {
    let scratch = Scratch::new();
    let container = shell("c", "true").create(&scratch);
    let (monitor, witness) = container.supervisors();
    container.start();
    container.ends_with(json!({"code": 0}));
    container.delete();
    assert!([monitor, witness].iter().all(|pid| !is_our_process(*pid)));
    assert_eq!(scratch.left_overs(), Vec::<String>::new());
}

fn is_our_process(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
        && fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with("lctr-monitor"))
}

pub(crate) fn a_failed_create_leaves_nothing() {
    let scratch = Scratch::new();
    let nowhere = Rootfs::Overlay(scratch.path("there-is-none"));
    let container = shell("c", "true").on(nowhere).try_create(&scratch);
    assert_eq!(container.created["failed"]["kind"], "start-failed");
    assert_eq!(container.created["failed"]["start"]["stage"], "root-fs");
    assert_eq!(container.created["failed"]["start"]["errno"], 2);
    assert!(!container.run().exists());
    eventually(|| scratch.left_overs().is_empty().then_some(()));
}

pub(crate) fn a_running_container_is_not_deleted() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    container.start();
    let refused = container.ask(&json!({ "delete": { "instance": null } }));
    assert_eq!(refused["failed"]["kind"], "wrong-state");
    let other = libcontainerd_core::Instance::from_bits(1);
    let refused = container.ask(&json!({ "delete": { "instance": other } }));
    assert_eq!(refused["failed"]["kind"], "not-found");
    assert_eq!(container.signal("init", 9, "everyone"), "done");
    container.ends_with(json!({"signal": 9}));
    container.delete();
}

pub(crate) fn a_container_that_was_never_started_can_be_deleted() {
    let scratch = Scratch::new();
    let container = shell("c", "true").create(&scratch);
    container.delete();
}

pub(crate) fn a_program_that_is_missing_is_told_by_stage_and_errno() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/there-is-none"]).try_create(&scratch);
    let start = &container.created["failed"]["start"];
    assert_eq!((&start["stage"], &start["errno"]), (&json!("resolve"), &json!(2)), "{}", container.created);
    eventually(|| scratch.left_overs().is_empty().then_some(()));
}

pub(crate) fn a_monitor_without_work_ends_and_leaves_the_record() {
    let scratch = Scratch::new();
    let container = shell("c", "exit 3").create(&scratch);
    container.start();
    container.ends_with(json!({"code": 3}));
    eventually(|| scratch.monitors().is_empty().then_some(()));
    assert!(container.connect().is_none());
    assert_eq!(container.journal().last().unwrap()["fact"], "cleaned");
    fs::remove_dir_all(container.run()).unwrap();
}

pub(crate) fn a_change_in_an_overlay_is_not_in_the_directory_below() {
    let scratch = Scratch::new();
    let overlay = Rootfs::Overlay(scratch.path("rootfs"));
    let script = "echo x >/etc/new && cat /etc/new";
    let container = shell("c", script).on(overlay).with(Stdio::output()).create(&scratch);
    container.start();
    assert_eq!(container.text("init-stdout"), "x\n");
    container.ends_with(json!({"code": 0}));
    assert!(!scratch.path("rootfs/etc/new").exists());
    container.delete();
}

pub(crate) fn want_of_memory_is_told_with_the_exit_that_it_explains() {
    let scratch = Scratch::new();
    let mut recipe = recipe("c", &["/bin/tail", "/dev/zero"]);
    recipe.resources = json!({ "memory": { "limit": 16 << 20 } });
    let container = recipe.create(&scratch);
    container.start();
    container.ends_with(json!({"signal": 9}));
    assert_eq!(container.exits("init")[0]["oom"], true);
    let facts: Vec<Value> = container.journal().into_iter().map(|entry| entry["fact"].clone()).collect();
    let told = facts.iter().position(|fact| fact == "oom").unwrap();
    assert!(facts[told + 1].get("exited").is_some());
    container.delete();
}
