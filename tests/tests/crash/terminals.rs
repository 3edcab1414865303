//! What a terminal relays survives whoever relays it, and whoever reads it.
//!
//! Between the program and its reader there is the monitor here, and yet no byte may be in its memory when it dies.

use std::sync::Arc;

use libcontainerd::core::status::{Evidence, How};
use libcontainerd::{ProcessId, TerminalSize};

use crate::life::{FITS, LARGE, Life};
use crate::pair::{Pair, Who};
use crate::process::Lctr;
use crate::scene::{Scene, init, trials};
use crate::successor::{Known, carry_on, exit_of, judge, same_bytes};

trials!(
    a_killed_reader_of_a_terminal_loses_no_byte,
    a_killed_monitor_or_witness_loses_no_byte_of_a_terminal,
    a_terminal_is_relayed_and_resized_by_a_successor,
    a_terminal_whose_supervisors_are_both_dead_hangs_nobody,
);

async fn made(scene: &Scene, life: &Life) {
    scene.lctr(life.name(), scene.describe(&["create", "-t"], life)).end().await.succeeded();
}

/// Reads a terminal and types nothing; starts the container when it is not.
fn reader(scene: &Scene, name: &str) -> Lctr {
    scene.lctr(name, ["attach", "--no-stdin", name].map(str::to_owned).into())
}

async fn started(scene: &Scene, name: &str) {
    scene.lctr(&format!("{name}.start"), ["start", name].map(str::to_owned).into()).end().await.succeeded();
}

async fn a_killed_reader_of_a_terminal_loses_no_byte(scene: Arc<Scene>) {
    let mut life = scene.life("c", 21, LARGE).halting().on_terminal();
    made(&scene, &life).await;
    let lctr = reader(&scene, "c");
    started(&scene, "c").await;
    life.says("half").await;
    let before = lctr.kill().await;
    assert!(carry_on(&scene, &mut life, before, Known::Waited).await);
}

async fn a_killed_monitor_or_witness_loses_no_byte_of_a_terminal(scene: Arc<Scene>) {
    for (name, who) in [("m", Who::Monitor), ("w", Who::Witness)] {
        for pause in 0..4_u64 {
            let life = scene.life(&format!("{name}{pause}"), 22, LARGE).on_terminal();
            let name = life.name();
            made(&scene, &life).await;
            let pair = Pair::of(&scene, name).await;
            let lctr = reader(&scene, name);
            started(&scene, name).await;
            // Somewhere in the middle of what is relayed.
            tokio::time::sleep(std::time::Duration::from_millis(3 * pause)).await;
            pair.kill(who);
            let ended = lctr.end().await;
            let exit = exit_of(&scene.client(), name, &ProcessId::init()).await;
            judge(&life, &ended.stdout, &exit, Known::Waited);
            scene.remove(name).await;
        }
    }
}

async fn a_terminal_is_relayed_and_resized_by_a_successor(scene: Arc<Scene>) {
    let mut life = scene.life("c", 23, FITS).halting().on_terminal();
    made(&scene, &life).await;
    let lctr = reader(&scene, "c");
    started(&scene, "c").await;
    life.says("half").await;
    let next = scene.client();
    let mut pair = Pair::of(&scene, "c").await;
    for who in [Who::Monitor, Who::Witness, Who::Monitor] {
        let dead = pair.kill(who);
        pair = Pair::after(&scene, "c", &dead).await;
        next.client().resize(&init("c"), TerminalSize { columns: 132, rows: 50 }).await.unwrap();
    }
    life.go_to_its_end().await;
    let ended = lctr.end().await;
    same_bytes("c", &ended.stdout, &life.wrote().unwrap());
    assert_eq!(ended.code, Some(23), "{ended:?}");
    scene.remove("c").await;
}

async fn a_terminal_whose_supervisors_are_both_dead_hangs_nobody(scene: Arc<Scene>) {
    let mut life = scene.life("c", 24, FITS).halting().on_terminal();
    made(&scene, &life).await;
    let lctr = reader(&scene, "c");
    started(&scene, "c").await;
    life.says("half").await;
    // What is still in the terminal dies with the two; what was relayed does not.
    lctr.has_written(FITS / 2).await;
    let dead = Pair::of(&scene, "c").await.kill(Who::Both);
    Pair::after(&scene, "c", &dead).await;
    // The terminal is gone with its master; the program goes on without, and its end is known.
    life.go_to_its_end().await;
    let ended = lctr.end().await;
    assert_eq!(ended.code, Some(24), "{ended:?}");
    let exit = exit_of(&scene.client(), "c", &ProcessId::init()).await;
    assert_eq!(exit.how, How::Inferred(Evidence::ProcessDescriptor), "{exit:?}");
    let wrote = life.wrote().unwrap();
    assert!(wrote.starts_with(&ended.stdout), "what was read is what was written");
    assert!(ended.stdout.len() as u64 >= FITS / 2, "what was relayed before is not lost");
    scene.remove("c").await;
}
