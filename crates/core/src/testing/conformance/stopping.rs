//! Stopping and killing: first asked, then made to, and nobody left.

use std::time::Duration;

use tokio::time::Instant;

use super::reading::{line, until_line};
use super::scene::{Scene, code, killed_by};
use super::suite;
use crate::client::Stop;
use crate::error::ErrorKind;
use crate::signal::Signal;
use crate::stdio::Stdio;

const GRACE: Duration = Duration::from_millis(300);

suite!(Nothing:
    a_program_that_ends_when_asked_ends_in_its_own_way,
    a_program_that_ignores_the_request_is_killed_after_the_grace,
    a_stopped_container_is_stopped_already_and_says_how,
    everyone_is_killed_execs_and_their_children_too,
    a_kill_can_be_sent_twice,
    a_created_container_can_be_stopped,
    two_that_stop_at_once_see_the_same_end,
    a_stop_that_is_given_up_kills_nobody_any_more,
);

fn after(grace: Duration) -> Stop {
    Stop::new(Signal::TERM, grace)
}

async fn a_program_that_ends_when_asked_ends_in_its_own_way(scene: Scene) {
    let mut container = scene.running("c", &["on-term", "goodbye", "5"], Stdio::output()).await;
    until_line(container.stdout(), "ready").await;
    let exit = scene.client.stop(&container.id, after(Duration::from_secs(60))).await.unwrap();
    assert_eq!(exit.status, code(5));
    assert_eq!(line(container.stdout()).await, "goodbye");
}

async fn a_program_that_ignores_the_request_is_killed_after_the_grace(scene: Scene) {
    let mut container = scene.running("c", &["ignore-term"], Stdio::output()).await;
    until_line(container.stdout(), "ready").await;
    let asked = Instant::now();
    let exit = scene.client.stop(&container.id, after(GRACE)).await.unwrap();
    assert_eq!(exit.status, killed_by(Signal::KILL));
    assert!(asked.elapsed() >= GRACE, "killed after {:?}", asked.elapsed());
}

async fn a_stopped_container_is_stopped_already_and_says_how(scene: Scene) {
    let container = scene.running("c", &["exit", "6"], Stdio::null()).await;
    let exit = container.exit().await;
    assert_eq!(scene.client.stop(&container.id, Stop::default()).await.unwrap(), exit);
}

async fn everyone_is_killed_execs_and_their_children_too(scene: Scene) {
    let container = scene.running("c", &["ignore-term"], Stdio::null()).await;
    let leaver = scene.exec(&container, "leaver", &["spawn-leftover"], Stdio::null()).await;
    leaver.exit().await;
    let exec = scene.exec(&container, "e", &["ignore-term"], Stdio::null()).await;
    scene.client.signal_all(&container.id, Signal::KILL).await.unwrap();
    assert_eq!(exec.status().await, killed_by(Signal::KILL));
    assert_eq!(container.status().await, killed_by(Signal::KILL));
    assert!(scene.client.pids(&container.id).await.unwrap().is_empty());
}

async fn a_kill_can_be_sent_twice(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    container.signal(Signal::KILL).await;
    if let Err(second) = scene.client.signal(&container.id, Signal::KILL).await {
        assert_eq!(second.kind(), ErrorKind::WrongState, "{second}");
    }
    assert_eq!(container.status().await, killed_by(Signal::KILL));
}

async fn a_created_container_can_be_stopped(scene: Scene) {
    let container = scene.created("c", &["exit", "0"], Stdio::null()).await;
    let exit = scene.client.stop(&container.id, after(GRACE)).await.unwrap();
    assert!(!exit.status.success(), "a program that never ran has not succeeded: {exit:?}");
}

async fn two_that_stop_at_once_see_the_same_end(scene: Scene) {
    let container = scene.running("c", &["ignore-term"], Stdio::null()).await;
    let other = scene.another();
    let (one, two) =
        tokio::join!(scene.client.stop(&container.id, after(GRACE)), other.client.stop(&container.id, after(GRACE)));
    assert_eq!(one.unwrap(), two.unwrap());
}

async fn a_stop_that_is_given_up_kills_nobody_any_more(scene: Scene) {
    let mut container = scene.running("c", &["ignore-term"], Stdio::output()).await;
    until_line(container.stdout(), "ready").await;
    let impatient = tokio::time::timeout(GRACE / 10, scene.client.stop(&container.id, after(GRACE))).await;
    assert!(impatient.is_err(), "it was given up before the grace was over");
    let longer = tokio::time::timeout(GRACE * 2, container.exit()).await;
    assert!(longer.is_err(), "nobody kills it any more");
    let exit = scene.client.stop(&container.id, after(Duration::ZERO)).await.unwrap();
    assert_eq!(exit.status, killed_by(Signal::KILL), "another stop finds it as before");
}
