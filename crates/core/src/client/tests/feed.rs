//! Feed: breaks, gaps and what was missed meanwhile.

use super::rig::{Rig, exec_exited, exit, exited, name, of_web, started};
use crate::error::{Error, ErrorKind};
use crate::event::StateChange;
use crate::id::ProcessRef;
use crate::status::{ExitStatus, How, ProcessState};

fn broken(kind: ErrorKind) -> Error {
    Error::new(kind, "as the test wants it")
}

#[tokio::test(start_paused = true)]
async fn a_broken_subscription_is_opened_again_from_the_cursor_with_growing_waits() {
    let rig = Rig::running().await;
    rig.world.settle().await;
    rig.world.fail("events", ErrorKind::Unavailable);
    let before = tokio::time::Instant::now();
    rig.world.cut(Err(broken(ErrorKind::Unavailable)));
    while rig.world.calls("events").len() < 5 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    // 100, 200, 400 and 800 ms.
    let waited = before.elapsed().as_millis();
    assert!((1500..1600).contains(&waited), "{waited}");
    let cursor = rig.world.calls("events").pop().unwrap();
    assert!(cursor.contains("Cursor(Cursor(\"2\"))"), "{cursor}");
    rig.world.heal("events");
    rig.world.set("web", "init", ProcessState::Exited(exit(3)));
    assert_eq!(rig.world.changes(2).await, [started(), exited(3)], "what was missed is looked up");
}

#[tokio::test(start_paused = true)]
async fn after_a_gap_every_container_is_looked_at_and_no_waiter_is_left() {
    let rig = Rig::running().await;
    rig.exec("e1").await.unwrap();
    rig.run("other").await;
    let waits = [of_web("init"), of_web("e1"), ProcessRef::init(name("other"))].map(|process| {
        let client = rig.client.clone();
        tokio::spawn(async move { client.wait(&process).await.unwrap() })
    });
    rig.world.settle().await;
    rig.world.set("web", "e1", ProcessState::Exited(exit(1)));
    rig.world.set("web", "init", ProcessState::Exited(exit(2)));
    rig.world.set("other", "init", ProcessState::Exited(exit(3)));
    rig.world.cut(Err(broken(ErrorKind::Gap)));
    let mut exits = Vec::new();
    for wait in waits {
        exits.push(wait.await.unwrap());
    }
    assert_eq!(exits, [exit(2), exit(1), exit(3)]);
    assert_eq!(rig.world.calls("events").pop().unwrap(), "events Now", "a position before a gap is worthless");
    let told = rig.world.changes(6).await;
    let at = |change: &StateChange| told.iter().position(|told| told == change).unwrap();
    assert!(at(&exec_exited("e1", 1)) < at(&exited(2)));
}

#[tokio::test(start_paused = true)]
async fn an_exit_read_from_a_state_is_not_told_again_when_its_event_comes() {
    let rig = Rig::running().await;
    rig.exec("e1").await.unwrap();
    rig.world.settle().await;
    rig.world.set("web", "e1", ProcessState::Exited(exit(4)));
    rig.world.cut(Ok(None));
    rig.world.changes(3).await;
    rig.exec("e1").await.unwrap();
    rig.world.changes(4).await;
    rig.world.settle().await;
    rig.world.exit("web", "e1", 5);
    rig.world.exit("web", "init", 0);
    let told = rig.world.changes(6).await;
    assert_eq!(told[2], exec_exited("e1", 4));
    assert_eq!(told[4..], [exec_exited("e1", 5), exited(0)]);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_vanished_in_a_gap_is_told_as_unknown_and_deleted() {
    let rig = Rig::running().await;
    rig.exec("e1").await.unwrap();
    rig.world.changes(2).await;
    let wait = tokio::spawn({
        let client = rig.client.clone();
        async move { client.wait(&of_web("e1")).await.unwrap() }
    });
    rig.world.settle().await;
    rig.world.containers.lock().unwrap().clear();
    rig.world.cut(Err(broken(ErrorKind::Gap)));
    let told = rig.world.changes(5).await;
    assert_eq!(wait.await.unwrap().status, ExitStatus::Unknown);
    let StateChange::Exited { exit } = &told[3] else { panic!("{told:?}") };
    assert_eq!((exit.status, exit.how), (ExitStatus::Unknown, How::Unknown));
    assert_eq!(told[4], StateChange::Deleted);
}

#[tokio::test(start_paused = true)]
async fn one_subscription_serves_all_operations_and_ends_with_the_client() {
    let rig = Rig::running().await;
    rig.run("other").await;
    rig.client.clone().open(&name("web")).await.unwrap();
    assert_eq!(rig.world.calls("events"), ["events Now"]);
    let Rig { client, world } = rig;
    drop(client);
    world.settle().await;
    world.cut(Ok(None));
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(world.calls("events"), ["events Now"], "nobody subscribes again for a client that is gone");
}

#[tokio::test(start_paused = true)]
async fn waits_begin_anew_after_events_were_heard() {
    let rig = Rig::running().await;
    for _ in 0..3 {
        rig.world.settle().await;
        let (before, calls) = (tokio::time::Instant::now(), rig.world.calls("events").len());
        rig.world.cut(Ok(None));
        while rig.world.calls("events").len() == calls {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        assert!((100..110).contains(&before.elapsed().as_millis()));
        rig.world.emit("web", crate::event::EventKind::Oom);
    }
}
