//! Monitor and witness are killed at once: what is lost is said, nothing is invented, and nobody hangs.
//!
//! A container that lives is adopted by the next client that looks, or by one that is there already; one that died
//! with them has ended in a way that nobody knows.

use std::sync::Arc;

use libcontainerd::core::status::{Evidence, How};
use libcontainerd::{ContainerState, ErrorKind, Exit, ExitStatus, ProcessId};

use crate::life::{FITS, LARGE, Life};
use crate::pair::{Pair, Who, kill_at_once};
use crate::process::Lctr;
use crate::scene::{Scene, id, init, trials};
use crate::successor::{Known, carry_on, exit_of, judge, removed, same_bytes};

trials!(
    a_living_client_adopts_the_container_and_learns_its_exit,
    while_output_flows_a_living_reader_loses_no_byte,
    the_next_client_adopts_what_lives,
    what_was_adopted_outlives_its_monitor_again,
    an_end_that_nobody_saw_is_unknown_at_once,
    all_three_dead_at_once_hang_nobody,
    execs_are_adopted_too,
    a_container_that_was_never_started_has_ended,
    all_that_look_at_once_adopt_it_once,
);

async fn a_living_client_adopts_the_container_and_learns_its_exit(scene: Arc<Scene>) {
    let mut life = scene.life("c", 11, FITS).halting();
    let lctr = scene.run(&life);
    life.says("half").await;
    let pair = Pair::of(&scene, "c").await;
    let dead = pair.kill(Who::Both);
    Pair::after(&scene, "c", &dead).await;
    life.go_to_its_end().await;
    let ended = lctr.end().await;
    assert_eq!(ended.code, Some(11), "{ended:?}");
    let exit = exit_of(&scene.client(), "c", &ProcessId::init()).await;
    judge(&life, &ended.stdout, &exit, Known::Inferred);
    assert_eq!(exit.how, How::Inferred(Evidence::ProcessDescriptor), "{exit:?}");
    scene.remove("c").await;
}

async fn while_output_flows_a_living_reader_loses_no_byte(scene: Arc<Scene>) {
    let life = scene.life("c", 12, 8 * LARGE);
    let lctr = scene.run(&life);
    Pair::of(&scene, "c").await;
    while life.wrote().is_none() {
        tokio::task::yield_now().await;
    }
    Pair::of(&scene, "c").await.kill(Who::Both);
    let ended = lctr.end().await;
    same_bytes("c", &ended.stdout, &life.wrote().unwrap());
    honest(&life, &exit_of(&scene.client(), "c", &ProcessId::init()).await);
    scene.remove("c").await;
}

async fn the_next_client_adopts_what_lives(scene: Arc<Scene>) {
    for look in ["ps", "inspect", "wait"] {
        let mut life = scene.life(look, 13, FITS).halting();
        scene.run_detached(&life).await;
        life.says("half").await;
        let dead = Pair::of(&scene, look).await.kill(Who::Both);
        let args = if look == "ps" { vec![look.to_owned()] } else { vec![look.to_owned(), look.to_owned()] };
        let looking = scene.lctr(&format!("{look}.look"), args);
        Pair::after(&scene, look, &dead).await;
        let wanted = if look == "wait" { "13\n" } else { look };
        if look == "wait" {
            life.go_to_its_end().await;
        }
        let ended = looking.end().await;
        let printed = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(ended.code == Some(0) && printed.contains(wanted), "{ended:?}");
        assert!(carry_on(&scene, &mut life, Vec::new(), Known::Inferred).await);
    }
}

async fn what_was_adopted_outlives_its_monitor_again(scene: Arc<Scene>) {
    let mut life = scene.life("c", 14, FITS).halting();
    scene.run_detached(&life).await;
    life.says("half").await;
    let next = scene.client();
    let dead = Pair::of(&scene, "c").await.kill(Who::Both);
    assert_eq!(next.client().state(&id("c")).await.unwrap().state, ContainerState::Running);
    let mut pair = Pair::after(&scene, "c", &dead).await;
    for who in [Who::Monitor, Who::Witness] {
        pair = pair.replace(&scene, &next, "c", who).await;
    }
    let dead = pair.kill(Who::Both);
    Pair::after(&scene, "c", &dead).await;
    assert!(carry_on(&scene, &mut life, Vec::new(), Known::Inferred).await);
}

async fn an_end_that_nobody_saw_is_unknown_at_once(scene: Arc<Scene>) {
    let mut life = scene.life("c", 15, FITS).halting();
    scene.run_detached(&life).await;
    life.says("half").await;
    let pid = scene.client().client().state(&id("c")).await.unwrap().init().unwrap().pid.unwrap();
    Pair::of(&scene, "c").await.kill(Who::Both);
    // Not even whoever inherits it may have reaped it when the next one looks.
    libcontainerd_tests::fault::kill(pid);
    let exit = exit_of(&scene.client(), "c", &ProcessId::init()).await;
    assert!(matches!(exit.status, ExitStatus::Unknown | ExitStatus::Signal(_)), "{exit:?}");
    assert_ne!(exit.how, How::Waited, "{exit:?}");
    scene.remove("c").await;
}

async fn all_three_dead_at_once_hang_nobody(scene: Arc<Scene>) {
    let mut life = scene.life("c", 16, FITS).halting();
    let lctr = scene.run(&life);
    life.says("half").await;
    let waiting = scene.lctr("c.wait", ["wait", "c"].map(str::to_owned).into());
    let status = scene.client().client().state(&id("c")).await.unwrap();
    let pair = Pair::of(&scene, "c").await;
    kill_at_once(&[pair.witness, pair.monitor, status.init().unwrap().pid.unwrap()]);
    let exit = exit_of(&scene.client(), "c", &ProcessId::init()).await;
    assert!(matches!(exit.status, ExitStatus::Unknown | ExitStatus::Signal(_)), "{exit:?}");
    let code = i32::from(exit.status.shell_code());
    assert_eq!(lctr.end().await.code, Some(code));
    assert_eq!(String::from_utf8_lossy(&waiting.end().await.stdout), format!("{code}\n"));
    scene.remove("c").await;
}

async fn execs_are_adopted_too(scene: Arc<Scene>) {
    let mut around = scene.life("c", 17, 0).halting();
    scene.run_detached(&around).await;
    around.says("half").await;
    let mut lives: Vec<Life> = (1..=5).map(|code| scene.life(&format!("exec{code}"), code, FITS).halting()).collect();
    let readers: Vec<Lctr> = lives.iter().map(|life| scene.exec("c", life)).collect();
    for life in &mut lives {
        life.says("half").await;
    }
    let dead = Pair::of(&scene, "c").await.kill(Who::Both);
    Pair::after(&scene, "c", &dead).await;
    for life in &mut lives {
        life.go_to_its_end().await;
    }
    for (life, reader) in lives.iter().zip(readers) {
        let ended = reader.end().await;
        assert_eq!(ended.code, Some(life.code().into()), "{}: {ended:?}", life.name());
        let exit = scene.account().exit("c", &life.name().parse().unwrap()).await;
        judge(life, &ended.stdout, &exit, Known::Inferred);
    }
    assert!(carry_on(&scene, &mut around, Vec::new(), Known::Inferred).await);
}

async fn a_container_that_was_never_started_has_ended(scene: Arc<Scene>) {
    let life = scene.life("c", 18, FITS);
    scene.lctr("c", scene.create(&life)).end().await.succeeded();
    Pair::of(&scene, "c").await.kill(Who::Both);
    let next = scene.client();
    let status = next.client().state(&id("c")).await.unwrap();
    assert_eq!(status.state, ContainerState::Stopped, "what was at the gate went with its keeper");
    let refused = next.client().start(&id("c")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WrongState, "{refused}");
    assert_eq!(life.wrote(), None);
    removed(&next, "c").await;
}

async fn all_that_look_at_once_adopt_it_once(scene: Arc<Scene>) {
    let mut life = scene.life("c", 19, FITS).halting();
    scene.run_detached(&life).await;
    life.says("half").await;
    let dead = Pair::of(&scene, "c").await.kill(Who::Both);
    let clients: Vec<_> = (0..8).map(|_| scene.client()).collect();
    let process = init("c");
    let waiters: Vec<_> = (clients.iter().cloned())
        .map(|client| {
            let process = process.clone();
            tokio::spawn(async move { client.client().wait(&process).await })
        })
        .collect();
    Pair::after(&scene, "c", &dead).await;
    life.go_to_its_end().await;
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap().unwrap().status, ExitStatus::Code(19));
    }
    assert!(carry_on(&scene, &mut life, Vec::new(), Known::Inferred).await);
}

/// An exit that is true, or says that it is not known.
#[track_caller]
fn honest(life: &Life, exit: &Exit) {
    let unknown = exit.status == ExitStatus::Unknown && exit.how == How::Unknown;
    assert!(unknown || exit.status == ExitStatus::Code(life.code()), "{}: {exit:?}", life.name());
}
