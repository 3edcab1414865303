//! The client is killed: its containers go on, and the next client misses nothing.

use std::sync::Arc;

use libcontainerd::core::event::EventKind;
use libcontainerd::{ContainerState, ExitStatus, ProcessId, ProcessRef};

use crate::life::{FITS, LARGE, Life};
use crate::pair::Pair;
use crate::process::Lctr;
use crate::scene::{Scene, id, init, trials};
use crate::successor::{Known, carry_on, exit_of, judge, removed, rest_of, to_its_end};

trials!(
    killed_when_the_container_is_made_it_leaves_one_to_start,
    killed_when_the_container_starts_it_leaves_it_running,
    killed_between_two_halves_of_output_it_loses_no_byte,
    killed_while_output_flows_it_loses_no_byte,
    killed_when_the_container_has_ended_it_leaves_the_exit,
    killed_while_it_deletes_it_leaves_what_can_be_deleted,
    an_exit_while_nobody_looked_is_known_to_the_next,
    output_that_nobody_reads_waits_for_the_next_reader,
    killed_readers_of_twenty_execs_lose_nothing,
    killed_while_it_waits_it_leaves_the_monitors_alone,
);

async fn killed_when_the_container_is_made_it_leaves_one_to_start(scene: Arc<Scene>) {
    killed_upon(scene, &["run"], |kind| matches!(kind, EventKind::Created)).await;
}

async fn killed_when_the_container_starts_it_leaves_it_running(scene: Arc<Scene>) {
    killed_upon(scene, &["run"], |kind| matches!(kind, EventKind::Started { .. })).await;
}

async fn killed_when_the_container_has_ended_it_leaves_the_exit(scene: Arc<Scene>) {
    killed_upon(scene, &["run"], |kind| matches!(kind, EventKind::Exited { .. })).await;
}

async fn killed_while_it_deletes_it_leaves_what_can_be_deleted(scene: Arc<Scene>) {
    let deleted = |kind: &EventKind| matches!(kind, EventKind::Deleted);
    for name in ["one", "two", "three", "four", "five"] {
        let life = scene.life(name, 3, FITS);
        let lctr = scene.lctr(name, scene.describe(&["run", "--rm"], &life));
        scene.account().until(name, deleted).await;
        lctr.kill().await;
        scene.remove(name).await;
        assert_eq!(scene.left_over(), Vec::<String>::new());
        let exits = scene.account().exits(name, &ProcessId::init());
        assert_eq!(exits.len(), 1, "{exits:?}");
    }
}

/// Kills clients upon an event of their containers, and carries on.
async fn killed_upon(scene: Arc<Scene>, verb: &[&str], moment: fn(&EventKind) -> bool) {
    for (name, bytes) in [("one", FITS), ("two", LARGE), ("three", 0)] {
        let mut life = scene.life(name, 7, bytes);
        let lctr = scene.lctr(name, scene.describe(verb, &life));
        scene.account().until(name, moment).await;
        let before = lctr.kill().await;
        assert!(carry_on(&scene, &mut life, before, Known::Waited).await, "the container is still there");
    }
}

async fn killed_between_two_halves_of_output_it_loses_no_byte(scene: Arc<Scene>) {
    let mut life = scene.life("c", 9, FITS).halting();
    let lctr = scene.run(&life);
    life.says("half").await;
    let before = lctr.kill().await;
    let next = scene.client();
    assert_eq!(next.client().open(&id("c")).await.unwrap().state, ContainerState::Running);
    assert!(carry_on(&scene, &mut life, before, Known::Waited).await);
}

async fn killed_while_output_flows_it_loses_no_byte(scene: Arc<Scene>) {
    let mut life = scene.life("c", 0, 4 * LARGE);
    let mut before = Vec::new();
    let mut reader = scene.run(&life);
    scene.account().until("c", |kind| matches!(kind, EventKind::Started { .. })).await;
    for round in 0..8_u64 {
        tokio::time::sleep(std::time::Duration::from_millis(round)).await;
        before.extend(reader.kill().await);
        reader = scene.lctr("c", ["attach", "c"].map(str::to_owned).into());
    }
    before.extend(reader.kill().await);
    assert!(carry_on(&scene, &mut life, before, Known::Waited).await);
}

async fn an_exit_while_nobody_looked_is_known_to_the_next(scene: Arc<Scene>) {
    let mut life = scene.life("c", 200, FITS).halting();
    let lctr = scene.run(&life);
    life.says("half").await;
    let before = lctr.kill().await;
    life.go_to_its_end().await;
    scene.account().until("c", |kind| matches!(kind, EventKind::Exited { .. })).await;
    let next = scene.client();
    assert_eq!(next.client().state(&id("c")).await.unwrap().state, ContainerState::Stopped);
    let (after, exit) = rest_of(&next, &mut life).await;
    judge(&life, &[before, after].concat(), &exit, Known::Waited);
    removed(&next, "c").await;
}

async fn output_that_nobody_reads_waits_for_the_next_reader(scene: Arc<Scene>) {
    for (name, bytes) in [("small", FITS), ("large", LARGE)] {
        let mut life = scene.life(name, 5, bytes);
        scene.run_detached(&life).await;
        assert!(carry_on(&scene, &mut life, Vec::new(), Known::Waited).await);
    }
}

async fn killed_readers_of_twenty_execs_lose_nothing(scene: Arc<Scene>) {
    let mut around = scene.life("c", 0, 0).halting();
    scene.run_detached(&around).await;
    around.says("half").await;
    let mut lives: Vec<Life> = (1..=20).map(|code| scene.life(&format!("exec{code}"), code, FITS).halting()).collect();
    let readers: Vec<Lctr> = lives.iter().map(|life| scene.exec("c", life)).collect();
    for life in &mut lives {
        life.says("half").await;
    }
    let mut before = Vec::new();
    for reader in readers {
        before.push(reader.kill().await);
    }
    let next = scene.client();
    for (mut life, before) in lives.into_iter().zip(before) {
        let process = ProcessRef::new(id("c"), life.name().parse().unwrap());
        let mut child = next.attach(&process).await.unwrap();
        life.go_to_its_end().await;
        let (after, exit) = to_its_end(&mut child).await;
        judge(&life, &[before, after].concat(), &exit, Known::Waited);
    }
    around.go_to_its_end().await;
    assert_eq!(exit_of(&next, "c", &ProcessId::init()).await.status.shell_code(), 0);
    removed(&next, "c").await;
}

async fn killed_while_it_waits_it_leaves_the_monitors_alone(scene: Arc<Scene>) {
    let mut life = scene.life("c", 0, FITS).halting();
    let lctr = scene.run(&life);
    life.says("half").await;
    let pair = Pair::of(&scene, "c").await;
    let waiting = scene.lctr("c.wait", ["wait", "c"].map(str::to_owned).into());
    let second = scene.lctr("c.second", ["attach", "c"].map(str::to_owned).into()).end().await;
    assert_eq!(second.code, Some(125), "one reads already: {second:?}");
    waiting.kill().await;
    let before = lctr.kill().await;
    assert_eq!(Pair::of(&scene, "c").await, pair);
    assert!(carry_on(&scene, &mut life, before, Known::Waited).await);
    // It was removed, and its exit stays known.
    let gone = scene.client().client().wait(&init("c")).await.unwrap();
    assert_eq!(gone.status, ExitStatus::Code(0), "{gone:?}");
}
