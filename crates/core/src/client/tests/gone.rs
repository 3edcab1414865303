//! Containers that are gone: what is still told of them, in which order, and who is answered by the ledger.

use super::rig::{Rig, exec_exited, exec_started, exit, exited, name, new_container, of_web, started};
use crate::client::{Delete, Until};
use crate::error::ErrorKind;
use crate::event::{EventKind, StateChange};
use crate::id::{Instance, ProcessId};
use crate::status::{ExitStatus, ProcessState};

#[tokio::test(start_paused = true)]
async fn what_no_event_has_told_of_a_container_that_went_the_ledger_tells_in_order() {
    let rig = Rig::running().await;
    rig.exec("e1").await.unwrap();
    rig.world.set("web", "e1", ProcessState::Exited(exit(1)));
    rig.world.set("web", "init", ProcessState::Exited(exit(2)));
    rig.world.vanish("web");
    assert_eq!(rig.client.wait(&of_web("init")).await.unwrap(), exit(2));
    let told = rig.world.changes(5).await;
    let wanted = [started(), exec_started("e1"), exec_exited("e1", 1), exited(2), StateChange::Deleted];
    assert_eq!(told, wanted);
}

#[tokio::test(start_paused = true)]
async fn an_exit_that_was_told_is_not_told_again_by_the_ledger() {
    let rig = Rig::running().await;
    rig.world.exit("web", "init", 4);
    rig.world.changes(2).await;
    rig.world.vanish("web");
    assert_eq!(rig.client.wait_until(&of_web("init"), Until::Removed).await.unwrap(), Some(exit(4)));
    assert_eq!(rig.world.changes(3).await, [started(), exited(4), StateChange::Deleted]);
}

#[tokio::test(start_paused = true)]
async fn who_asks_after_the_removal_is_answered_by_the_ledger() {
    let rig = Rig::new();
    rig.world.foreign("web", ProcessState::Exited(exit(6)));
    rig.world.vanish("web");
    for until in [Until::Exited, Until::NotRunning, Until::Removed] {
        assert_eq!(rig.client.wait_until(&of_web("init"), until).await.unwrap(), Some(exit(6)), "{until:?}");
    }
    assert_eq!(rig.client.wait(&of_web("nobody")).await.unwrap_err().kind(), ErrorKind::NotFound);
    let autopsy = rig.client.autopsy(&of_web("init")).await.unwrap();
    assert_eq!((autopsy.exit, autopsy.last_output), (exit(6), None));
}

#[tokio::test(start_paused = true)]
async fn a_container_that_goes_while_it_is_being_looked_at_is_answered_by_the_ledger() {
    let rig = Rig::new();
    rig.world.foreign("web", ProcessState::Exited(exit(7)));
    // Between the first look and the second, which is made when it is followed.
    rig.world.at("state", |world| {
        if world.calls("state").len() == 2 {
            world.vanish("web");
        }
    });
    assert_eq!(rig.client.wait(&of_web("init")).await.unwrap(), exit(7));
    assert!(rig.world.calls("state").len() >= 2);
}

#[tokio::test(start_paused = true)]
async fn the_ledger_of_an_older_container_does_not_answer_for_the_one_that_is_there() {
    let rig = Rig::new();
    rig.world.foreign("web", ProcessState::Running);
    rig.world.set("web", "e1", ProcessState::Exited(exit(1)));
    rig.world.set("web", "init", ProcessState::Exited(exit(2)));
    rig.world.vanish("web");
    rig.run("web").await;
    assert_eq!(rig.client.wait(&of_web("e1")).await.unwrap_err().kind(), ErrorKind::NotFound);
    rig.world.exit("web", "init", 8);
    assert_eq!(rig.client.wait(&of_web("init")).await.unwrap(), exit(8));
}

#[tokio::test(start_paused = true)]
async fn the_removal_is_told_to_waiters_after_the_exit_whichever_event_comes_first() {
    for swapped in [false, true] {
        let rig = Rig::running().await;
        let client = rig.client.clone();
        let waiter = tokio::spawn(async move { client.wait_until(&of_web("init"), Until::Removed).await });
        rig.world.settle().await;
        let exit_event = EventKind::Exited { process: ProcessId::init(), exit: exit(3) };
        let mut events = vec![exit_event, EventKind::Deleted];
        if swapped {
            events.reverse();
        }
        for event in events {
            rig.world.emit("web", event);
        }
        rig.world.containers.lock().unwrap().clear();
        assert_eq!(waiter.await.unwrap().unwrap(), Some(exit(3)), "swapped: {swapped}");
        assert_eq!(rig.world.told.borrow()[1..], [exited(3), StateChange::Deleted]);
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_removal_of_what_is_not_made_after_all_is_answered() {
    let rig = Rig::new();
    let gate = rig.world.hang("create");
    rig.world.fail("create", ErrorKind::Unsupported);
    let client = rig.client.clone();
    let create = tokio::spawn(async move { client.create(&name("web"), new_container()).await });
    rig.world.called("create").await;
    let client = rig.client.clone();
    let waiter = tokio::spawn(async move { client.wait_until(&of_web("init"), Until::Removed).await });
    rig.world.settle().await;
    gate.add_permits(1);
    assert!(create.await.unwrap().is_err());
    assert_eq!(waiter.await.unwrap().unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn the_removal_is_noticed_when_the_name_is_another_container_and_no_event_says_so() {
    let rig = Rig::running().await;
    rig.world.changes(1).await;
    rig.world.containers.lock().unwrap().get_mut(&name("web")).unwrap().instance = Instance::from_bits(99);
    let told = rig.client.wait_until(&of_web("init"), Until::Removed).await.unwrap();
    assert_eq!(told.map(|exit| exit.status), Some(ExitStatus::Unknown));
}

#[tokio::test(start_paused = true)]
async fn a_forced_delete_of_a_container_that_goes_when_it_ends_has_succeeded() {
    let rig = Rig::running().await;
    rig.world.at("delete", |world| world.vanish("web"));
    rig.client.delete(&name("web"), Delete::killing()).await.unwrap();
    let told = rig.world.changes(2).await;
    assert!(matches!(told[1], StateChange::Exited { .. }), "{told:?}");
}
