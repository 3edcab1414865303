//! Limits, kill, freeze and removal, as the host sees them.

use std::time::{Duration, Instant};

use libcontainerd_engine::{Cgroup, Error};
use oci_spec::runtime::LinuxResources;
use serde_json::json;

use crate::fixture::{Scratch, spec};

fn resources(json: serde_json::Value) -> LinuxResources {
    serde_json::from_value(json).unwrap()
}

#[test]
fn limits_are_what_the_spec_says_and_gone_with_the_cgroup() {
    let scratch = Scratch::new();
    let mut spec = spec(&[
        "sh",
        "-c",
        "cd /sys/fs/cgroup; cat pids/pids.max memory/memory.limit_in_bytes cpu/cpu.shares cpu/cpu.cfs_quota_us cpuset/cpuset.cpus",
    ]);
    spec["linux"]["resources"] = json!({"pids": {"limit": 33}, "memory": {"limit": 67108864},
        "cpu": {"shares": 512, "quota": 50000, "period": 100000, "cpus": "0"}});
    if scratch.host_has_v1("memory") {
        assert_eq!(scratch.run(spec).stdout, "33\n67108864\n512\n50000\n0\n");
    }
}

#[test]
fn a_limit_without_a_controller_is_refused_by_name_and_leaves_nothing() {
    let scratch = Scratch::new();
    let place = scratch.place();
    let asked =
        resources(json!({"unified": {"memory.high": "1"}, "hugepageLimits": [{"pageSize": "3MB", "limit": 1}]}));
    let refused = Cgroup::create(&scratch.host, &place, Some(&asked));
    assert!(matches!(refused, Err(Error::Unsupported { .. })), "{refused:?}");
    assert!(Cgroup::open(&scratch.host, &place).unwrap().is_none());
}

#[test]
fn a_cgroup_that_exists_is_not_taken_over() {
    let scratch = Scratch::new();
    let place = scratch.place();
    let first = Cgroup::create(&scratch.host, &place, None).unwrap();
    let second = Cgroup::create(&scratch.host, &place, None);
    assert!(matches!(second, Err(Error::Cgroup { .. })));
    assert!(Cgroup::open(&scratch.host, &place).unwrap().is_some(), "the first one is gone");
    first.remove().unwrap();
    assert!(Cgroup::open(&scratch.host, &place).unwrap().is_none());
    first.remove().unwrap();
}

#[test]
fn c52_a_fork_bomb_dies_within_a_second() {
    let scratch = Scratch::new();
    // Most of the room is taken at once; what is left is forked into by all that survive a failure.
    let script =
        "i=0; while test $i -lt 50; do sleep 1000 & i=$((i + 1)); done; b() { while :; do (b) 2>/dev/null & done; }; b";
    let script = format!("({script}) & exec sleep 1000");
    let mut spec = spec(&["sh", "-c", &script]);
    spec["linux"]["resources"] = json!({"pids": {"limit": 64}});
    let running = scratch.start(spec);
    let full = Instant::now() + Duration::from_secs(20);
    while running.cgroup.pids().unwrap().len() < 48 {
        assert!(Instant::now() < full, "the bomb did not go off");
        std::thread::yield_now();
    }
    assert!(running.cgroup.pids().unwrap().len() <= 64);
    let begin = Instant::now();
    running.stop();
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
}

#[test]
fn a_frozen_container_stands_still_until_it_is_thawed_or_killed() {
    let scratch = Scratch::new();
    let running = scratch.start(spec(&["sh", "-c", "while :; do :; done"]));
    let ticks = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", running.init.pid)).unwrap();
        stat.split(' ').nth(13).unwrap().parse::<u64>().unwrap()
    };
    let moves = |from: u64| {
        let bound = Instant::now() + Duration::from_millis(200);
        while Instant::now() < bound {
            if ticks() > from + 1 {
                return true;
            }
        }
        false
    };
    running.cgroup.freeze().unwrap();
    assert!(!moves(ticks()));
    running.cgroup.thaw().unwrap();
    assert!(moves(ticks()));
    running.cgroup.freeze().unwrap();
    running.stop();
}

#[test]
fn an_exec_has_a_leaf_of_its_own_that_is_killed_alone() {
    let scratch = Scratch::new();
    let running = scratch.start(spec(&["sleep", "1000"]));
    let leaf = running.cgroup.leaf("exec-x").unwrap();
    let child = running.spawn_in(&scratch, &leaf, &["sh", "-c", "sleep 1000 & sleep 1000"]);
    let filled = Instant::now() + Duration::from_secs(5);
    while running.cgroup.leaf_pids("exec-x").unwrap().len() < 2 {
        assert!(Instant::now() < filled);
        std::thread::yield_now();
    }
    running.cgroup.kill_leaf("exec-x").unwrap();
    assert_eq!(crate::fixture::wait(&child), 128 + 9);
    running.cgroup.remove_leaf("exec-x").unwrap();
    assert_eq!(running.cgroup.pids().unwrap(), [running.init.pid]);
    assert!(running.cgroup.is_populated().unwrap());
    running.stop();
}

#[test]
fn a_cgroup_with_processes_is_not_removed() {
    let scratch = Scratch::new();
    let running = scratch.start(spec(&["sleep", "1000"]));
    let busy = running.cgroup.remove_leaf("init");
    assert!(matches!(busy, Err(Error::CgroupBusy { .. })), "{busy:?}");
    running.stop();
}

#[test]
fn processes_that_died_of_too_much_memory_are_counted() {
    let scratch = Scratch::new();
    let mut spec = spec(&["sh", "-c", "sh -c 'x=$(dd if=/dev/zero bs=1M count=200 | tr \"\\0\" x)'; sleep 1000"]);
    spec["linux"]["resources"] = json!({"memory": {"limit": 16777216}});
    let running = scratch.start(spec);
    let bound = Instant::now() + Duration::from_secs(20);
    while running.cgroup.oom_kills().unwrap() == 0 {
        assert!(Instant::now() < bound);
        std::thread::yield_now();
    }
    running.stop();
}
