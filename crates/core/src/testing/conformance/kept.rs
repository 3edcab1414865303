//! Kept output: all of it, each output for itself, for as long as its container is there.

use super::reading::{check_pattern, check_stretch, hear, hear_some};
use super::scene::{Live, Scene, code};
use super::suite;
use crate::error::ErrorKind;
use crate::ports::process_io::{EndOfOutput, OutputKind, ReadFrom};
use crate::stdio::{Keep, Stdio};

const MANY: u64 = 64 << 20;
const SOME: u64 = 1 << 20;
const FITS: u64 = 48 << 10;

suite!(KeptOutput:
    both_outputs_are_kept_byte_for_byte,
    sixty_four_mebibytes_are_read_while_they_are_kept,
    a_last_line_without_an_end_is_kept,
    an_output_of_nothing_has_an_end,
    the_output_of_an_exec_is_kept_apart_from_its_container,
    a_process_under_the_name_of_an_ended_one_goes_on_with_its_log,
    a_container_under_the_name_of_a_removed_one_has_a_log_of_its_own,
    output_is_kept_until_its_container_is_removed,
    what_was_written_before_a_kill_is_kept,
    many_containers_that_end_at_once_lose_no_byte,
    a_failed_create_keeps_nothing,
);

/// A container that keeps all its output.
async fn keeping(scene: &Scene, args: &[&str]) -> Live {
    scene.running("c", args, Stdio::kept(Keep::unbounded())).await
}

async fn both_outputs_are_kept_byte_for_byte(scene: Scene) {
    let container = keeping(&scene, &["emit", &SOME.to_string(), "41", "both"]).await;
    let heard = hear(scene.client.logs(&container.process).follow()).await;
    assert_eq!((heard.stdout.len() as u64, heard.stderr.len() as u64), (SOME, SOME));
    check_stretch(&heard.stdout, 41, 0);
    check_stretch(&heard.stderr, 42, 0);
    assert_eq!(heard.ended(OutputKind::Stdout), Some(EndOfOutput::Closed));
    assert_eq!(heard.ended(OutputKind::Stderr), Some(EndOfOutput::Closed));
    assert_eq!(container.status().await, code(0));
}

async fn sixty_four_mebibytes_are_read_while_they_are_kept(scene: Scene) {
    let container = keeping(&scene, &["emit", &MANY.to_string(), "43"]).await;
    let mut streams = scene.client.attach_from(&container.process, ReadFrom::Start).await.unwrap();
    check_pattern(streams.stdout.as_deref_mut().unwrap(), 43, MANY).await;
    assert_eq!(container.status().await, code(0));
}

async fn a_last_line_without_an_end_is_kept(scene: Scene) {
    let container = keeping(&scene, &["print", "no end"]).await;
    assert_eq!(hear(scene.client.logs(&container.process).follow()).await.text(), "no end");
}

async fn an_output_of_nothing_has_an_end(scene: Scene) {
    let container = keeping(&scene, &["exit", "3"]).await;
    let heard = hear(scene.client.logs(&container.process).follow()).await;
    assert_eq!((heard.offset, heard.ends.len()), (0, 2), "{heard:?}");
    assert_eq!(container.status().await, code(3));
}

async fn the_output_of_an_exec_is_kept_apart_from_its_container(scene: Scene) {
    let container = keeping(&scene, &["ignore-term"]).await;
    let exec = scene.exec(&container, "e", &["echo", "from", "inside"], Stdio::kept(Keep::default())).await;
    assert_eq!(exec.status().await, code(0));
    assert_eq!(hear(scene.client.logs(&exec.process).follow()).await.text(), "from inside\n");
    scene.client.logs(&container.process).wait_for("ready", 1).await.unwrap();
    assert_eq!(hear(scene.client.logs(&container.process)).await.text(), "ready\n");
}

async fn a_process_under_the_name_of_an_ended_one_goes_on_with_its_log(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    for word in ["first", "second"] {
        let exec = scene.exec(&container, "e", &["echo", word], Stdio::kept(Keep::default())).await;
        assert_eq!(exec.status().await, code(0));
        scene.client.logs(&exec.process).wait_for(word, 1).await.unwrap();
        // To its end: the next one begins after it.
        hear(scene.client.logs(&exec.process).follow()).await;
    }
    let process = crate::id::ProcessRef::new(container.id.clone(), super::scene::process_id("e"));
    assert_eq!(hear(scene.client.logs(&process).follow()).await.text(), "first\nsecond\n");
}

async fn a_container_under_the_name_of_a_removed_one_has_a_log_of_its_own(scene: Scene) {
    for word in ["first", "second"] {
        let container = keeping(&scene, &["echo", word]).await;
        assert_eq!(hear(scene.client.logs(&container.process).follow()).await.text(), format!("{word}\n"));
        container.exit().await;
        container.delete().await;
    }
}

async fn output_is_kept_until_its_container_is_removed(scene: Scene) {
    let container = keeping(&scene, &["emit", &FITS.to_string(), "44"]).await;
    container.exit().await;
    let whole = hear_some(scene.client.logs(&container.process).follow()).await;
    check_stretch(&whole.stdout, 44, 0);
    for reader in [&scene, &scene.another()] {
        let again = hear(reader.client.logs(&container.process)).await;
        assert!(again.stdout == whole.stdout && again.ends == whole.ends);
    }
    container.delete().await;
    let gone = scene.client.logs(&container.process).open().await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound, "{gone}");
}

async fn what_was_written_before_a_kill_is_kept(scene: Scene) {
    let container = keeping(&scene, &["ignore-term"]).await;
    scene.client.logs(&container.process).wait_for("ready", 1).await.unwrap();
    container.signal(crate::signal::Signal::KILL).await;
    let heard = hear(scene.client.logs(&container.process).follow()).await;
    assert_eq!((heard.text().as_str(), heard.ends.len()), ("ready\n", 2));
}

async fn many_containers_that_end_at_once_lose_no_byte(scene: Scene) {
    let mut lives = tokio::task::JoinSet::new();
    for seed in 0..20u64 {
        let scene = scene.clone();
        lives.spawn(async move {
            let args = ["emit", &FITS.to_string(), &seed.to_string()];
            let container = scene.running(&format!("c{seed}"), &args, Stdio::kept(Keep::default())).await;
            assert_eq!(scene.client.wait(&container.process).await.unwrap().status, code(0));
            let heard = hear(scene.client.logs(&container.process).follow()).await;
            assert_eq!(heard.offset, FITS);
            check_stretch(&heard.stdout, seed, 0);
        });
    }
    while let Some(life) = lives.join_next().await {
        life.unwrap();
    }
}

async fn a_failed_create_keeps_nothing(scene: Scene) {
    let id = super::scene::id("c");
    let mut new = scene.stage.container(scene.stage.probe(&["exit", "0"]), Stdio::kept(Keep::default()));
    let nobody = crate::process::User::Named("no-such-user".into());
    new.user = Some(nobody);
    // A runtime may find that out at the start; then there is a container to delete.
    if scene.client.create(&id, new).await.is_ok() {
        assert!(scene.client.start(&id).await.is_err());
        scene.client.delete(&id, crate::client::Delete::killing()).await.unwrap();
    }
    scene.is_empty().await;
}
