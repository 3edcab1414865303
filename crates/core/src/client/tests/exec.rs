//! Exec: nothing lost when events are early, nothing left when it fails.

use std::time::Duration;

use super::rig::{Rig, exec_exited, exec_started, exit, name, of_web, started, this};
use crate::error::ErrorKind;
use crate::event::EventKind;
use crate::process::{LeftOvers, NewProcess};
use crate::stdio::{Place, Stdio};

#[tokio::test(start_paused = true)]
async fn an_exit_that_comes_before_the_answer_is_not_lost() {
    let rig = Rig::running().await;
    rig.world.at("exec", |world| world.exit("web", "e1", 7));
    let gate = rig.world.hang("exec");
    let exec = rig.exec("e1");
    let (answer, waited) = tokio::join!(exec, async {
        rig.world.changes(3).await;
        gate.add_permits(1);
        rig.client.wait(&of_web("e1")).await.unwrap()
    });
    answer.unwrap();
    assert_eq!(waited, exit(7));
    assert_eq!(rig.world.changes(3).await, [started(), exec_started("e1"), exec_exited("e1", 7)]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_exec_leaves_no_streams_no_name_and_no_waiter() {
    for step in ["prepare", "open", "attach", "exec"] {
        let rig = Rig::new();
        rig.run("web").await;
        rig.world.changes(1).await;
        // A runtime that fails says nothing of the process.
        rig.world.at("exec", |_| {});
        rig.world.fail(step, ErrorKind::ResourceExhausted);
        let silent = step != "exec";
        let error = rig.exec("e1").await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::ResourceExhausted, "exec"));
        assert_eq!(error.process(), Some(&this("e1")));
        let removed = rig.world.calls("remove web/e1").len();
        assert_eq!(removed, usize::from(step != "prepare"), "after a failed {step}");
        if silent {
            let waited = rig.client.wait(&of_web("e1")).await.unwrap_err();
            assert_eq!(waited.kind(), ErrorKind::NotFound);
            rig.world.heal(step);
            rig.exec("e1").await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_is_free_again_after_the_exit_and_its_old_streams_are_removed_first() {
    let rig = Rig::running().await;
    rig.exec("e1").await.unwrap();
    rig.world.changes(2).await;
    // The backend is slow to hear of the exit, so the streams' names are still there.
    let gate = rig.world.hang("told");
    rig.world.exit("web", "e1", 0);
    rig.world.settle().await;
    assert_eq!(rig.world.calls("remove"), [""; 0], "not before the exit was told");
    rig.exec("e1").await.unwrap();
    let calls = rig.world.calls.lock().unwrap().clone();
    let removed = calls.iter().rposition(|call| call == "remove web/e1").unwrap();
    let prepared = calls.iter().rposition(|call| call == "prepare web/e1").unwrap();
    assert!(removed < prepared);
    gate.add_permits(9);
    rig.world.exit("web", "e1", 1);
    rig.world.changes(5).await;
    rig.world.settle().await;
    assert_eq!(rig.world.calls("remove").len(), 2, "each time once");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_in_use_is_refused_and_its_process_left_alone() {
    let rig = Rig::running().await;
    rig.exec("e1").await.unwrap();
    assert_eq!(rig.exec("e1").await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(rig.exec("init").await.unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(rig.world.calls("remove"), [""; 0]);
    rig.world.exit("web", "e1", 5);
    assert_eq!(rig.client.wait(&of_web("e1")).await.unwrap(), exit(5));
}

#[tokio::test(start_paused = true)]
async fn fifty_execs_of_one_container_run_at_once() {
    let rig = Rig::running().await;
    let gate = rig.world.hang("exec");
    let execs: Vec<_> = (0..50)
        .map(|number| {
            let client = rig.client.clone();
            let new = NewProcess::new(["true"], Stdio::null());
            tokio::spawn(async move { client.add_process(&name("web"), &this(&format!("e{number}")), new).await })
        })
        .collect();
    while rig.world.calls("exec").len() < 50 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(50);
    for exec in execs {
        exec.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_exec_in_a_container_of_another_client_is_followed() {
    let rig = Rig::new();
    rig.world.foreign("web", crate::status::ProcessState::Running);
    rig.exec("e1").await.unwrap();
    rig.world.emit("web", EventKind::Exited { process: this("e1"), exit: exit(4) });
    assert_eq!(rig.world.changes(2).await, [exec_started("e1"), exec_exited("e1", 4)]);
    assert_eq!(rig.exec("e2").await.map(|started| started.pid).unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn an_exec_without_a_program_or_in_no_container_is_refused() {
    let rig = Rig::running().await;
    let none = NewProcess::new(Vec::<String>::new(), Stdio::null());
    let error = rig.client.add_process(&name("web"), &this("e1"), none).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let some = NewProcess::new(["true"], Stdio::null());
    let error = rig.client.add_process(&name("gone"), &this("e1"), some).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_name_whose_end_only_the_runtime_knows_yet_is_free() {
    let rig = Rig::running().await;
    rig.exec("e1").await.unwrap();
    rig.world.set("web", "e1", crate::status::ProcessState::Exited(exit(3)));
    rig.exec("e1").await.unwrap();
    let told = rig.world.changes(4).await;
    assert_eq!(told[1..], [exec_started("e1"), exec_exited("e1", 3), exec_started("e1")]);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_the_runtime_cannot_give_or_that_is_none_is_refused_before_anything_is_made() {
    let rig = Rig::running().await;
    let refused = async |change: fn(&mut NewProcess)| {
        let mut new = NewProcess::new(["true"], Stdio::null());
        change(&mut new);
        rig.client.add_process(&name("web"), &this("e1"), new).await.unwrap_err().kind()
    };
    assert_eq!(refused(|new| new.timeout = Some(Duration::from_secs(1))).await, ErrorKind::Unsupported);
    assert_eq!(refused(|new| new.left_overs = LeftOvers::Kill).await, ErrorKind::Unsupported);
    assert_eq!(refused(|new| new.timeout = Some(Duration::ZERO)).await, ErrorKind::InvalidArgument);
    assert_eq!(refused(|new| new.stdio.stdin = Place::Kept).await, ErrorKind::InvalidArgument);
    assert_eq!(rig.world.calls("prepare web/e1"), [""; 0]);
    rig.world.able.lock().unwrap().ends_execs = true;
    let mut new = NewProcess::new(["true"], Stdio::null());
    (new.timeout, new.left_overs) = (Some(Duration::from_secs(1)), LeftOvers::Kill);
    rig.client.add_process(&name("web"), &this("e1"), new).await.unwrap();
}
