//! The place of monitors, which a process enters by itself: tried in a process of its own.

use std::process::Command;

use libcontainerd_engine::{Cgroup, CgroupPlace, Host, adopt_monitor_place, remove_parent};

use crate::fixture::{Scratch, spec};

const PARENT: &str = "ENGINE_TEST_PARENT";

#[test]
fn a_monitor_leaves_its_callers_cgroups_and_outlives_a_containers_removal() {
    let scratch = Scratch::new();
    let place = scratch.place();
    let cgroup = Cgroup::create(&scratch.host, &place, None).unwrap();
    let output = Command::new("/proc/self/exe")
        .args(["--ignored", "--exact", "--nocapture", "monitors::adopts_and_removes_its_containers_cgroup"])
        .env(PARENT, &place.parent)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let paths: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("in ")).collect();
    assert_eq!(paths.len(), scratch.host_hierarchies());
    let places = [place.parent.clone(), format!("{}/monitors", place.parent)];
    assert!(paths.iter().all(|path| places.iter().any(|place| path == place)), "{paths:?}");
    cgroup.remove().unwrap();
    assert_eq!(scratch.run(spec(&["true"])).code, 0);
}

/// The process that the test above starts; by itself it does nothing.
#[test]
#[ignore = "it moves the whole test process; the test above runs it"]
fn adopts_and_removes_its_containers_cgroup() {
    let Ok(parent) = std::env::var(PARENT) else { return };
    let host = Host::probe().unwrap();
    let place = CgroupPlace { parent, name: "c0".into() };
    assert!(adopt_monitor_place(&host, &place).unwrap());
    for line in std::fs::read_to_string("/proc/thread-self/cgroup").unwrap().lines() {
        println!("in {}", line.splitn(3, ':').last().unwrap());
    }
    Cgroup::open(&host, &place).unwrap().unwrap().remove().unwrap();
    assert!(!remove_parent(&host, &place.parent).unwrap(), "a monitor's own place was removed");
}
