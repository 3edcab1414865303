//! Everything at once: output live, kept and from a terminal, stops in between, and of client, monitor and witness one
//! or two killed at a random moment; then the next client recovers, and compares with what the containers wrote down.
//!
//! A killed pair is killed so that neither sees the other die. Where monitor and witness both died, what was in a pipe
//! may have died with them: then what was kept is what was written with at most one stretch missing, and the end is
//! known as well as the kernel tells it.

use std::sync::Arc;
use std::time::Instant;

use libcontainerd::core::ports::process_io::{Piece, ReadFrom};
use libcontainerd::core::status::How;
use libcontainerd::{ContainerState, ErrorKind, Exit, ExitStatus, ProcessId, Signal, Supervisor};

use crate::dice::{Dice, end_of_sweep};
use crate::life::{FITS, LARGE, Life};
use crate::pair::{kill_at_once, supervisors};
use crate::process::{Ended, Lctr, NOT_HANGING};
use crate::scene::{Scene, init, trials};
use crate::successor::{exit_of, rest_of, same_bytes};
use crate::sweeps::span_of_a_life;

trials!(whoever_is_killed_whatever_it_does_nothing_is_lost,);

/// Where the output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Live,
    Kept,
    KeptFromTerminal,
}

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Victims {
    client: bool,
    monitor: bool,
    witness: bool,
}

impl Victims {
    /// Every one and every pair of the three.
    const ALL: [Victims; 6] = [
        Victims { client: true, monitor: false, witness: false },
        Victims { client: false, monitor: true, witness: false },
        Victims { client: false, monitor: false, witness: true },
        Victims { client: true, monitor: true, witness: false },
        Victims { client: true, monitor: false, witness: true },
        Victims { client: false, monitor: true, witness: true },
    ];

    fn both_supervisors(self) -> bool {
        self.monitor && self.witness
    }
}

/// One round.
#[derive(Debug)]
struct Round {
    life: Life,
    place: Place,
    victims: Victims,
    /// Whether it was killed as users do, too.
    stopped: bool,
}

async fn whoever_is_killed_whatever_it_does_nothing_is_lost(scene: Arc<Scene>) {
    let (span, mut dice) = (span_of_a_life(&scene).await, Dice::new("mixed"));
    let begun = Instant::now();
    let end = begun + 3 * end_of_sweep().saturating_duration_since(begun);
    let (mut rounds, mut found) = (0, 0);
    while Instant::now() < end {
        let mut round = Round::any(&scene, &mut dice, rounds);
        let client = round.begin(&scene);
        tokio::time::sleep(dice.within(span)).await;
        if round.stopped {
            let stop = ["stop", "-t", "0", round.life.name()].map(str::to_owned).into();
            // There may be nothing to stop yet.
            scene.lctr(&format!("{}.stop", round.life.name()), stop).end().await;
        }
        let ended = round.strike(&scene, client).await;
        found += u32::from(round.recover(&scene, ended).await);
        rounds += 1;
    }
    eprintln!("mixed: {rounds} rounds in {:?}, {found} with a container", begun.elapsed());
    assert!(found > 0, "of {rounds} rounds none had a container");
}

impl Round {
    fn any(scene: &Scene, dice: &mut Dice, number: u32) -> Round {
        let life = scene.life(&format!("x{number}"), dice.below(125) as u8, dice.one_of(&[0, 1, FITS, LARGE]));
        let place = dice.one_of(&[Place::Live, Place::Kept, Place::KeptFromTerminal]);
        let mut victims = dice.one_of(&Victims::ALL);
        if place == Place::Live && victims.both_supervisors() {
            // That is a sweep of its own.
            victims.witness = false;
        }
        let life = if place == Place::KeptFromTerminal { life.on_terminal() } else { life };
        Round { life, place, victims, stopped: dice.below(5) == 0 }
    }

    fn begin(&self, scene: &Scene) -> Lctr {
        let args = match self.place {
            Place::Live => scene.describe(&["run"], &self.life),
            Place::Kept => scene.describe_kept(&["run", "-d"], &self.life),
            Place::KeptFromTerminal => scene.describe_kept(&["run", "-d", "-t"], &self.life),
        };
        scene.lctr(self.life.name(), args)
    }

    /// Kills who is there of the victims, and waits for the client's end.
    async fn strike(&self, scene: &Scene, client: Lctr) -> Ended {
        let there = supervisors(&scene.scratch().state(), self.life.name());
        let mut dead = match (&*there, self.victims) {
            (_, victims) if victims.both_supervisors() => there.clone(),
            // While it is born there may be one of them, or a third above the two.
            ([.., _, monitor], Victims { monitor: true, .. }) => vec![*monitor],
            ([.., witness, _], Victims { witness: true, .. }) => vec![*witness],
            _ => Vec::new(),
        };
        dead.extend(client.pid().filter(|_| self.victims.client));
        kill_at_once(&dead);
        client.end().await
    }

    /// Says whether there is a container; then it is brought to its end, judged, and removed.
    async fn recover(&mut self, scene: &Scene, ended: Ended) -> bool {
        let name = self.life.name().to_owned();
        let next = scene.client();
        let found = tokio::time::timeout(NOT_HANGING, scene.looked_up(&next, &name)).await;
        let is_there = found.expect("looking does not hang").is_some();
        assert!(is_there || ended.code != Some(0), "{name}: it was told to run, and is not there: {ended:?}");
        if is_there {
            let (read, exit) = self.account(&next, ended).await;
            self.judge(&read, &exit);
        } else {
            assert_eq!(self.life.wrote(), None, "{name}: it ran, and is not there");
        }
        scene.remove(&name).await;
        assert_eq!(scene.left_over(), Vec::<String>::new(), "of {self:?}");
        is_there
    }

    /// All that was written, and the exit.
    async fn account(&mut self, next: &Supervisor, ended: Ended) -> (Vec<u8>, Exit) {
        let process = init(self.life.name());
        if self.place == Place::Live {
            // A client that has read it to its end has removed nothing: what is left to be read is nothing.
            let (rest, exit) = rest_of(next, &mut self.life).await;
            return ([ended.stdout, rest].concat(), exit);
        }
        let state = next.client().open(&process.container).await.unwrap().state;
        if state == ContainerState::Created
            && let Err(error) = next.client().start(&process.container).await
        {
            // What the killed client asked for last may come to pass after all.
            assert_eq!(error.kind(), ErrorKind::WrongState, "{self:?}: {error:?}");
        }
        let exit = exit_of(next, self.life.name(), &ProcessId::init()).await;
        (self.kept(next).await, exit)
    }

    async fn kept(&self, next: &Supervisor) -> Vec<u8> {
        let process = init(self.life.name());
        let mut read = Vec::new();
        let all = async {
            let mut log = next.client().logs(&process).from(ReadFrom::Start).follow().open().await.unwrap();
            while let Some(piece) = log.next().await.unwrap() {
                match piece {
                    Piece::Bytes { bytes, .. } => read.extend_from_slice(&bytes),
                    Piece::Lost { .. } => panic!("{self:?}: {piece:?}"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(NOT_HANGING, all).await.unwrap_or_else(|_| panic!("the log of {self:?} never ends"));
        read
    }

    fn judge(&self, read: &[u8], exit: &Exit) {
        let name = self.life.name();
        let both = self.victims.both_supervisors();
        let how_fits = exit.how == How::Waited || (both && matches!(exit.how, How::Inferred(_) | How::Unknown));
        assert!(how_fits && exit.durable, "{self:?}: {exit:?}");
        let killed = self.stopped && exit.status == ExitStatus::Signal(Signal::KILL);
        let unknown = both && exit.status == ExitStatus::Unknown;
        if !killed && !unknown {
            assert_eq!(exit.status, ExitStatus::Code(self.life.code()), "{self:?}: {exit:?}");
        }
        let Some(wrote) = self.life.wrote() else {
            assert!(killed || unknown, "{self:?} has not run, and yet it is told: {exit:?}");
            return assert_eq!(read.len(), 0, "{self:?}: bytes that nobody wrote");
        };
        match (killed || unknown, both) {
            (false, false) => same_bytes(name, read, &wrote),
            // It may not have come to its end.
            (true, false) => assert!(wrote.starts_with(read), "{self:?}: others than what was written"),
            (_, true) => assert!(has_one_gap(read, &wrote), "{self:?}: more than one stretch is missing"),
        }
    }
}

/// Whether it is the whole without one stretch, or without one and its end.
fn has_one_gap(read: &[u8], wrote: &[u8]) -> bool {
    let same = read.iter().zip(wrote).take_while(|(a, b)| a == b).count();
    let rest = &read[same..];
    rest.is_empty() || wrote[same..].windows(rest.len()).any(|stretch| stretch == rest)
}
