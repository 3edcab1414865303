//! Wait: any number of waiters, before, while and after.

use super::rig::{Rig, exec_exited, exit, exited, name, new_container, of_web};
use crate::error::ErrorKind;
use crate::event::{EventKind, StateChange};
use crate::id::{Instance, ProcessId};
use crate::status::{ContainerState, ProcessState};

#[tokio::test(start_paused = true)]
async fn all_waiters_before_while_and_after_hear_the_same_exit() {
    let rig = Rig::new();
    rig.client.create(&name("web"), new_container()).await.unwrap();
    let spawn = || {
        let client = rig.client.clone();
        tokio::spawn(async move { client.wait(&of_web("init")).await })
    };
    let mut waits: Vec<_> = (0..100).map(|_| spawn()).collect();
    rig.world.settle().await;
    rig.client.start(&name("web")).await.unwrap();
    waits.extend((0..100).map(|_| spawn()));
    rig.world.settle().await;
    rig.world.exit("web", "init", 7);
    waits.extend((0..100).map(|_| spawn()));
    rig.world.settle().await;
    waits.push(spawn());
    for wait in waits {
        assert_eq!(wait.await.unwrap().unwrap(), exit(7));
    }
    assert_eq!(rig.world.changes(2).await[1], exited(7));
    assert_eq!(rig.world.told.borrow().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_backend_has_heard_of_an_exit_before_its_waiters() {
    let rig = Rig::running().await;
    rig.exec("e1").await.unwrap();
    rig.world.exit("web", "e1", 1);
    rig.client.wait(&of_web("e1")).await.unwrap();
    assert!(rig.world.told.borrow().contains(&exec_exited("e1", 1)));
}

#[tokio::test(start_paused = true)]
async fn an_exit_between_registration_and_question_is_not_missed() {
    let rig = Rig::running().await;
    rig.world.settle().await;
    rig.world.at("state", |world| world.exit("web", "init", 5));
    // The state says that it runs, and never answers; the event comes meanwhile.
    let _gate = rig.world.hang("state");
    assert_eq!(rig.client.wait(&of_web("init")).await.unwrap(), exit(5));
}

#[tokio::test(start_paused = true)]
async fn containers_of_others_are_waited_for_running_or_ended() {
    let rig = Rig::new();
    rig.world.foreign("web", ProcessState::Running);
    let wait = tokio::spawn({
        let client = rig.client.clone();
        async move { client.wait(&of_web("init")).await.unwrap() }
    });
    while rig.world.calls("state").len() < 3 {
        tokio::task::yield_now().await;
    }
    rig.world.exit("web", "init", 8);
    assert_eq!(wait.await.unwrap(), exit(8));
    rig.world.foreign("old", ProcessState::Exited(exit(9)));
    let old = crate::ProcessRef::init(name("old"));
    assert_eq!(rig.client.wait(&old).await.unwrap(), exit(9));
    assert_eq!(rig.world.changes(1).await, [exited(8)], "what was before the opening is not told");
}

#[tokio::test(start_paused = true)]
async fn an_exit_while_the_container_is_being_opened_is_not_missed() {
    let rig = Rig::new();
    rig.world.foreign("web", ProcessState::Running);
    // After the first state was taken, and before anybody follows: the event is for an unknown container.
    rig.world.at("state", |world| {
        if world.calls("state").len() == 1 {
            world.exit("web", "init", 4);
        }
    });
    assert_eq!(rig.client.wait(&of_web("init")).await.unwrap(), exit(4));
}

#[tokio::test(start_paused = true)]
async fn a_waiter_is_answered_when_another_client_deletes_the_container() {
    let rig = Rig::new();
    rig.client.create(&name("web"), new_container()).await.unwrap();
    let spawn = || {
        let client = rig.client.clone();
        tokio::spawn(async move { client.wait(&of_web("init")).await })
    };
    let never_ran = spawn();
    rig.world.settle().await;
    rig.world.emit("web", EventKind::Deleted);
    rig.world.containers.lock().unwrap().clear();
    assert_eq!(never_ran.await.unwrap().unwrap_err().kind(), ErrorKind::NotFound);

    rig.run("web").await;
    let ran = spawn();
    rig.world.settle().await;
    rig.world.exit("web", "init", 2);
    rig.world.emit("web", EventKind::Deleted);
    rig.world.containers.lock().unwrap().clear();
    assert_eq!(ran.await.unwrap().unwrap(), exit(2));
}

#[tokio::test(start_paused = true)]
async fn a_waiter_is_answered_when_the_end_is_told_by_nobody() {
    let rig = Rig::running().await;
    rig.world.containers.lock().unwrap().clear();
    let before = tokio::time::Instant::now();
    let exit = rig.client.wait(&of_web("init")).await.unwrap();
    assert_eq!(exit.status, crate::ExitStatus::Unknown);
    assert_eq!(before.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_another_client_used_again_is_the_new_container() {
    let rig = Rig::running().await;
    rig.world.changes(1).await;
    {
        let mut containers = rig.world.containers.lock().unwrap();
        containers.get_mut(&name("web")).unwrap().instance = Instance::from_bits(99);
    }
    let status = rig.client.open(&name("web")).await.unwrap();
    assert_eq!((status.instance, status.state), (Instance::from_bits(99), ContainerState::Running));
    rig.world.exit("web", "init", 1);
    let told = rig.world.changes(4).await;
    assert_eq!(told[2..], [StateChange::Deleted, exited(1)]);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_exist_is_not_found() {
    let rig = Rig::running().await;
    let kind = async |process| rig.client.wait(&process).await.unwrap_err().kind();
    assert_eq!(kind(of_web("nobody")).await, ErrorKind::NotFound);
    assert_eq!(kind(crate::ProcessRef::init(name("nowhere"))).await, ErrorKind::NotFound);
    assert_eq!(rig.client.open(&name("nowhere")).await.unwrap_err().kind(), ErrorKind::NotFound);
    let attached = rig.client.attach(&of_web("nobody")).await.unwrap_err();
    assert_eq!((attached.kind(), attached.process().cloned()), (ErrorKind::NotFound, Some("nobody".parse().unwrap())));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_ends_the_container_also_without_an_event() {
    let rig = Rig::new();
    rig.client.create(&name("web"), new_container()).await.unwrap();
    rig.world.fail("start", ErrorKind::StartFailed);
    rig.world.at("start", |world| world.set("web", "init", ProcessState::Exited(exit(127))));
    assert_eq!(rig.client.start(&name("web")).await.unwrap_err().kind(), ErrorKind::StartFailed);
    assert_eq!(rig.world.changes(1).await, [exited(127)]);
    assert_eq!(rig.client.wait(&of_web("init")).await.unwrap(), exit(127));
    // Its event comes late.
    rig.world.emit("web", EventKind::Exited { process: ProcessId::init(), exit: exit(127) });
    rig.world.settle().await;
    assert_eq!(rig.world.told.borrow().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_container_whose_create_fails_is_told() {
    let rig = Rig::new();
    let gate = rig.world.hang("create");
    rig.world.fail("create", ErrorKind::Unsupported);
    let spawn = |client: crate::Client| tokio::spawn(async move { client.wait(&of_web("init")).await });
    let client = rig.client.clone();
    let create = tokio::spawn(async move { client.create(&name("web"), new_container()).await });
    rig.world.called("create").await;
    let wait = spawn(rig.client.clone());
    rig.world.settle().await;
    gate.add_permits(1);
    assert_eq!(create.await.unwrap().unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(wait.await.unwrap().unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn an_exec_of_which_nobody_tells_the_end_is_unknown_in_the_end() {
    let rig = Rig::running().await;
    rig.exec("e1").await.unwrap();
    rig.world.containers.lock().unwrap().get_mut(&name("web")).unwrap().processes.pop();
    let before = tokio::time::Instant::now();
    let lost = rig.client.wait(&of_web("e1")).await.unwrap();
    assert_eq!(before.elapsed().as_secs(), 11, "one for the event, ten for the second look");
    let how = crate::How::Inferred(crate::status::Evidence::RuntimeState);
    assert_eq!((lost.status, lost.how), (crate::ExitStatus::Unknown, how));
    assert_eq!(rig.client.state(&name("web")).await.unwrap().state, ContainerState::Running);
}

#[tokio::test(start_paused = true)]
async fn the_true_exit_of_a_predecessor_is_told_when_its_events_are_late() {
    let rig = Rig::running().await;
    rig.world.changes(1).await;
    let late = rig.world.containers.lock().unwrap()[&name("web")].clone();
    rig.world.containers.lock().unwrap().get_mut(&name("web")).unwrap().instance = Instance::from_bits(99);
    let event = |sequence, kind| {
        crate::event::Event::new(late.id.clone(), late.instance, late.run, sequence, late.created_at, kind)
    };
    let (opened, ()) = tokio::join!(async { rig.client.open(&name("web")).await.unwrap() }, async {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        rig.world.send(event(50, EventKind::Exited { process: ProcessId::init(), exit: exit(5) }));
        rig.world.send(event(51, EventKind::Deleted));
    });
    assert_eq!(opened.instance, Instance::from_bits(99));
    assert_eq!(rig.world.changes(3).await[1..], [exited(5), StateChange::Deleted]);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_is_answered_when_the_name_is_another_container_and_no_event_says_so() {
    let rig = Rig::running().await;
    rig.world.containers.lock().unwrap().get_mut(&name("web")).unwrap().instance = Instance::from_bits(99);
    let lost = rig.client.wait(&of_web("init")).await.unwrap();
    assert_eq!((lost.status, lost.how), (crate::ExitStatus::Unknown, crate::How::Unknown));
}
