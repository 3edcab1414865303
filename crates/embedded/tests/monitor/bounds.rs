//! Processes with bounds: execs whose time is up, what they leave behind, and what was counted at the end.

use std::fs;
use std::io::Read;
use std::time::Duration;

use libcontainerd_core::process::{LeftOvers, NewProcess};
use libcontainerd_core::stdio::Stdio;
use serde_json::{Value, json};

use crate::container::{Container, eventually, kill, recipe, shell};
use crate::scratch::Scratch;

fn sleeper(scratch: &Scratch) -> Container<'_> {
    let container = recipe("c", &["/bin/sleep", "1000"]).create(scratch);
    container.start();
    container
}

fn end(container: Container<'_>) {
    assert_eq!(container.signal("init", 9, "process"), "done");
    container.ends_with(json!({"signal": 9}));
    container.delete();
}

/// An exec with a tree, which has its time and has said that it is there.
fn tree(container: &Container<'_>, name: &str, timeout: Duration) {
    let script = "sleep 1000 & (sleep 1000; true) & echo ready; wait";
    let mut what = NewProcess::new(["/bin/sh", "-c", script], Stdio::output());
    what.timeout = Some(timeout);
    let started = container.exec(name, what);
    assert!(started.get("started").is_some(), "{started}");
    let mut line = [0; 6];
    container.reader(&format!("{name}-stdout")).read_exact(&mut line).unwrap();
}

/// The cgroup of the exec of that number.
fn leaf(container: &Container<'_>, number: u64) -> std::path::PathBuf {
    let name = container.scratch.cgroup_name(&container.instance);
    container.scratch.cgroup(&format!("{name}/exec-{number}"))
}

fn members(container: &Container<'_>, number: u64) -> Vec<u32> {
    let list = fs::read_to_string(leaf(container, number).join("cgroup.procs")).unwrap_or_default();
    list.lines().map(|pid| pid.parse().unwrap()).collect()
}

fn timed_out(container: &Container<'_>, name: &str) {
    let exit = container.exit(name);
    assert_eq!((&exit["status"], &exit["timed_out"]), (&json!({"signal": 9}), &json!(true)), "{exit}");
    assert_eq!(container.exits(name).len(), 1);
    let facts: Vec<Value> = container.journal().into_iter().map(|entry| entry["fact"].clone()).collect();
    let at = |kind: &str| facts.iter().position(|fact| fact[kind]["process"] == name).unwrap();
    assert!(at("time-up") < at("exited"), "{facts:?}");
}

pub(crate) fn an_exec_whose_time_is_up_is_killed_with_its_tree() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    tree(&container, "e", Duration::from_millis(500));
    assert!(members(&container, 1).len() >= 3);
    timed_out(&container, "e");
    assert!(members(&container, 1).is_empty());
    eventually(|| (!leaf(&container, 1).exists()).then_some(()));
    end(container);
}

pub(crate) fn an_exec_that_ends_in_time_is_not_timed_out() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    let mut what = NewProcess::new(["/bin/sh", "-c", "exit 3"], Stdio::null());
    what.timeout = Some(Duration::from_secs(1000));
    container.exec("e", what);
    let exit = container.exit("e");
    assert_eq!((&exit["status"], &exit["timed_out"]), (&json!({"code": 3}), &json!(false)), "{exit}");
    end(container);
}

pub(crate) fn a_successor_keeps_the_time_of_an_exec() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    tree(&container, "e", Duration::from_secs(2));
    let (monitor, witness) = container.supervisors();
    kill(monitor);
    eventually(|| (container.supervisors().0 != monitor).then_some(()));
    kill(witness);
    timed_out(&container, "e");
    assert!(members(&container, 1).is_empty());
    end(container);
}

pub(crate) fn one_that_adopts_keeps_the_time_of_an_exec() {
    let scratch = Scratch::new();
    let mut container = sleeper(&scratch);
    tree(&container, "e", Duration::from_secs(1));
    container.lose_supervisors();
    assert_eq!(container.adopt(), "done");
    timed_out(&container, "e");
    assert!(members(&container, 1).is_empty());
    end(container);
}

pub(crate) fn the_time_of_an_exec_is_up_in_a_frozen_container_too() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    tree(&container, "e", Duration::from_millis(500));
    let name = scratch.cgroup_name(&container.instance);
    for leaf in ["init", "exec-1"] {
        fs::write(scratch.cgroup(&format!("{name}/{leaf}/cgroup.freeze")), "1").unwrap();
    }
    timed_out(&container, "e");
    end(container);
}

fn leaver(left_overs: LeftOvers) -> NewProcess {
    let mut what = NewProcess::new(["/bin/sh", "-c", "sleep 1000 & exit 3"], Stdio::output());
    what.left_overs = left_overs;
    what
}

pub(crate) fn left_overs_are_killed_and_counted_where_asked() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    for number in 1..=20 {
        let name = format!("e{number}");
        container.exec(&name, leaver(LeftOvers::Kill));
        let exit = container.exit(&name);
        assert_eq!((&exit["status"], &exit["left_overs"]), (&json!({"code": 3}), &json!(1)), "{exit}");
        assert!(members(&container, number).is_empty());
        assert_eq!(container.text(&format!("{name}-stdout")), "");
    }
    end(container);
}

pub(crate) fn left_overs_go_on_and_are_counted() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    container.exec("e", leaver(LeftOvers::Leave));
    let exit = container.exit("e");
    assert_eq!((&exit["status"], &exit["left_overs"]), (&json!({"code": 3}), &json!(1)), "{exit}");
    let left = members(&container, 1);
    assert_eq!(left.len(), 1);
    let (monitor, _) = container.supervisors();
    kill(monitor);
    eventually(|| (container.supervisors().0 != monitor).then_some(()));
    assert_eq!(members(&container, 1), left);
    kill(left[0]);
    eventually(|| members(&container, 1).is_empty().then_some(()));
    // Its cgroup is taken away when somebody looks next.
    container.exec("f", NewProcess::new(["/bin/true"], Stdio::null()));
    eventually(|| (!leaf(&container, 1).exists()).then_some(()));
    end(container);
}

pub(crate) fn a_monitor_killed_as_left_overs_are_killed_costs_nothing() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    for round in 0..20 {
        let name = format!("e{round}");
        let (monitor, _) = container.supervisors();
        container.exec(&name, leaver(LeftOvers::Kill));
        std::thread::sleep(Duration::from_micros(150 * round));
        kill(monitor);
        let exit = container.exit(&name);
        assert_eq!(exit["status"], json!({"code": 3}), "{exit}");
        eventually(|| members(&container, round + 1).is_empty().then_some(()));
        eventually(|| (container.supervisors().0 != monitor).then_some(()));
    }
    end(container);
}

pub(crate) fn an_exec_in_a_paused_container_is_refused() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    let (monitor, _) = container.supervisors();
    container.write_down("paused");
    kill(monitor);
    eventually(|| (container.supervisors().0 != monitor).then_some(()));
    let refused = container.exec("e", NewProcess::new(["/bin/true"], Stdio::null()));
    assert_eq!(refused["failed"]["kind"], "wrong-state", "{refused}");
    end(container);
}

pub(crate) fn what_was_counted_is_in_the_exit_of_init() {
    let scratch = Scratch::new();
    let mut busy = shell("c", "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done");
    busy.resources = json!({ "memory": { "limit": 67108864 }, "cpu": { "quota": 10000, "period": 100000 } });
    let container = busy.create(&scratch);
    container.start();
    container.ends_with(json!({"code": 0}));
    let counters = container.exits("init")[0]["counters"].clone();
    assert_eq!(counters["oom_kills"], 0, "{counters}");
    for counter in ["memory_peak", "periods", "throttled_periods"] {
        assert!(counters[counter].as_u64().is_some_and(|count| count > 0), "{counter}: {counters}");
    }
    let throttled = &counters["throttled"];
    assert!(throttled["secs"].as_u64().unwrap() + throttled["nanos"].as_u64().unwrap() > 0, "{counters}");
    container.delete();
}
