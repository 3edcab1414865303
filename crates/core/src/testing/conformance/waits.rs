//! Waits until a process has ended, does not run, or its container is gone: any number, before, while and after.

use tokio::task::JoinHandle;

use super::scene::{Live, Scene, code, id, killed_by};
use super::suite;
use crate::client::{Delete, Until};
use crate::error::{ErrorKind, Result};
use crate::id::ProcessRef;
use crate::signal::Signal;
use crate::status::Exit;
use crate::stdio::{Place, Stdio};

suite!(Nothing:
    what_does_not_run_is_not_waited_for,
    who_waits_for_the_removal_is_answered_whenever_it_asked,
    the_removal_of_a_container_that_never_ran_answers_too,
    who_waits_for_the_removal_is_not_answered_by_the_exit,
    the_removal_answers_for_an_exec_too,
    a_container_that_never_was_cannot_be_waited_for_in_any_way,
);

type Waiter = JoinHandle<Result<Option<Exit>>>;

fn ask(scene: &Scene, process: &ProcessRef, until: Until) -> Waiter {
    let (client, process) = (scene.client.clone(), process.clone());
    tokio::spawn(async move { client.wait_until(&process, until).await })
}

async fn waiting_for_input(scene: &Scene) -> Live {
    scene.created("c", &["drain", "3"], Stdio::null().with_stdin(Place::Stream)).await
}

async fn what_does_not_run_is_not_waited_for(scene: Scene) {
    let mut container = waiting_for_input(&scene).await;
    let process = container.process.clone();
    let now = async |until| scene.client.wait_until(&process, until).await.unwrap().map(|exit| exit.status);
    assert_eq!(now(Until::NotRunning).await, None, "it is not started");
    scene.client.start(&container.id).await.unwrap();
    let waiters = [ask(&scene, &process, Until::NotRunning), ask(&scene.another(), &process, Until::NotRunning)];
    let exited = ask(&scene, &process, Until::Exited);
    container.close_stdin().await;
    for waiter in waiters.into_iter().chain([exited]) {
        assert_eq!(waiter.await.unwrap().unwrap().map(|exit| exit.status), Some(code(3)));
    }
    assert_eq!(now(Until::NotRunning).await, Some(code(3)));
    assert_eq!(now(Until::Exited).await, Some(code(3)));
}

async fn who_waits_for_the_removal_is_answered_whenever_it_asked(scene: Scene) {
    let mut container = waiting_for_input(&scene).await;
    let (process, other) = (container.process.clone(), scene.another());
    let both = || [ask(&scene, &process, Until::Removed), ask(&other, &process, Until::Removed)];
    let before = both();
    scene.client.start(&container.id).await.unwrap();
    let running = both();
    container.close_stdin().await;
    let exit = container.exit().await;
    let ended = both();
    container.delete().await;
    for waiter in before.into_iter().chain(running).chain(ended) {
        match waiter.await.unwrap() {
            Ok(told) => assert_eq!(told.map(|exit| exit.at), Some(exit.at)),
            // One that came to look only now, on a runtime that remembers nothing.
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
                assert!(!scene.stage.capabilities().remembers_past, "{error}");
            }
        }
    }
}

async fn the_removal_of_a_container_that_never_ran_answers_too(scene: Scene) {
    let container = waiting_for_input(&scene).await;
    scene.client.open(&container.id).await.unwrap();
    let waiter = ask(&scene, &container.process, Until::Removed);
    assert_eq!(scene.client.wait_until(&container.process, Until::NotRunning).await.unwrap(), None);
    assert!(!waiter.is_finished(), "it is still there");
    container.delete().await;
    match waiter.await.unwrap() {
        // What waited for its start was killed, where a runtime tells that at all.
        Ok(exit) => assert!(exit.as_ref().is_none_or(|exit| exit.status == killed_by(Signal::KILL)), "{exit:?}"),
        Err(error) => assert!(!scene.stage.capabilities().remembers_past, "{error}"),
    }
}

async fn who_waits_for_the_removal_is_not_answered_by_the_exit(scene: Scene) {
    let mut container = waiting_for_input(&scene).await;
    scene.client.start(&container.id).await.unwrap();
    let waiter = ask(&scene, &container.process, Until::Removed);
    container.close_stdin().await;
    container.exit().await;
    // Whoever is to be answered by the exit is by now.
    scene.changes_to_exit(&container.id).await;
    assert!(!waiter.is_finished());
    waiter.abort();
}

async fn the_removal_answers_for_an_exec_too(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let ended = scene.exec(&container, "e1", &["exit", "4"], Stdio::null()).await;
    ended.exit().await;
    let running = scene.exec(&container, "e2", &["sleep"], Stdio::null()).await;
    let waiters = [ask(&scene, &ended.process, Until::Removed), ask(&scene, &running.process, Until::Removed)];
    let deleted = scene.client.delete(&container.id, Delete::killing());
    tokio::task::yield_now().await;
    deleted.await.unwrap();
    let wanted = [code(4), killed_by(Signal::KILL)];
    for (waiter, wanted) in waiters.into_iter().zip(wanted) {
        match waiter.await.unwrap() {
            Ok(exit) => assert_eq!(exit.map(|exit| exit.status), Some(wanted)),
            Err(error) => assert!(!scene.stage.capabilities().remembers_past, "{error}"),
        }
    }
}

async fn a_container_that_never_was_cannot_be_waited_for_in_any_way(scene: Scene) {
    let stranger = ProcessRef::init(id("stranger"));
    for until in [Until::Exited, Until::NotRunning, Until::Removed] {
        let error = scene.client.wait_until(&stranger, until).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{until:?}: {error}");
    }
}
