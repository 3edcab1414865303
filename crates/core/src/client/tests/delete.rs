//! Delete: what it refuses, what it tells first, and what it removes.

use super::rig::{Rig, World, exited, name, new_container, started};
use crate::client::Delete;
use crate::error::ErrorKind;
use crate::event::StateChange;
use crate::id::Instance;
use crate::status::ProcessState;

#[tokio::test(start_paused = true)]
async fn a_running_container_is_refused_and_left_alone() {
    let rig = Rig::running().await;
    let error = rig.client.delete(&name("web"), Delete::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::WrongState, "delete"));
    for call in ["signal", "delete", "remove", "unbundle"] {
        assert_eq!(rig.world.calls(call), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_forced_delete_kills_waits_and_tells_before_it_removes() {
    let rig = Rig::running().await;
    rig.world.changes(1).await;
    rig.world.at("delete", |world: &World| assert_eq!(world.told.borrow().len(), 2, "the exit is told before"));
    rig.client.delete(&name("web"), Delete::killing()).await.unwrap();
    let told = rig.world.changes(3).await;
    assert!(matches!(told[1..], [StateChange::Exited { .. }, StateChange::Deleted]), "{told:?}");
    let calls = rig.world.calls.lock().unwrap().clone();
    let at = |call: &str| calls.iter().rposition(|made| made == call).unwrap();
    let steps = ["signal everyone web/init SIGKILL", "claim web", "delete web", "remove web/init", "unbundle web"];
    assert!(steps.map(at).is_sorted(), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn an_exit_that_no_event_has_told_is_told_before_the_removal() {
    let rig = Rig::running().await;
    rig.world.set("web", "init", ProcessState::Exited(super::rig::exit(3)));
    rig.client.delete(&name("web"), Delete::default()).await.unwrap();
    assert_eq!(rig.world.changes(3).await, [started(), exited(3), StateChange::Deleted]);
}

#[tokio::test(start_paused = true)]
async fn another_instance_is_not_deleted() {
    let rig = Rig::running().await;
    let how = Delete::killing().only(Instance::from_bits(5));
    assert_eq!(rig.client.delete(&name("web"), how).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(rig.world.calls("signal"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn who_lost_the_race_removes_nothing_of_the_winners() {
    let rig = Rig::running().await;
    rig.world.exit("web", "init", 0);
    rig.world.settle().await;
    // Another client deletes it after it was looked at.
    rig.world.fail("delete", ErrorKind::NotFound);
    assert_eq!(rig.client.delete(&name("web"), Delete::default()).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(rig.world.calls("unbundle"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_container_started_meanwhile_is_killed_again_when_forced() {
    let rig = Rig::new();
    rig.client.create(&name("web"), new_container()).await.unwrap();
    rig.world.fail("delete", ErrorKind::WrongState);
    rig.world.at("delete", |world: &World| {
        world.set("web", "init", ProcessState::Running);
        world.heal("delete");
        world.at("delete", |_| {});
        if world.calls("delete").len() == 1 {
            world.fail("delete", ErrorKind::WrongState);
            world.at("delete", |world| world.heal("delete"));
        }
    });
    rig.client.delete(&name("web"), Delete::killing()).await.unwrap();
    assert_eq!(rig.world.calls("delete").len(), 2);
    assert_eq!(rig.world.calls("signal everyone").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_delete_has_left_is_removed_and_nothing_else_is_found() {
    let rig = Rig::new();
    rig.client.delete(&name("rest"), Delete::default()).await.unwrap();
    assert_eq!(rig.world.calls("unbundle"), ["unbundle rest"]);
    let error = rig.client.delete(&name("nothing"), Delete::killing()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(rig.world.calls("claim"), ["claim rest"]);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_was_never_started_is_deleted_without_force() {
    let rig = Rig::new();
    rig.client.create(&name("web"), new_container()).await.unwrap();
    rig.client.delete(&name("web"), Delete::default()).await.unwrap();
    assert_eq!(rig.world.changes(1).await, [StateChange::Deleted]);
    assert_eq!(rig.world.calls("unbundle"), ["unbundle web"]);
}
