//! Snapshots and what follows them: nothing falls between the two, however much happens meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::scene::{Scene, id};
use super::suite;
use crate::client::{Delete, Snapshot};
use crate::error::ErrorKind;
use crate::event::EventKind;
use crate::id::Instance;
use crate::ports::runtime::EventSource;
use crate::status::ContainerState;
use crate::stdio::Stdio;

const LIVES: u32 = 12;

suite!(Replay:
    what_happens_around_a_snapshot_is_in_it_or_after_it,
    a_watcher_that_sleeps_loses_nothing_or_is_told,
    a_snapshot_of_nothing_is_followed_from_there,
);

/// What is known of each creation: its state, `None` when it is gone.
type Picture = BTreeMap<Instance, Option<ContainerState>>;

fn picture(snapshot: &Snapshot) -> Picture {
    snapshot.containers.iter().map(|status| (status.instance, Some(status.state))).collect()
}

/// Containers that come, run and go, until nobody wants them any more; the last one stays.
async fn bustle(scene: Scene, name: &'static str, enough: Arc<AtomicBool>) {
    loop {
        let container = scene.running(name, &["exit", "0"], Stdio::null()).await;
        scene.client.wait(&container.process).await.unwrap();
        if enough.load(Ordering::Relaxed) {
            return;
        }
        scene.client.delete(&container.id, Delete::default()).await.unwrap();
    }
}

async fn what_happens_around_a_snapshot_is_in_it_or_after_it(scene: Scene) {
    let enough = Arc::new(AtomicBool::new(false));
    let names = ["a", "b", "d"];
    let busy = names.map(|name| tokio::spawn(bustle(scene.another(), name, enough.clone())));
    let mut seen = Vec::new();
    for _ in 0..10 {
        let snapshot = scene.client.snapshot().await.unwrap();
        let events = scene.client.watch(snapshot.cursor.clone()).await.unwrap();
        seen.push((picture(&snapshot), events));
        tokio::task::yield_now().await;
    }
    enough.store(true, Ordering::Relaxed);
    for life in busy {
        life.await.unwrap();
    }
    let last = scene.running("last", &["sleep"], Stdio::null()).await;
    let now = picture(&scene.client.snapshot().await.unwrap());
    for (mut picture, mut events) in seen {
        catch_up(&mut picture, &mut *events, &last.id).await;
        picture.retain(|_, state| state.is_some());
        assert_eq!(picture, now);
    }
}

/// Brings a picture to the moment in which the container `last` is started.
async fn catch_up(picture: &mut Picture, events: &mut dyn EventSource, last: &crate::id::ContainerId) {
    loop {
        let (event, _) = events.next().await.unwrap().expect("the events go on");
        let state = match &event.kind {
            EventKind::Created => Some(ContainerState::Created),
            EventKind::Started { .. } => Some(ContainerState::Running),
            EventKind::Exited { process, .. } if process.is_init() => Some(ContainerState::Stopped),
            EventKind::Deleted => None,
            _ => continue,
        };
        picture.insert(event.instance, state);
        if event.container == *last && matches!(event.kind, EventKind::Started { .. }) {
            return;
        }
    }
}

async fn a_watcher_that_sleeps_loses_nothing_or_is_told(scene: Scene) {
    let snapshot = scene.client.snapshot().await.unwrap();
    let mut asleep = scene.client.watch(snapshot.cursor).await.unwrap();
    for _ in 0..LIVES {
        let container = scene.running("c", &["exit", "1"], Stdio::null()).await;
        container.exit().await;
        container.delete().await;
    }
    let (mut exits, mut ends) = (0, 0);
    while ends < LIVES {
        match asleep.next().await {
            Ok(Some((event, _))) => match &event.kind {
                EventKind::Exited { .. } => exits += 1,
                EventKind::Deleted => ends += 1,
                _ => {}
            },
            Ok(None) => panic!("the events go on"),
            Err(error) => return assert_eq!(error.kind(), ErrorKind::Gap, "{error}"),
        }
    }
    assert_eq!(exits, LIVES);
}

async fn a_snapshot_of_nothing_is_followed_from_there(scene: Scene) {
    let snapshot = scene.client.snapshot().await.unwrap();
    assert_eq!(snapshot.containers, []);
    let container = scene.created("c", &["exit", "0"], Stdio::null()).await;
    let mut events = scene.another().client.watch(snapshot.cursor).await.unwrap();
    let (event, _) = events.next().await.unwrap().expect("the events go on");
    assert_eq!((event.container, event.kind), (id("c"), EventKind::Created));
    container.delete().await;
}
