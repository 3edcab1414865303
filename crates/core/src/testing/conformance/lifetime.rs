//! Lifetimes: containers that go by themselves when they have ended, or with the program that they are bound to.

use super::reading::{check_stretch, drain_log, text};
use super::scene::{Live, Scene, code, id, killed_by};
use super::suite;
use crate::client::{Delete, Until};
use crate::error::{ErrorKind, Result};
use crate::event::StateChange;
use crate::id::ProcessRef;
use crate::ports::runtime::{Lease, Removal, Sweep};
use crate::signal::Signal;
use crate::stdio::{Keep, Place, Stdio};

const SOME: u64 = 1 << 20;

suite!(
    KeptLeases:
    a_follower_of_a_container_that_goes_hears_every_byte;
    Leases:
    a_container_that_goes_when_it_ends_leaves_nothing_but_its_exit,
    the_name_of_a_container_that_went_is_free,
    a_forced_delete_of_a_container_that_goes_when_it_ends_succeeds,
    with_its_owner_a_container_goes_and_all_in_it,
    with_its_owner_goes_what_never_ran_and_what_has_ended,
    the_end_of_an_owner_harms_no_other_container,
    an_owner_that_is_gone_already_is_refused;
    Nothing:
    a_sweep_finds_nothing_on_a_clean_machine_and_touches_nothing_that_lives
);

/// A container with that lifetime, which keeps its output where that can be done.
async fn made(scene: &Scene, args: &[&str], lease: Option<Lease>, removal: Removal) -> Result<Live> {
    let keeps = scene.stage.capabilities().keeps_output;
    let stdio = if keeps { Stdio::kept(Keep::unbounded()) } else { Stdio::null() };
    let mut new = scene.stage.container(scene.stage.probe(args), stdio.with_stdin(Place::Stream));
    (new.lease, new.removal) = (lease, removal);
    scene.client.create(&id("c"), new).await?;
    let process = ProcessRef::init(id("c"));
    Ok(Live {
        client: scene.client.clone(),
        id: process.container.clone(),
        streams: scene.backend.take_streams(&process).unwrap_or_default(),
        process,
    })
}

async fn gone(scene: &Scene, container: &Live) -> Option<crate::status::ExitStatus> {
    let exit = scene.client.wait_until(&container.process, Until::Removed).await.unwrap();
    let state = scene.client.state(&container.id).await;
    assert_eq!(state.unwrap_err().kind(), ErrorKind::NotFound);
    exit.map(|exit| exit.status)
}

async fn a_container_that_goes_when_it_ends_leaves_nothing_but_its_exit(scene: Scene) {
    let container = made(&scene, &["exit", "3"], None, Removal::Ended).await.unwrap();
    let early = {
        let (client, process) = (scene.client.clone(), container.process.clone());
        tokio::spawn(async move { client.wait(&process).await })
    };
    scene.client.start(&container.id).await.unwrap();
    assert_eq!(early.await.unwrap().unwrap().status, code(3));
    assert_eq!(gone(&scene, &container).await, Some(code(3)));
    assert_eq!(scene.another().client.wait(&container.process).await.unwrap().status, code(3));
    scene.backend.until(&container.id, |change| *change == StateChange::Deleted).await;
    let told = scene.backend.changes(&container.id);
    assert!(
        matches!(told[..], [StateChange::Started { .. }, StateChange::Exited { .. }, StateChange::Deleted]),
        "{told:?}"
    );
    drop(container);
    scene.is_empty().await;
}

async fn a_follower_of_a_container_that_goes_hears_every_byte(scene: Scene) {
    let container = made(&scene, &["emit", &SOME.to_string(), "95"], None, Removal::Ended).await.unwrap();
    let stream = scene.client.logs(&container.process).follow().open().await.unwrap();
    let follower = tokio::spawn(drain_log(stream));
    scene.client.start(&container.id).await.unwrap();
    let heard = follower.await.unwrap();
    assert_eq!(heard.stdout.len() as u64, SOME);
    check_stretch(&heard.stdout, 95, 0);
    assert_eq!(gone(&scene, &container).await, Some(code(0)));
}

async fn the_name_of_a_container_that_went_is_free(scene: Scene) {
    for exit in 1..=5u8 {
        let container = made(&scene, &["exit", &exit.to_string()], None, Removal::Ended).await.unwrap();
        scene.client.start(&container.id).await.unwrap();
        assert_eq!(gone(&scene, &container).await, Some(code(exit)));
    }
}

async fn a_forced_delete_of_a_container_that_goes_when_it_ends_succeeds(scene: Scene) {
    let container = made(&scene, &["sleep"], None, Removal::Ended).await.unwrap();
    scene.client.start(&container.id).await.unwrap();
    scene.client.delete(&container.id, Delete::killing()).await.unwrap();
    assert_eq!(gone(&scene, &container).await, Some(killed_by(Signal::KILL)));
    drop(container);
    scene.is_empty().await;
}

async fn with_its_owner_a_container_goes_and_all_in_it(scene: Scene) {
    let owner = scene.stage.owner().await;
    let container = made(&scene, &["sleep"], Some(Lease::on(owner)), Removal::Asked).await.unwrap();
    scene.client.start(&container.id).await.unwrap();
    let exec = scene.exec(&container, "e", &["brood"], Stdio::null()).await;
    scene.stage.kill_outside(owner);
    assert_eq!(gone(&scene, &container).await, Some(killed_by(Signal::KILL)));
    assert_eq!(exec.status().await, killed_by(Signal::KILL));
    drop((container, exec));
    scene.is_empty().await;
}

async fn with_its_owner_goes_what_never_ran_and_what_has_ended(scene: Scene) {
    for starts in [false, true] {
        let owner = scene.stage.owner().await;
        let container = made(&scene, &["exit", "2"], Some(Lease::on(owner)), Removal::Asked).await.unwrap();
        if starts {
            scene.client.start(&container.id).await.unwrap();
            container.exit().await;
        }
        assert!(scene.client.state(&container.id).await.is_ok(), "its owner lives");
        scene.stage.kill_outside(owner);
        match gone(&scene, &container).await {
            Some(status) if starts => assert_eq!(status, code(2)),
            // What waited for its start was killed, where a runtime tells that at all.
            other => assert!(!starts && other.is_none_or(|status| status == killed_by(Signal::KILL)), "{other:?}"),
        }
        drop(container);
        scene.is_empty().await;
    }
}

async fn the_end_of_an_owner_harms_no_other_container(scene: Scene) {
    let (owner, another) = (scene.stage.owner().await, scene.stage.owner().await);
    let bound = made(&scene, &["sleep"], Some(Lease::on(owner)), Removal::Asked).await.unwrap();
    scene.client.start(&bound.id).await.unwrap();
    let free = scene.running("free", &["sleep"], Stdio::null()).await;
    let mut elsewhere = scene.stage.container(scene.stage.probe(&["sleep"]), Stdio::null());
    elsewhere.lease = Some(Lease::on(another));
    scene.client.create(&id("elsewhere"), elsewhere).await.unwrap();
    scene.client.start(&id("elsewhere")).await.unwrap();
    scene.stage.kill_outside(owner);
    gone(&scene, &bound).await;
    assert!(free.pid().await > 0);
    let state = scene.client.state(&id("elsewhere")).await.unwrap();
    assert_eq!(state.state, crate::status::ContainerState::Running);
}

async fn an_owner_that_is_gone_already_is_refused(scene: Scene) {
    let owner = scene.stage.owner().await;
    scene.stage.kill_outside(owner);
    let refused = made(&scene, &["sleep"], Some(Lease::on(owner)), Removal::Asked).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{refused}");
    scene.is_empty().await;
}

async fn a_sweep_finds_nothing_on_a_clean_machine_and_touches_nothing_that_lives(scene: Scene) {
    assert_eq!(scene.client.sweep(Sweep::Find).await.unwrap(), []);
    let keeps = scene.stage.capabilities().keeps_output;
    let stdio = if keeps { Stdio::kept(Keep::default()) } else { Stdio::output() };
    let container = scene.running("c", &["ignore-term"], stdio).await;
    let waiting = scene.created("waiting", &["exit", "1"], Stdio::piped()).await;
    let ended = scene.running("ended", &["exit", "2"], Stdio::output()).await;
    ended.exit().await;
    for how in [Sweep::Find, Sweep::Remove] {
        assert_eq!(scene.another().client.sweep(how).await.unwrap(), [], "{how:?}");
    }
    scene.client.start(&waiting.id).await.unwrap();
    assert_eq!((waiting.status().await, ended.status().await), (code(1), code(2)));
    if keeps {
        scene.client.logs(&container.process).wait_for("ready", 1).await.unwrap();
    }
    let mut exec = scene.exec(&container, "e", &["echo", "still", "here"], Stdio::output()).await;
    assert_eq!(text(exec.stdout()).await, "still here\n");
}
