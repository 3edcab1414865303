//! Many at once: none lost, nothing left.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};

use super::reading::text;
use super::scene::{Scene, code};
use super::suite;
use crate::event::StateChange;
use crate::stdio::Stdio;

const CONTAINERS: u32 = 200;
const AT_ONCE: usize = 16;

suite!(Nothing: two_hundred_short_containers_sixteen_at_a_time_lose_nothing);

async fn two_hundred_short_containers_sixteen_at_a_time_lose_nothing(scene: Scene) {
    LocalSet::new().run_until(storm(&scene)).await;
    scene.is_empty().await;
}

async fn storm(scene: &Scene) {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut lives = JoinSet::new();
    for number in 0..CONTAINERS {
        let (scene, turns) = (scene.clone(), turns.clone());
        lives.spawn_local(async move {
            let _turn = turns.acquire().await.unwrap();
            short_life(&scene, number).await;
        });
    }
    while let Some(life) = lives.join_next().await {
        life.unwrap();
    }
}

async fn short_life(scene: &Scene, number: u32) {
    let name = format!("c{number}");
    if number.is_multiple_of(2) {
        let mut container = scene.running(&name, &["echo", &name], Stdio::output()).await;
        assert_eq!(text(container.stdout()).await, format!("{name}\n"));
        assert_eq!(container.status().await, code(0));
        container.delete().await;
    } else {
        let wanted = (number % 256) as u8;
        let container = scene.running(&name, &["exit", &wanted.to_string()], Stdio::null()).await;
        assert_eq!(container.status().await, code(wanted));
        container.delete().await;
    }
    let told = super::scene::id(&name);
    scene.backend.until(&told, |change| *change == StateChange::Deleted).await;
    let exits = |change: &&StateChange| matches!(change, StateChange::Exited { .. });
    assert_eq!(scene.backend.changes(&told).iter().filter(exits).count(), 1, "{name}");
}
