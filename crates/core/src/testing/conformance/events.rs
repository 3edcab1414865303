//! Events: their order, their identity, and cursors that miss nothing.

use super::scene::{Live, Scene};
use super::suite;
use crate::cursor::{Cursor, Since};
use crate::event::{Event, EventKind, StateChange};
use crate::id::ContainerId;
use crate::ports::runtime::EventSource;
use crate::signal::Signal;
use crate::stdio::Stdio;

suite!(Replay:
    events_tell_a_life_in_its_order,
    events_of_one_creation_have_one_instance_and_rising_numbers,
    a_cursor_continues_where_it_was_taken,
    two_who_follow_see_the_same,
    a_backend_is_told_a_life_in_its_order,
    every_client_that_looks_is_told_the_end,
);

/// A life with one exec in it, up to its delete.
async fn life(scene: &Scene) -> Live {
    let mut container = scene.running("c", &["drain", "1"], Stdio::piped()).await;
    scene.exec(&container, "e", &["exit", "2"], Stdio::null()).await.exit().await;
    container.close_stdin().await;
    container.exit().await;
    container.delete().await;
    container
}

/// The events of a container up to its delete, each with the position after it.
async fn to_delete(source: &mut dyn EventSource, id: &ContainerId) -> Vec<(Event, Cursor)> {
    let mut seen = Vec::new();
    loop {
        let (event, cursor) = source.next().await.unwrap().expect("the source goes on");
        if event.container != *id {
            continue;
        }
        let last = event.kind == EventKind::Deleted;
        seen.push((event, cursor));
        if last {
            return seen;
        }
    }
}

fn name(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Created => "created",
        EventKind::Started { .. } => "started",
        EventKind::ExecStarted { .. } => "exec-started",
        EventKind::Exited { process, .. } if process.is_init() => "exited",
        EventKind::Exited { .. } => "exec-exited",
        EventKind::Deleted => "deleted",
        _ => "other",
    }
}

async fn events_tell_a_life_in_its_order(scene: Scene) {
    let mut source = scene.client.events(Since::Now).await.unwrap();
    let container = life(&scene).await;
    let seen = to_delete(&mut *source, &container.id).await;
    let names: Vec<_> = seen.iter().map(|(event, _)| name(&event.kind)).collect();
    assert_eq!(names, ["created", "started", "exec-started", "exec-exited", "exited", "deleted"]);
}

async fn events_of_one_creation_have_one_instance_and_rising_numbers(scene: Scene) {
    let mut source = scene.client.events(Since::Now).await.unwrap();
    let mut instances = Vec::new();
    for _ in 0..2 {
        let container = life(&scene).await;
        let seen = to_delete(&mut *source, &container.id).await;
        assert!(seen.iter().all(|(event, _)| event.instance == seen[0].0.instance), "{seen:?}");
        assert!(seen.is_sorted_by(|a, b| a.0.sequence < b.0.sequence), "{seen:?}");
        instances.push(seen[0].0.instance);
    }
    assert_ne!(instances[0], instances[1]);
}

async fn a_cursor_continues_where_it_was_taken(scene: Scene) {
    let mut source = scene.client.events(Since::Now).await.unwrap();
    let container = life(&scene).await;
    let seen = to_delete(&mut *source, &container.id).await;
    for (at, (_, cursor)) in seen[..seen.len() - 1].iter().enumerate() {
        let mut again = scene.another().client.events(Since::Cursor(cursor.clone())).await.unwrap();
        let rest = to_delete(&mut *again, &container.id).await;
        let events = |list: &[(Event, Cursor)]| list.iter().map(|(event, _)| event.clone()).collect::<Vec<_>>();
        assert_eq!(events(&rest), events(&seen[at + 1..]));
    }
}

async fn two_who_follow_see_the_same(scene: Scene) {
    let mut one = scene.client.events(Since::Now).await.unwrap();
    let mut two = scene.another().client.events(Since::Now).await.unwrap();
    let container = life(&scene).await;
    let seen = to_delete(&mut *one, &container.id).await;
    assert_eq!(seen, to_delete(&mut *two, &container.id).await);
}

async fn a_backend_is_told_a_life_in_its_order(scene: Scene) {
    let container = life(&scene).await;
    scene.backend.until(&container.id, |change| *change == StateChange::Deleted).await;
    let told = scene.backend.changes(&container.id);
    let names: Vec<_> = told.iter().map(change_name).collect();
    assert_eq!(names, ["started", "process-started", "process-exited", "exited", "deleted"]);
}

fn change_name(change: &StateChange) -> &'static str {
    match change {
        StateChange::Started { .. } => "started",
        StateChange::ProcessStarted { .. } => "process-started",
        StateChange::ProcessExited { .. } => "process-exited",
        StateChange::Exited { .. } => "exited",
        StateChange::Deleted => "deleted",
        _ => "other",
    }
}

async fn every_client_that_looks_is_told_the_end(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let others = [scene.another(), scene.another()];
    for other in &others {
        other.client.open(&container.id).await.unwrap();
    }
    container.signal(Signal::KILL).await;
    let exit = container.exit().await;
    for other in &others {
        let told = other.changes_to_exit(&container.id).await;
        assert_eq!(told.last(), Some(&StateChange::Exited { exit: exit.clone() }));
    }
}
