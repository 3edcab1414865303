//! Many execs in one container: what they leave, and what supervising them costs for good.

use std::fs;
use std::sync::Arc;

use libcontainerd::core::process::{LeftOvers, NewProcess};
use libcontainerd::core::stdio::Stdio;
use libcontainerd::{Container, Exit, ExitStatus, ProcessRef};
use libcontainerd_tests::fault;

use crate::scene::{AT_ONCE, SIDE_BY_SIDE, Scene, remove, side_by_side, times, trials};

trials!(
    left_overs_of_a_thousand_execs_are_killed_where_that_was_asked,
    left_overs_of_a_thousand_execs_are_counted_and_go_on,
    a_storm_of_execs_costs_nothing_for_good,
);

async fn idle(scene: &Scene) -> Container {
    scene.script("c", "while :; do sleep 1000; done", Stdio::null()).spawn().await.unwrap()
}

/// Runs a script by an exec to its end, which must come at once.
async fn exec(scene: &Scene, name: &str, script: &str, left_overs: LeftOvers) -> Exit {
    let client = scene.supervisor().client();
    let process = ProcessRef::new("c".parse().unwrap(), name.parse().unwrap());
    let mut new = NewProcess::new(["/bin/sh", "-c", script], Stdio::null());
    new.left_overs = left_overs;
    client.add_process(&process.container, &process.process, new).await.unwrap();
    let exit = tokio::time::timeout(AT_ONCE, client.wait(&process)).await;
    exit.unwrap_or_else(|_| panic!("{name} does not end")).unwrap()
}

const LEAVES: &str = "sleep 86400 & exit 3";

async fn left_overs_of_a_thousand_execs_are_killed_where_that_was_asked(scene: Arc<Scene>) {
    let container = idle(&scene).await;
    let before = scene.supervisor().client().pids(container.id()).await.unwrap();
    side_by_side(times(1000), SIDE_BY_SIDE, |turn| {
        let scene = Arc::clone(&scene);
        async move {
            let exit = exec(&scene, &format!("e{turn}"), LEAVES, LeftOvers::Kill).await;
            assert_eq!((exit.status, exit.left_overs), (ExitStatus::Code(3), Some(1)), "{exit:?}");
        }
    })
    .await;
    assert_eq!(scene.supervisor().client().pids(container.id()).await.unwrap(), before, "nobody is left");
    remove(&scene, container.id()).await;
}

async fn left_overs_of_a_thousand_execs_are_counted_and_go_on(scene: Arc<Scene>) {
    const ROUND: usize = 50;
    let container = idle(&scene).await;
    let before = scene.supervisor().client().pids(container.id()).await.unwrap();
    for round in 0..times(1000) / ROUND {
        side_by_side(ROUND, SIDE_BY_SIDE, |turn| {
            let scene = Arc::clone(&scene);
            async move {
                let exit = exec(&scene, &format!("e{round}-{turn}"), LEAVES, LeftOvers::Leave).await;
                assert_eq!((exit.status, exit.left_overs), (ExitStatus::Code(3), Some(1)), "{exit:?}");
            }
        })
        .await;
        let mut pids = scene.supervisor().client().pids(container.id()).await.unwrap();
        pids.retain(|pid| !before.contains(pid));
        assert_eq!(pids.len(), ROUND, "each has left one that runs");
        pids.into_iter().for_each(fault::kill);
    }
    remove(&scene, container.id()).await;
}

/// What a process has of everything that may leak.
#[derive(Debug, Clone, Copy)]
struct Cost {
    descriptors: usize,
    tasks: usize,
    /// In KiB, private and written to.
    memory: u64,
}

impl Cost {
    fn of(pid: u32) -> Cost {
        let count = |what: &str| fs::read_dir(format!("/proc/{pid}/{what}")).unwrap().count();
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
        let dirty = rollup.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
        let memory = dirty.trim().trim_end_matches(" kB").trim().parse().unwrap();
        Cost { descriptors: count("fd"), tasks: count("task"), memory }
    }
}

impl Cost {
    /// Whether there is more of something than of what is just on its way out.
    fn is_more_than(self, before: Cost) -> bool {
        // Sockets of connections that are closing, threads that tokio has not let go of yet; and in memory less than
        // anything that is kept for each exec.
        self.descriptors > before.descriptors + 8 || self.tasks > before.tasks + 64 || self.memory > before.memory + 512
    }
}

async fn storm(scene: &Arc<Scene>, round: &str, count: usize) {
    side_by_side(count, 64, |turn| {
        let (scene, name) = (Arc::clone(scene), format!("{round}{turn}"));
        async move {
            let exit = exec(&scene, &name, "exit 7", LeftOvers::Leave).await;
            assert_eq!(exit.status, ExitStatus::Code(7), "{exit:?}");
        }
    })
    .await;
}

async fn a_storm_of_execs_costs_nothing_for_good(scene: Arc<Scene>) {
    let container = idle(&scene).await;
    storm(&scene, "warm", 200).await;
    let processes = || {
        let mut pids = fault::supervisors(&scene.state(), "c");
        pids.push(std::process::id());
        pids
    };
    let costs = || -> Vec<(u32, Cost)> { processes().into_iter().map(|pid| (pid, Cost::of(pid))).collect() };
    // An allocator's mood does not come three times in a row; a leak does.
    let mut grown = Vec::new();
    for round in ["one", "two", "three"] {
        let before = costs();
        storm(&scene, round, times(1000)).await;
        grown = before.into_iter().zip(costs()).filter(|(before, after)| after.1.is_more_than(before.1)).collect();
        if grown.is_empty() {
            break;
        }
    }
    assert!(grown.is_empty(), "before and after, by pid: {grown:#?}");
    remove(&scene, container.id()).await;
}
