//! The monitor is killed, or the witness, or one after the other: it costs nothing.
//!
//! Each test goes through every order of deaths. The client is one that lives throughout, in a process of its own.

use std::sync::Arc;

use libcontainerd::core::event::EventKind;
use libcontainerd::{ContainerState, ProcessId};

use crate::life::{FITS, LARGE, Life};
use crate::pair::{Pair, Who};
use crate::process::Lctr;
use crate::scene::{Scene, id, init, trials};
use crate::successor::{Known, carry_on, exit_of, judge, removed, rest_of};

trials!(
    before_the_start_it_leaves_one_to_start,
    while_the_program_is_quiet_its_client_notices_nothing,
    while_output_flows_no_byte_is_lost,
    while_nobody_reads_no_byte_is_lost,
    while_twenty_execs_run_each_exit_is_true,
    after_the_exit_the_unread_output_is_kept,
    a_death_by_signal_is_told_as_such,
    while_it_is_deleted_the_deletion_is_finished,
);

/// Who dies, one after the other, with time to be replaced in between.
const ORDERS: [(&str, &[Who]); 5] = [
    ("m", &[Who::Monitor]),
    ("w", &[Who::Witness]),
    ("mw", &[Who::Monitor, Who::Witness]),
    ("wm", &[Who::Witness, Who::Monitor]),
    ("mmwwm", &[Who::Monitor, Who::Monitor, Who::Witness, Who::Witness, Who::Monitor]),
];

/// How well an exit is known after that. A witness that dies after a monitor takes along that it was the parent of all
/// that runs; then the kernel's word is left.
fn known(order: &[Who]) -> Known {
    let monitor = order.iter().position(|who| *who == Who::Monitor).unwrap_or(order.len());
    if order[monitor..].contains(&Who::Witness) { Known::Inferred } else { Known::Waited }
}

/// Lets them die in this order.
async fn die(scene: &Scene, container: &str, order: &[Who]) {
    let next = scene.client();
    let mut pair = Pair::of(scene, container).await;
    for who in order {
        pair = pair.replace(scene, &next, container, *who).await;
    }
}

async fn before_the_start_it_leaves_one_to_start(scene: Arc<Scene>) {
    for (name, order) in ORDERS {
        let mut life = scene.life(name, 4, FITS);
        scene.lctr(name, scene.create(&life)).end().await.succeeded();
        die(&scene, name, order).await;
        let state = scene.client().client().state(&id(name)).await.unwrap().state;
        assert_eq!(state, ContainerState::Created, "{name}");
        assert!(carry_on(&scene, &mut life, Vec::new(), known(order)).await);
    }
}

async fn while_the_program_is_quiet_its_client_notices_nothing(scene: Arc<Scene>) {
    for (name, order) in ORDERS {
        let mut life = scene.life(name, 77, FITS).halting();
        let lctr = scene.run(&life);
        life.says("half").await;
        die(&scene, name, order).await;
        life.go_to_its_end().await;
        let ended = lctr.end().await;
        assert_eq!((ended.code, &*ended.stderr), (Some(77), ""), "{name}");
        let exit = exit_of(&scene.client(), name, &ProcessId::init()).await;
        judge(&life, &ended.stdout, &exit, known(order));
        scene.remove(name).await;
    }
}

async fn while_output_flows_no_byte_is_lost(scene: Arc<Scene>) {
    for (name, order) in ORDERS {
        let life = scene.life(name, 78, 4 * LARGE);
        let lctr = scene.run(&life);
        scene.account().until(name, |kind| matches!(kind, EventKind::Started { .. })).await;
        let pair = Pair::of(&scene, name).await;
        pair.kill(order[0]);
        let ended = lctr.end().await;
        assert_eq!((ended.code, &*ended.stderr), (Some(78), ""), "{name}");
        judge(&life, &ended.stdout, &exit_of(&scene.client(), name, &ProcessId::init()).await, Known::Waited);
        scene.remove(name).await;
    }
}

async fn while_nobody_reads_no_byte_is_lost(scene: Arc<Scene>) {
    for (name, order) in ORDERS {
        let mut life = scene.life(name, 79, LARGE);
        scene.run_detached(&life).await;
        die(&scene, name, order).await;
        assert!(carry_on(&scene, &mut life, Vec::new(), known(order)).await);
    }
}

async fn while_twenty_execs_run_each_exit_is_true(scene: Arc<Scene>) {
    for (name, order) in ORDERS {
        let mut around = scene.life(name, 0, 0).halting();
        scene.run_detached(&around).await;
        around.says("half").await;
        let named = |code: u8| format!("{name}-exec{code}");
        let mut lives: Vec<Life> = (1..=20).map(|code| scene.life(&named(code), code, FITS).halting()).collect();
        let readers: Vec<Lctr> = lives.iter().map(|life| scene.exec(name, life)).collect();
        for life in &mut lives {
            life.says("half").await;
        }
        die(&scene, name, order).await;
        for life in &mut lives {
            life.go_to_its_end().await;
        }
        for (life, reader) in lives.iter().zip(readers) {
            let ended = reader.end().await;
            assert_eq!((ended.code, &*ended.stderr), (Some(life.code().into()), ""), "{}", life.name());
            let exit = scene.account().exit(name, &life.name().parse().unwrap()).await;
            judge(life, &ended.stdout, &exit, known(order));
        }
        around.go_to_its_end().await;
        scene.remove(name).await;
    }
}

async fn after_the_exit_the_unread_output_is_kept(scene: Arc<Scene>) {
    for (name, order) in ORDERS {
        let mut life = scene.life(name, 80, FITS);
        scene.run_detached(&life).await;
        scene.account().until(name, |kind| matches!(kind, EventKind::Exited { .. })).await;
        Pair::of(&scene, name).await.kill(order[0]);
        let (read, exit) = rest_of(&scene.client(), &mut life).await;
        judge(&life, &read, &exit, Known::Waited);
        scene.remove(name).await;
    }
}

async fn a_death_by_signal_is_told_as_such(scene: Arc<Scene>) {
    for (name, order) in ORDERS {
        let mut life = scene.life(name, 0, FITS).halting();
        let lctr = scene.run(&life);
        life.says("half").await;
        let next = scene.client();
        let pid = next.client().state(&id(name)).await.unwrap().init().unwrap().pid.unwrap();
        die(&scene, name, order).await;
        libcontainerd_tests::fault::kill(pid);
        assert_eq!(lctr.end().await.code, Some(128 + 9), "{name}");
        let exit = next.client().wait(&init(name)).await.unwrap();
        assert_eq!(exit.status.shell_code(), 128 + 9, "{exit:?}");
        removed(&next, name).await;
    }
}

async fn while_it_is_deleted_the_deletion_is_finished(scene: Arc<Scene>) {
    for (name, order) in ORDERS {
        let mut life = scene.life(name, 0, FITS).halting();
        scene.run_detached(&life).await;
        life.says("half").await;
        let pair = Pair::of(&scene, name).await;
        let deletion = scene.lctr(&format!("{name}.deletion"), ["rm", "-f", name].map(str::to_owned).into());
        scene.account().until(name, |kind| matches!(kind, EventKind::Exited { .. })).await;
        pair.kill(order[0]);
        let ended = deletion.end().await;
        assert_eq!(ended.code, Some(0), "{name}: {ended:?}");
        scene.account().until_deleted(name).await;
        assert_eq!(scene.left_over(), Vec::<String>::new(), "{name}");
    }
}
