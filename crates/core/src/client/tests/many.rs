//! Many at once, on real threads and real time: none lost, none twice, nothing left.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::rig::{Rig, exit, name, new_container, this};
use crate::client::Delete;
use crate::event::StateChange;
use crate::id::ProcessRef;
use crate::process::NewProcess;
use crate::stdio::Stdio;

/// The short life of one container with one exec.
async fn live(rig: &Rig, id: &str, code: u8) {
    let (container, process) = (name(id), this("e1"));
    rig.client.create(&container, new_container()).await.unwrap();
    let init = ProcessRef::init(container.clone());
    let waits = [0; 3].map(|_| {
        let (client, init) = (rig.client.clone(), init.clone());
        tokio::spawn(async move { client.wait(&init).await.unwrap() })
    });
    rig.client.start(&container).await.unwrap();
    let new = NewProcess::new(["true"], Stdio::output());
    rig.client.add_process(&container, &process, new).await.unwrap();
    rig.world.exit(id, "init", code);
    rig.world.exit(id, "e1", code);
    for wait in waits {
        assert_eq!(wait.await.unwrap(), exit(code));
    }
    assert_eq!(rig.client.wait(&init).await.unwrap(), exit(code));
    rig.client.delete(&container, Delete::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_short_containers_sixteen_at_a_time_lose_nothing_and_leave_nothing() {
    let rig = Arc::new(Rig::new());
    let turns = Arc::new(Semaphore::new(16));
    let lives: Vec<_> = (0..200u8)
        .map(|number| {
            let (rig, turns) = (Arc::clone(&rig), Arc::clone(&turns));
            tokio::spawn(async move {
                let _turn = turns.acquire().await.unwrap();
                live(&rig, &format!("c{number}"), number).await;
            })
        })
        .collect();
    for life in lives {
        life.await.unwrap();
    }
    // Started, exec started, exec exited, exited, deleted.
    let told = rig.world.changes(200 * 5).await;
    assert_eq!(told.len(), 200 * 5);
    for number in 0..200u8 {
        let exits = told.iter().filter(|change| **change == StateChange::Exited { exit: exit(number) });
        assert_eq!(exits.count(), 1, "container {number}");
    }
    assert_eq!(rig.world.calls("remove").len(), 400, "streams of init and of the exec");
    assert_eq!(rig.client.shared.table.all().len(), 0);
}
