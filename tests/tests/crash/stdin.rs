//! Input survives too: whoever dies, a program's stdin is closed when its user closes it, and not before.
//!
//! A client is fed from a pipe whose other reader is the test: what a killed one has not passed on is still in there.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::Arc;

use libcontainerd::core::testing::pattern;
use libcontainerd::{ContainerState, ProcessId};
use libcontainerd_tests::lctr;
use tokio::io::AsyncWriteExt;

use crate::life::{FITS, LARGE, Life};
use crate::pair::{Pair, Who};
use crate::process::Lctr;
use crate::scene::{Scene, id, init, trials};
use crate::successor::{Known, exit_of, judge, removed, same_bytes, to_its_end};

trials!(
    a_killed_client_closes_no_stdin_and_loses_no_byte_of_it,
    a_killed_monitor_or_witness_closes_no_stdin_and_loses_no_byte_of_it,
    a_stdin_that_was_closed_stays_closed_for_a_successor,
);

fn input(bytes: u64) -> Vec<u8> {
    let mut input = vec![0; bytes as usize];
    pattern::fill(77, 0, &mut input);
    input
}

fn command(scene: &Scene, life: &Life) -> std::process::Command {
    lctr::command(scene.scratch(), scene.describe(&["run", "-i"], life))
}

async fn a_killed_client_closes_no_stdin_and_loses_no_byte_of_it(scene: Arc<Scene>) {
    for (name, bytes) in [("small", FITS), ("large", LARGE)] {
        let mut life = scene.life(name, 41, 0).reading();
        let (mut rest, mut feed) = std::io::pipe().unwrap();
        let lctr = Lctr::fed(scene.scratch(), name, command(&scene, &life), rest.try_clone().unwrap());
        let input = input(bytes);
        let fed = input.clone();
        let feeder = std::thread::spawn(move || feed.write_all(&fed).unwrap());
        life.says("half").await;
        lctr.kill().await;
        let next = scene.client();
        assert_eq!(next.client().open(&id(name)).await.unwrap().state, ContainerState::Running);
        let mut child = next.attach(&init(name)).await.unwrap();
        life.go_on().await;
        let left = tokio::task::spawn_blocking(move || {
            let mut left = Vec::new();
            rest.read_to_end(&mut left).map(|_| left)
        });
        let left = left.await.unwrap().unwrap();
        feeder.join().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&left).await.unwrap();
        stdin.shutdown().await.unwrap();
        let (read, exit) = to_its_end(&mut child).await;
        judge(&life, &read, &exit, Known::Waited);
        same_bytes(name, &life.has_read(), &input);
        removed(&next, name).await;
    }
}

async fn a_killed_monitor_or_witness_closes_no_stdin_and_loses_no_byte_of_it(scene: Arc<Scene>) {
    for (name, who) in [("m", Who::Monitor), ("w", Who::Witness), ("both", Who::Both)] {
        let mut life = scene.life(name, 42, 0).reading();
        let input = input(LARGE);
        let file = scene.scratch().place(&format!("{name}.input"));
        std::fs::write(&file, &input).unwrap();
        let lctr = Lctr::fed(scene.scratch(), name, command(&scene, &life), File::open(&file).unwrap());
        life.says("half").await;
        let dead = Pair::of(&scene, name).await.kill(who);
        Pair::after(&scene, name, &dead).await;
        life.go_on().await;
        let ended = lctr.end().await;
        assert_eq!(ended.code, Some(42), "{name}: {ended:?}");
        same_bytes(name, &life.has_read(), &input);
        let known = if who == Who::Both { Known::Inferred } else { Known::Waited };
        judge(&life, &ended.stdout, &exit_of(&scene.client(), name, &ProcessId::init()).await, known);
        scene.remove(name).await;
    }
}

async fn a_stdin_that_was_closed_stays_closed_for_a_successor(scene: Arc<Scene>) {
    for (name, who) in [("m", Who::Monitor), ("w", Who::Witness), ("both", Who::Both)] {
        let mut life = scene.life(name, 43, 0).reading();
        let args = scene.describe(&["create", "-i"], &life);
        scene.lctr(name, args).end().await.succeeded();
        let next = scene.client();
        let mut child = next.attach(&init(name)).await.unwrap();
        next.client().start(&id(name)).await.unwrap();
        life.says("half").await;
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"the last words").await.unwrap();
        stdin.shutdown().await.unwrap();
        let dead = Pair::of(&scene, name).await.kill(who);
        Pair::after(&scene, name, &dead).await;
        life.go_on().await;
        let (_, exit) = to_its_end(&mut child).await;
        assert_eq!(exit.status.shell_code(), 43, "{name}: {exit:?}");
        same_bytes(name, &life.has_read(), b"the last words");
        removed(&next, name).await;
    }
}
