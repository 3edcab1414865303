//! Order: what the backend hears of one container, whatever comes when.

use std::time::Duration;

use super::rig::{Rig, exec_exited, exec_started, exit, exited, name, of_web, started, this};
use crate::event::{Event, EventKind, StateChange};
use crate::id::{Instance, ProcessId, Run};
use crate::status::{Evidence, ExitStatus, How, ProcessState};

#[tokio::test(start_paused = true)]
async fn exit_of_exec_comes_before_exit_of_init() {
    let rig = Rig::running().await;
    rig.exec("e1").await.unwrap();
    rig.exec("e2").await.unwrap();
    rig.world.exit("web", "init", 1);
    rig.world.exit("web", "e2", 2);
    rig.world.settle().await;
    assert_eq!(rig.world.told.borrow().len(), 4, "init's exit waits for that of e1");
    rig.world.exit("web", "e1", 3);
    let told = rig.world.changes(6).await;
    assert_eq!(told[3..], [exec_exited("e2", 2), exec_exited("e1", 3), exited(1)]);
}

#[tokio::test(start_paused = true)]
async fn exit_of_init_waits_ten_seconds_for_an_exec_and_then_tells_it_as_unknown() {
    let rig = Rig::running().await;
    rig.exec("e1").await.unwrap();
    let before = tokio::time::Instant::now();
    rig.world.exit("web", "init", 0);
    let told = rig.world.changes(4).await;
    assert_eq!(before.elapsed().as_secs(), 10);
    let StateChange::ProcessExited { exit: lost, .. } = &told[2] else { panic!("{told:?}") };
    assert_eq!((lost.status, lost.how), (ExitStatus::Unknown, How::Inferred(Evidence::ContainerGone)));
    assert_eq!(told[3], exited(0));
    // The exit comes after all: it was told.
    rig.world.exit("web", "e1", 9);
    rig.world.settle().await;
    assert_eq!(rig.world.told.borrow().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_exec_whose_exit_event_was_lost_is_told_as_the_state_knows_it() {
    let rig = Rig::running().await;
    rig.exec("e1").await.unwrap();
    rig.world.set("web", "e1", ProcessState::Exited(exit(6)));
    rig.world.exit("web", "init", 0);
    assert_eq!(rig.world.changes(4).await[2..], [exec_exited("e1", 6), exited(0)]);
}

#[tokio::test(start_paused = true)]
async fn an_event_told_twice_is_told_on_once() {
    let rig = Rig::running().await;
    let paused = rig.world.emit("web", EventKind::Paused).unwrap();
    rig.world.send(paused.clone());
    rig.world.emit("web", EventKind::Resumed);
    rig.world.send(paused);
    rig.world.exit("web", "init", 0);
    let told = rig.world.changes(4).await;
    assert_eq!(told, [started(), StateChange::Paused, StateChange::Resumed, exited(0)]);
}

#[tokio::test(start_paused = true)]
async fn events_of_other_instances_unknown_containers_and_earlier_runs_are_ignored() {
    let rig = Rig::running().await;
    let own = rig.world.emit("web", EventKind::Paused).unwrap();
    let exited_so = |container: &str, instance, run, sequence| {
        let kind = EventKind::Exited { process: ProcessId::init(), exit: exit(66) };
        Event::new(name(container), instance, run, sequence, own.at, kind)
    };
    rig.world.send(exited_so("web", Instance::from_bits(1), Run(1), 900));
    rig.world.send(exited_so("stranger", own.instance, Run(1), 901));
    rig.world.send(exited_so("web", own.instance, Run(0), 902));
    rig.world.exit("web", "init", 0);
    assert_eq!(rig.world.changes(3).await, [started(), StateChange::Paused, exited(0)]);
}

#[tokio::test(start_paused = true)]
async fn an_exit_that_overtakes_its_start_is_told_after_it_and_a_late_start_not_at_all() {
    let rig = Rig::running().await;
    let event = |kind, sequence| {
        let own = rig.world.containers.lock().unwrap()[&name("web")].clone();
        Event::new(own.id, own.instance, own.run, sequence, own.created_at, kind)
    };
    let start = |process| EventKind::ExecStarted { process: this(process), pid: 200 };
    let end = |process, code| EventKind::Exited { process: this(process), exit: exit(code) };
    // Another client's exec, backwards: its start is old news by then.
    rig.world.send(event(end("e1", 1), 51));
    rig.world.send(event(start("e1"), 50));
    // The same name again, in order.
    rig.world.send(event(start("e1"), 52));
    rig.world.send(event(end("e1", 1), 53));
    let told = rig.world.changes(4).await;
    assert_eq!(told[1..], [exec_exited("e1", 1), exec_started("e1"), exec_exited("e1", 1)]);
}

#[tokio::test(start_paused = true)]
async fn containers_do_not_wait_for_each_other() {
    let rig = Rig::new();
    rig.run("slow").await;
    rig.world.changes(1).await;
    let gate = rig.world.hang("told");
    rig.world.exit("slow", "init", 1);
    rig.world.called("told slow").await;
    while rig.world.calls("told slow").len() < 2 {
        tokio::task::yield_now().await;
    }
    rig.run("fast").await;
    rig.world.exit("fast", "init", 2);
    let waited = rig.client.wait(&crate::ProcessRef::init(name("fast"))).await.unwrap();
    assert_eq!(waited, exit(2), "also a waiter does not wait for a backend that hangs");
    assert_eq!(rig.world.calls("told fast").len(), 1, "one call after the other");
    gate.add_permits(9);
    assert_eq!(rig.world.changes(4).await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_name_used_again_tells_the_end_of_the_first_before_the_start_of_the_second() {
    let rig = Rig::running().await;
    rig.world.exit("web", "init", 1);
    rig.client.delete(&name("web"), Default::default()).await.unwrap();
    rig.run("web").await;
    let told = rig.world.changes(4).await;
    assert_eq!(told, [started(), exited(1), StateChange::Deleted, started()]);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_panics_or_fails_hears_of_the_next_change() {
    let rig = Rig::running().await;
    rig.world.changes(1).await;
    rig.world.at("told", |_| panic!("a panic of the backend, as the test wants it"));
    rig.world.emit("web", EventKind::Paused);
    while rig.world.calls("told").len() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    rig.world.at("told", |_| {});
    rig.world.fail("told", crate::ErrorKind::System);
    rig.world.emit("web", EventKind::Resumed);
    while rig.world.calls("told").len() < 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    rig.world.heal("told");
    rig.world.exit("web", "init", 0);
    assert_eq!(rig.client.wait(&of_web("init")).await.unwrap(), exit(0));
    assert_eq!(rig.world.changes(2).await, [started(), exited(0)]);
}

#[tokio::test(start_paused = true)]
async fn what_a_state_knows_already_is_told_in_the_order_of_its_events() {
    let rig = Rig::running().await;
    rig.exec("e1").await.unwrap();
    rig.world.changes(2).await;
    rig.world.set("web", "e1", ProcessState::Exited(exit(1)));
    rig.world.set("web", "init", ProcessState::Exited(exit(2)));
    // The waiter's look finds the ends before the events of them and of what was before have come.
    let (init, ()) = tokio::join!(async { rig.client.wait(&of_web("init")).await.unwrap() }, async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        rig.world.emit("web", EventKind::Oom);
        rig.world.exit("web", "e1", 1);
        rig.world.exit("web", "init", 2);
    });
    assert_eq!(init, exit(2));
    assert_eq!(rig.world.changes(5).await[2..], [StateChange::Oom, exec_exited("e1", 1), exited(2)]);
}
