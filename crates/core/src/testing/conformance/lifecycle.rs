//! The life of a container: which operation is allowed when, and what is told of it.

use super::scene::{Scene, code, id, killed_by};
use super::suite;
use crate::client::Delete;
use crate::error::ErrorKind;
use crate::id::{Instance, ProcessRef};
use crate::signal::Signal;
use crate::status::{ContainerState, ProcessState};
use crate::stdio::Stdio;

suite!(Nothing:
    a_name_that_exists_is_refused_and_its_owner_not_harmed,
    a_name_is_free_again_after_the_delete_and_is_another_instance,
    a_container_is_started_once,
    a_running_container_is_not_deleted_unless_forced,
    a_created_container_can_be_deleted,
    a_created_container_can_be_killed,
    a_delete_of_another_instance_deletes_nothing,
    what_does_not_exist_is_not_found_by_any_operation,
    a_stopped_container_takes_no_signal,
    the_state_tells_the_truth_at_each_step,
    the_list_has_every_container_by_name,
    the_pids_are_those_of_all_processes,
    a_runtime_says_who_it_is,
);

async fn a_name_that_exists_is_refused_and_its_owner_not_harmed(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::piped()).await;
    for other in [&scene, &scene.another()] {
        let refused = other.try_create("c", &["exit", "0"], Stdio::piped()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists, "{refused}");
    }
    let exec = scene.exec(&container, "e", &["exit", "3"], Stdio::null()).await;
    assert_eq!(exec.status().await, code(3), "the owner of the name goes on");
    container.signal(Signal::KILL).await;
    container.exit().await;
    let refused = scene.try_create("c", &["exit", "0"], Stdio::null()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyExists, "stopped, it has the name still");
}

async fn a_name_is_free_again_after_the_delete_and_is_another_instance(scene: Scene) {
    let mut instances = Vec::new();
    for round in 0..3u8 {
        let container = scene.running("c", &["exit", &round.to_string()], Stdio::piped()).await;
        assert_eq!(container.status().await, code(round), "the exit of an earlier one is not told again");
        instances.push(scene.client.state(&container.id).await.unwrap().instance);
        container.delete().await;
    }
    instances.dedup();
    assert_eq!(instances.len(), 3);
}

async fn a_container_is_started_once(scene: Scene) {
    let mut container = scene.running("c", &["drain", "0"], Stdio::piped()).await;
    let again = scene.client.start(&container.id).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::WrongState);
    container.close_stdin().await;
    container.exit().await;
    let late = scene.client.start(&container.id).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::WrongState);
}

async fn a_running_container_is_not_deleted_unless_forced(scene: Scene) {
    let container = scene.running("c", &["ignore-term"], Stdio::output()).await;
    let refused = scene.client.delete(&container.id, Delete::default()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WrongState);
    assert_eq!(scene.client.state(&container.id).await.unwrap().state, ContainerState::Running);
    scene.client.delete(&container.id, Delete::killing()).await.unwrap();
    assert_eq!(scene.client.state(&container.id).await.unwrap_err().kind(), ErrorKind::NotFound);
}

async fn a_created_container_can_be_deleted(scene: Scene) {
    let container = scene.created("c", &["exit", "0"], Stdio::piped()).await;
    scene.client.delete(&container.id, Delete::killing()).await.unwrap();
    scene.is_empty().await;
}

async fn a_created_container_can_be_killed(scene: Scene) {
    let container = scene.created("c", &["exit", "0"], Stdio::null()).await;
    container.signal(Signal::KILL).await;
    assert_eq!(container.status().await, killed_by(Signal::KILL));
    assert_eq!(scene.client.state(&container.id).await.unwrap().state, ContainerState::Stopped);
}

async fn a_delete_of_another_instance_deletes_nothing(scene: Scene) {
    let container = scene.running("c", &["exit", "0"], Stdio::null()).await;
    container.exit().await;
    let other = Delete::default().only(Instance::from_bits(42));
    assert_eq!(scene.client.delete(&container.id, other).await.unwrap_err().kind(), ErrorKind::NotFound);
    let own = scene.client.state(&container.id).await.unwrap().instance;
    scene.client.delete(&container.id, Delete::default().only(own)).await.unwrap();
}

async fn what_does_not_exist_is_not_found_by_any_operation(scene: Scene) {
    let (client, id) = (&scene.client, id("stranger"));
    let process = ProcessRef::init(id.clone());
    let kinds = [
        client.start(&id).await.unwrap_err().kind(),
        client.signal(&id, Signal::TERM).await.unwrap_err().kind(),
        client.signal_all(&id, Signal::KILL).await.unwrap_err().kind(),
        client.resize(&process, Default::default()).await.unwrap_err().kind(),
        client.state(&id).await.unwrap_err().kind(),
        client.open(&id).await.unwrap_err().kind(),
        client.pids(&id).await.unwrap_err().kind(),
        client.attach(&process).await.unwrap_err().kind(),
        client.stop(&id, Default::default()).await.unwrap_err().kind(),
        client.delete(&id, Delete::default()).await.unwrap_err().kind(),
        client.delete(&id, Delete::killing()).await.unwrap_err().kind(),
    ];
    assert_eq!(kinds, [ErrorKind::NotFound; 11]);
}

async fn a_stopped_container_takes_no_signal(scene: Scene) {
    let container = scene.running("c", &["exit", "0"], Stdio::null()).await;
    container.exit().await;
    let refused = scene.client.signal(&container.id, Signal::KILL).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WrongState);
}

async fn the_state_tells_the_truth_at_each_step(scene: Scene) {
    let mut container = scene.created("c", &["drain", "8"], Stdio::piped()).await;
    let created = scene.client.state(&container.id).await.unwrap();
    assert_eq!((created.state, created.started_at, created.run.0), (ContainerState::Created, None, 0));
    let started = scene.client.start(&container.id).await.unwrap();
    let running = scene.client.state(&container.id).await.unwrap();
    let init = running.init().expect("a running container has its first process").clone();
    assert_eq!((running.state, running.run.0), (ContainerState::Running, 1));
    assert_eq!((init.pid, init.state, init.terminal), (Some(started.pid), ProcessState::Running, false));
    assert_eq!(init.args, scene.stage.probe(&["drain", "8"]));
    assert!(running.started_at.is_some_and(|at| at >= created.created_at));
    container.close_stdin().await;
    let exit = container.exit().await;
    let stopped = scene.client.state(&container.id).await.unwrap();
    assert_eq!((stopped.state, stopped.exit()), (ContainerState::Stopped, Some(&exit)));
    assert_eq!(stopped.init().and_then(|init| init.pid), None);
    assert_eq!((stopped.instance, stopped.bundle.is_absolute()), (created.instance, true));
}

async fn the_list_has_every_container_by_name(scene: Scene) {
    for name in ["b", "c", "a"] {
        scene.created(name, &["exit", "0"], Stdio::null()).await;
    }
    scene.client.start(&id("b")).await.unwrap();
    scene.client.wait(&ProcessRef::init(id("b"))).await.unwrap();
    let list = scene.another().client.list().await.unwrap();
    let states: Vec<_> = list.iter().map(|status| (status.id.as_str(), status.state)).collect();
    let wanted = [("a", ContainerState::Created), ("b", ContainerState::Stopped), ("c", ContainerState::Created)];
    assert_eq!(states, wanted);
}

async fn the_pids_are_those_of_all_processes(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let exec = scene.exec(&container, "e", &["sleep"], Stdio::null()).await;
    let mut wanted = [container.pid().await, exec.pid().await];
    wanted.sort_unstable();
    assert_eq!(scene.client.pids(&container.id).await.unwrap(), wanted);
    container.signal(Signal::KILL).await;
    container.exit().await;
    assert!(scene.client.pids(&container.id).await.unwrap().is_empty());
    assert!(scene.client.summary(&container.id).await.unwrap().is_empty());
}

async fn a_runtime_says_who_it_is(scene: Scene) {
    let version = scene.client.version().await.unwrap();
    assert!(!version.name.is_empty() && !version.version.is_empty());
}
