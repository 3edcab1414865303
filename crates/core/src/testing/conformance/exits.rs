//! Exits: each true, told once, to whoever asks whenever.

use super::scene::{Scene, code, id, killed_by};
use oci_spec::runtime::{LinuxMemory, Spec};

use super::suite;
use crate::error::ErrorKind;
use crate::event::StateChange;
use crate::id::ProcessRef;
use crate::signal::Signal;
use crate::status::How;
use crate::stdio::Stdio;

suite!(Nothing:
    exit_code_0,
    exit_code_7,
    exit_code_255,
    kill_from_outside_is_told_as_that_signal,
    a_fault_of_init_is_told_as_its_signal,
    term_to_an_exec_ends_it_by_that_signal,
    term_without_a_handler_does_not_end_init,
    every_waiter_is_answered_whenever_it_asked,
    an_exit_says_when_and_how_it_is_known,
    a_program_that_ends_at_once_still_has_a_pid_and_one_exit,
    the_exit_of_an_exec_is_told_after_it_too,
    a_process_that_never_was_cannot_be_waited_for,
    a_program_killed_for_want_of_memory_says_so,
);

async fn exits_with(scene: Scene, wanted: u8) {
    let container = scene.running("c", &["exit", &wanted.to_string()], Stdio::null()).await;
    assert_eq!(container.status().await, code(wanted));
    container.delete().await;
}

async fn exit_code_0(scene: Scene) {
    exits_with(scene, 0).await;
}

async fn exit_code_7(scene: Scene) {
    exits_with(scene, 7).await;
}

async fn exit_code_255(scene: Scene) {
    exits_with(scene, 255).await;
}

async fn kill_from_outside_is_told_as_that_signal(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    scene.stage.kill_outside(container.pid().await);
    assert_eq!(container.status().await, killed_by(Signal::KILL));
}

async fn a_fault_of_init_is_told_as_its_signal(scene: Scene) {
    let container = scene.running("c", &["fault"], Stdio::null()).await;
    assert_eq!(container.status().await, killed_by(Signal::SEGV));
}

async fn term_to_an_exec_ends_it_by_that_signal(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let exec = scene.exec(&container, "e", &["sleep"], Stdio::null()).await;
    exec.signal(Signal::TERM).await;
    assert_eq!(exec.status().await, killed_by(Signal::TERM));
    assert!(container.pid().await > 0, "the container goes on");
}

async fn term_without_a_handler_does_not_end_init(scene: Scene) {
    let mut container = scene.running("c", &["cat"], Stdio::piped()).await;
    container.signal(Signal::TERM).await;
    tokio::io::AsyncWriteExt::write_all(container.stdin(), b"alive\n").await.unwrap();
    assert_eq!(super::reading::line(container.stdout()).await, "alive");
}

async fn every_waiter_is_answered_whenever_it_asked(scene: Scene) {
    let mut container =
        scene.created("c", &["drain", "3"], Stdio::null().with_stdin(crate::stdio::Place::Stream)).await;
    let process = container.process.clone();
    let ask = |scene: &Scene| {
        let (client, process) = (scene.client.clone(), process.clone());
        tokio::spawn(async move { client.wait(&process).await })
    };
    let other = scene.another();
    let before: Vec<_> = (0..10).flat_map(|_| [ask(&scene), ask(&other)]).collect();
    scene.client.start(&container.id).await.unwrap();
    let during: Vec<_> = (0..10).flat_map(|_| [ask(&scene), ask(&other)]).collect();
    container.close_stdin().await;
    let first = container.exit().await;
    let after: Vec<_> = (0..10).flat_map(|_| [ask(&scene), ask(&other)]).collect();
    for waiter in before.into_iter().chain(during).chain(after) {
        let exit = waiter.await.unwrap().expect("every waiter is answered");
        assert_eq!((exit.status, exit.at), (code(3), first.at));
    }
}

async fn an_exit_says_when_and_how_it_is_known(scene: Scene) {
    let container = scene.running("c", &["exit", "0"], Stdio::null()).await;
    let exit = container.exit().await;
    let state = scene.client.state(&container.id).await.unwrap();
    assert!(exit.at >= state.started_at.expect("it was started"));
    assert!(matches!(exit.how, How::Waited | How::Reported), "{:?}", exit.how);
    assert_eq!(exit.run, state.run);
    assert!(!exit.oom);
}

async fn a_program_that_ends_at_once_still_has_a_pid_and_one_exit(scene: Scene) {
    let created = scene.created("c", &["exit", "4"], Stdio::null()).await;
    let started = scene.client.start(&created.id).await.unwrap();
    assert_ne!(started.pid, 0);
    created.exit().await;
    let told = scene.changes_to_exit(&created.id).await;
    created.delete().await;
    scene.backend.until(&created.id, |change| *change == StateChange::Deleted).await;
    let exits = scene.backend.changes(&created.id);
    let count = exits.iter().filter(|change| matches!(change, StateChange::Exited { .. })).count();
    assert_eq!(count, 1, "{exits:?}");
    assert!(matches!(told.first(), Some(StateChange::Started { pid }) if *pid == started.pid), "{told:?}");
}

async fn the_exit_of_an_exec_is_told_after_it_too(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let exec = scene.exec(&container, "e", &["exit", "9"], Stdio::null()).await;
    assert_eq!(exec.status().await, code(9));
    assert_eq!(exec.status().await, code(9));
}

async fn a_process_that_never_was_cannot_be_waited_for(scene: Scene) {
    let stranger = ProcessRef::init(id("stranger"));
    assert_eq!(scene.client.wait(&stranger).await.unwrap_err().kind(), ErrorKind::NotFound);
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let nobody = ProcessRef::new(container.id.clone(), super::scene::process_id("nobody"));
    assert_eq!(scene.client.wait(&nobody).await.unwrap_err().kind(), ErrorKind::NotFound);
}

async fn a_program_killed_for_want_of_memory_says_so(scene: Scene) {
    let mut new = scene.stage.container(scene.stage.probe(&["hog"]), Stdio::null());
    limit_memory(&mut new.spec, 32 << 20);
    let process = ProcessRef::init(id("c"));
    scene.client.create(&process.container, new).await.unwrap();
    scene.client.start(&process.container).await.unwrap();
    let exit = scene.client.wait(&process).await.unwrap();
    assert_eq!((exit.status, exit.oom), (killed_by(Signal::KILL), true));
    let told = scene.changes_to_exit(&process.container).await;
    assert!(told.contains(&StateChange::Oom), "{told:?}");
    assert_eq!(told.last(), Some(&StateChange::Exited { exit }));
}

fn limit_memory(spec: &mut Spec, bytes: i64) {
    let mut memory = LinuxMemory::default();
    memory.set_limit(Some(bytes)).set_swap(Some(bytes));
    let mut linux = spec.linux().clone().unwrap_or_default();
    let mut resources = linux.resources().clone().unwrap_or_default();
    resources.set_memory(Some(memory));
    linux.set_resources(Some(resources));
    spec.set_linux(Some(linux));
}
