//! The ledger: exits that outlive their containers, and autopsies.

use super::reading::{check_stretch, hear};
use super::scene::{Live, Scene, code, killed_by, process_id};
use super::suite;
use crate::client::{Delete, Until};
use crate::error::ErrorKind;
use crate::id::ProcessRef;
use crate::signal::Signal;
use crate::stdio::{Keep, Stdio};

suite!(
    Past:
    the_exit_of_a_removed_container_is_told_to_whoever_asks,
    the_exit_of_an_exec_outlives_its_container,
    of_two_containers_of_a_name_the_newest_is_remembered_first,
    a_container_is_not_taken_for_a_removed_one_of_its_name,
    a_container_that_never_ran_is_remembered_too,
    a_removed_container_has_an_autopsy;
    KeptOutput:
    an_autopsy_has_the_last_words;
    Nothing:
    who_has_not_ended_has_no_autopsy
);

/// A container that has ended so and is removed.
async fn past(scene: &Scene, name: &str, exit: u8) -> Live {
    let container = scene.running(name, &["exit", &exit.to_string()], Stdio::null()).await;
    container.exit().await;
    container.delete().await;
    container
}

async fn the_exit_of_a_removed_container_is_told_to_whoever_asks(scene: Scene) {
    let container = past(&scene, "c", 7).await;
    for reader in [&scene, &scene.another()] {
        let exit = reader.client.wait(&container.process).await.unwrap();
        assert_eq!(exit.status, code(7));
        for until in [Until::Exited, Until::NotRunning, Until::Removed] {
            let told = reader.client.wait_until(&container.process, until).await.unwrap();
            assert_eq!(told.as_ref(), Some(&exit), "{until:?}");
        }
    }
}

async fn the_exit_of_an_exec_outlives_its_container(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let ended = scene.exec(&container, "e1", &["exit", "9"], Stdio::null()).await;
    ended.exit().await;
    let running = scene.exec(&container, "e2", &["sleep"], Stdio::null()).await;
    scene.client.delete(&container.id, Delete::killing()).await.unwrap();
    let other = scene.another();
    assert_eq!(other.client.wait(&ended.process).await.unwrap().status, code(9));
    assert_eq!(other.client.wait(&running.process).await.unwrap().status, killed_by(Signal::KILL));
    let nobody = ProcessRef::new(container.id.clone(), process_id("nobody"));
    assert_eq!(other.client.wait(&nobody).await.unwrap_err().kind(), ErrorKind::NotFound);
}

async fn of_two_containers_of_a_name_the_newest_is_remembered_first(scene: Scene) {
    past(&scene, "c", 1).await;
    let container = past(&scene, "c", 2).await;
    past(&scene, "d", 3).await;
    assert_eq!(scene.client.wait(&container.process).await.unwrap().status, code(2));
    let its = scene.client.past(Some(&container.id)).await.unwrap();
    let codes: Vec<_> = its.iter().map(|past| past.exits[0].1.status).collect();
    assert_eq!(codes, [code(2), code(1)]);
    assert_ne!(its[0].instance, its[1].instance);
    assert!(its.iter().all(|past| past.removed_at >= past.created_at && past.exits[0].0.is_init()));
    assert_eq!(its[0].args, scene.stage.probe(&["exit", "2"]));
    assert_eq!(scene.client.past(None).await.unwrap().len(), 3);
}

async fn a_container_is_not_taken_for_a_removed_one_of_its_name(scene: Scene) {
    let old = scene.running("c", &["sleep"], Stdio::null()).await;
    scene.exec(&old, "e", &["exit", "1"], Stdio::null()).await.exit().await;
    scene.client.delete(&old.id, Delete::killing()).await.unwrap();
    let new = scene.created("c", &["exit", "5"], Stdio::null()).await;
    let exec = ProcessRef::new(new.id.clone(), process_id("e"));
    for reader in [&scene, &scene.another()] {
        assert_eq!(reader.client.wait_until(&new.process, Until::NotRunning).await.unwrap(), None);
        assert_eq!(reader.client.wait(&exec).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
    scene.client.start(&new.id).await.unwrap();
    assert_eq!(new.status().await, code(5));
}

async fn a_container_that_never_ran_is_remembered_too(scene: Scene) {
    let container = scene.created("c", &["exit", "0"], Stdio::null()).await;
    container.delete().await;
    let its = scene.client.past(Some(&container.id)).await.unwrap();
    assert_eq!(its.len(), 1, "{its:?}");
    let told = scene.client.wait_until(&container.process, Until::Removed).await.unwrap();
    // What waited for its start was killed, where a runtime tells that at all.
    assert_eq!(told.as_ref(), its[0].exits.first().map(|(_, exit)| exit));
    assert!(told.as_ref().is_none_or(|exit| exit.status == killed_by(Signal::KILL)), "{told:?}");
    match scene.client.wait(&container.process).await {
        Ok(exit) => assert_eq!(Some(exit), told),
        Err(error) => assert_eq!((error.kind(), told), (ErrorKind::NotFound, None)),
    }
}

async fn a_removed_container_has_an_autopsy(scene: Scene) {
    let container = past(&scene, "c", 6).await;
    let autopsy = scene.client.autopsy(&container.process).await.unwrap();
    assert_eq!((autopsy.exit.status, autopsy.last_output), (code(6), None));
    assert_eq!(autopsy.args, scene.stage.probe(&["exit", "6"]));
}

async fn an_autopsy_has_the_last_words(scene: Scene) {
    let container = scene.running("c", &["emit", "10000", "91", "both"], Stdio::kept(Keep::default())).await;
    hear(scene.client.logs(&container.process).follow()).await;
    container.exit().await;
    let autopsy = scene.client.autopsy(&container.process).await.unwrap();
    let words = autopsy.last_output.expect("they are kept");
    assert_eq!((autopsy.exit.status, words.len()), (code(0), 4096));
    check_stretch(&words, 92, 10_000 - 4096);
}

async fn who_has_not_ended_has_no_autopsy(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    assert_eq!(scene.client.autopsy(&container.process).await.unwrap_err().kind(), ErrorKind::WrongState);
    let stranger = ProcessRef::init(super::scene::id("stranger"));
    assert_eq!(scene.client.autopsy(&stranger).await.unwrap_err().kind(), ErrorKind::NotFound);
}
