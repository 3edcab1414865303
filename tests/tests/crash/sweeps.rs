//! Deaths at random moments, over and over: whatever the moment, nothing is lost and nothing is left.
//!
//! The time of one undisturbed life is measured first, and the deaths are spread over it. In each round the container
//! is new; when the round is over its exit, its bytes and what is left on the host were looked at.

use std::sync::Arc;
use std::time::{Duration, Instant};

use libcontainerd::core::status::How;
use libcontainerd::{ErrorKind, ExitStatus, ProcessId, ProcessRef};

use crate::dice::{Dice, end_of_sweep};
use crate::life::{FITS, LARGE, Life};
use crate::pair::{Pair, Who, kill_at_once, supervisors};
use crate::process::{Ended, Lctr};
use crate::scene::{Scene, id, trials};
use crate::successor::{Known, carry_on, exit_of, judge, same_bytes, to_its_end};

trials!(
    a_client_killed_at_any_moment_costs_nothing,
    a_monitor_killed_at_any_moment_costs_nothing,
    a_witness_killed_at_any_moment_costs_nothing,
    both_killed_at_any_moment_hang_nobody,
    anybody_killed_while_execs_start_and_end_costs_no_exit,
);

/// How long a container takes from its client's start to its end, with everything that is done for it.
pub(crate) async fn span_of_a_life(scene: &Scene) -> Duration {
    let mut spans = Vec::new();
    for name in ["first", "second", "third", "fourth", "fifth"] {
        let begun = Instant::now();
        let life = scene.life(name, 0, FITS);
        scene.lctr(name, scene.describe(&["run", "--rm"], &life)).end().await.succeeded();
        spans.push(begun.elapsed());
    }
    spans.sort();
    // One that a busy machine has held up would spread the deaths over times when nothing lives.
    spans[2]
}

fn any_life(scene: &Scene, dice: &mut Dice, round: u32) -> Life {
    scene.life(&format!("c{round}"), dice.below(256) as u8, dice.one_of(&[0, 1, FITS, LARGE]))
}

async fn a_client_killed_at_any_moment_costs_nothing(scene: Arc<Scene>) {
    let (span, mut dice) = (span_of_a_life(&scene).await, Dice::new("clients"));
    let end = end_of_sweep();
    let (mut rounds, mut found) = (0, 0);
    while Instant::now() < end {
        let mut life = any_life(&scene, &mut dice, rounds);
        let verb = dice.one_of(&[&["run"][..], &["run", "-d"], &["create"], &["run", "--rm"]]);
        let lctr = scene.lctr(life.name(), scene.describe(verb, &life));
        tokio::time::sleep(dice.within(span)).await;
        let written = lctr.kill().await;
        // One that is detached writes a name, and no byte of the container's.
        let before = if verb == ["run"] || verb == ["run", "--rm"] { written } else { Vec::new() };
        found += u32::from(carry_on(&scene, &mut life, before, Known::Waited).await);
        rounds += 1;
    }
    eprintln!("clients: killed {rounds} times, {found} with a container");
    assert!(found > 0, "of {rounds} rounds none had a container");
}

async fn a_monitor_killed_at_any_moment_costs_nothing(scene: Arc<Scene>) {
    supervisors_killed(&scene, "monitors", Who::Monitor).await;
}

async fn a_witness_killed_at_any_moment_costs_nothing(scene: Arc<Scene>) {
    supervisors_killed(&scene, "witnesses", Who::Witness).await;
}

async fn both_killed_at_any_moment_hang_nobody(scene: Arc<Scene>) {
    supervisors_killed(&scene, "both", Who::Both).await;
}

async fn supervisors_killed(scene: &Scene, purpose: &str, who: Who) {
    let (span, mut dice) = (span_of_a_life(scene).await, Dice::new(purpose));
    let end = end_of_sweep();
    let (mut rounds, mut hit, mut ran) = (0, 0, 0);
    while Instant::now() < end {
        let mut life = any_life(scene, &mut dice, rounds);
        let lctr = scene.run(&life);
        tokio::time::sleep(dice.within(span)).await;
        hit += u32::from(strike(scene, life.name(), who));
        let ended = lctr.end().await;
        ran += u32::from(ended.code != Some(125));
        ended_well(scene, &mut life, ended, who).await;
        rounds += 1;
    }
    eprintln!("{purpose}: {rounds} rounds, killed in {hit}, the program ran in {ran}");
    assert!(hit > 0 && ran > 0, "of {rounds} rounds none was hit, or none ran");
}

/// Kills who is there of the two, and says whether there was one.
fn strike(scene: &Scene, container: &str, who: Who) -> bool {
    let there = supervisors(&scene.scratch().state(), container);
    let dead = match (&*there, who) {
        // While it is born there may be one of them, or a third above the two.
        ([.., witness, _], Who::Witness) => vec![*witness],
        ([.., _, monitor], Who::Monitor) => vec![*monitor],
        _ => there.clone(),
    };
    kill_at_once(&dead);
    !dead.is_empty()
}

/// The client has told the truth; what it was refused may be there all the same, and is whole then.
async fn ended_well(scene: &Scene, life: &mut Life, ended: Ended, who: Who) {
    let name = life.name();
    // A program that ends with our own code for failure is told from one by what it wrote down.
    if ended.code == Some(125) && !ended.stderr.is_empty() {
        assert!(ended.stderr.starts_with("lctr: "), "{name}: {ended:?}");
        let is_orphan = who == Who::Both && life.wrote().is_none();
        if is_orphan {
            scene.remove(name).await;
        } else {
            carry_on(scene, life, ended.stdout, Known::Waited).await;
        }
        return;
    }
    let exit = exit_of(&scene.client(), name, &ProcessId::init()).await;
    if who == Who::Both && exit.status == ExitStatus::Unknown {
        assert_eq!((exit.how, ended.code), (How::Unknown, Some(255)), "{name}: {exit:?}");
        same_bytes(name, &ended.stdout, &life.wrote().unwrap_or_default());
    } else {
        assert_eq!(ended.code, Some(life.code().into()), "{name}: {ended:?}");
        let known = if who == Who::Both { Known::Inferred } else { Known::Waited };
        judge(life, &ended.stdout, &exit, known);
    }
    scene.remove(name).await;
    assert_eq!(scene.left_over(), Vec::<String>::new(), "of {name}");
}

/// Who dies while execs start and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    One(Who),
    Client(usize),
}

const AT_ONCE: usize = 4;

async fn anybody_killed_while_execs_start_and_end_costs_no_exit(scene: Arc<Scene>) {
    let (span, mut dice) = (span_of_a_life(&scene).await, Dice::new("execs"));
    let mut around = scene.life("c", 0, 0).halting();
    scene.run_detached(&around).await;
    around.says("half").await;
    let (mut rounds, end) = (0, end_of_sweep());
    while Instant::now() < end {
        Pair::of(&scene, "c").await;
        let lives = execs(&scene, &mut dice, rounds);
        let mut clients: Vec<Option<Lctr>> = lives.iter().map(|life| Some(scene.exec("c", life))).collect();
        tokio::time::sleep(dice.within(span)).await;
        let one = Victim::One(dice.one_of(&[Who::Monitor, Who::Witness]));
        let client = Victim::Client(dice.below(AT_ONCE as u64) as usize);
        let victim = dice.one_of(&[one, one, client]);
        let killed = match victim {
            Victim::One(who) => {
                strike(&scene, "c", who);
                None
            }
            Victim::Client(at) => Some((at, clients[at].take().unwrap().kill().await)),
        };
        for (life, client) in lives.iter().zip(clients) {
            if let Some(client) = client {
                exec_ended_well(&scene, life, client.end().await).await;
            }
        }
        if let Some((at, before)) = killed {
            exec_carried_on(&scene, &lives[at], before).await;
        }
        rounds += 1;
    }
    eprintln!("execs: {rounds} rounds of {AT_ONCE}");
    assert!(rounds > 0);
    // Monitors and witnesses have died in turns under it.
    assert!(carry_on(&scene, &mut around, Vec::new(), Known::Inferred).await);
}

fn execs(scene: &Scene, dice: &mut Dice, round: u32) -> Vec<Life> {
    let name = |at| format!("exec{round}-{at}");
    (0..AT_ONCE).map(|at| scene.life(&name(at), dice.below(125) as u8, dice.one_of(&[0, FITS, LARGE]))).collect()
}

async fn exec_ended_well(scene: &Scene, life: &Life, ended: Ended) {
    let name = life.name();
    let process: ProcessId = name.parse().unwrap();
    if ended.code == Some(125) {
        let exits = scene.account().exits("c", &process);
        assert_eq!(life.wrote(), None, "{name}: it was told not to run, and ran: {ended:?}");
        assert!(exits.is_empty(), "{name}: {exits:?}");
        return;
    }
    assert_eq!(ended.code, Some(life.code().into()), "{name}: {ended:?}");
    judge(life, &ended.stdout, &scene.account().exit("c", &process).await, Known::Waited);
}

/// What a killed client has left of its exec: not begun, or to be read to its end.
async fn exec_carried_on(scene: &Scene, life: &Life, before: Vec<u8>) {
    let next = scene.client();
    let process = ProcessRef::new(id("c"), life.name().parse().unwrap());
    let status = next.client().state(&process.container).await.unwrap();
    if status.process(&process.process).is_none() {
        return;
    }
    let (after, exit) = match next.attach(&process).await {
        Ok(mut child) => to_its_end(&mut child).await,
        // Its client had all of it and had removed the streams.
        Err(error) if error.kind() == ErrorKind::NotFound => (Vec::new(), exit_of(&next, "c", &process.process).await),
        Err(error) => panic!("{}: {error:?}", life.name()),
    };
    judge(life, &[before, after].concat(), &exit, Known::Waited);
}
