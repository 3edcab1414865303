//! The two processes that supervise a container, found from outside, killed, and awaited to be two again.
//!
//! They are found by what they hold open of the container's directory. That a successor is there is told by nothing
//! but the processes themselves, so that is looked at over and over; that it has taken over, by an answer of its.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use libcontainerd::Supervisor;
use libcontainerd_tests::{fault, host};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::time::sleep;

use crate::process::NOT_HANGING;
use crate::scene::{Scene, init};

const NAME: &[u8] = b"lctr-monitor\0";
const GLANCE: Duration = Duration::from_millis(1);

/// Who of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// The one that supervises.
    Monitor,
    /// The one that waits.
    Witness,
    /// Both, so that neither sees the other die.
    Both,
}

/// Monitor and witness of one container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The parent.
    pub(crate) witness: u32,
    /// The child.
    pub(crate) monitor: u32,
}

impl Pair {
    /// Waits for both of them.
    pub(crate) async fn of(scene: &Scene, container: &str) -> Pair {
        Pair::after(scene, container, &[]).await
    }

    /// Waits for both of them to be others than these.
    pub(crate) async fn after(scene: &Scene, container: &str, dead: &[u32]) -> Pair {
        let state = scene.scratch().state();
        let found = tokio::time::timeout(NOT_HANGING, async {
            loop {
                match *supervisors(&state, container) {
                    [witness, monitor] if !dead.contains(&witness) && !dead.contains(&monitor) => {
                        return Pair { witness, monitor };
                    }
                    _ => sleep(GLANCE).await,
                }
            }
        });
        found.await.unwrap_or_else(|_| panic!("{container}: {:?} are not two", supervisors(&state, container)))
    }

    /// Kills one or both.
    pub(crate) fn kill(self, who: Who) -> Vec<u32> {
        let dead = match who {
            Who::Monitor => vec![self.monitor],
            Who::Witness => vec![self.witness],
            Who::Both => vec![self.witness, self.monitor],
        };
        kill_at_once(&dead);
        dead
    }

    /// Kills one of the two and waits until they are two again and the monitor answers.
    pub(crate) async fn replace(self, scene: &Scene, next: &Supervisor, container: &str, who: Who) -> Pair {
        let dead = self.kill(who);
        let pair = Pair::after(scene, container, &dead).await;
        answers(next, container).await;
        pair
    }
}

/// Waits for an answer of the monitor: there is no stdin, so that to close it is asked for in vain.
pub(crate) async fn answers(next: &Supervisor, container: &str) {
    let asked = tokio::time::timeout(NOT_HANGING, next.client().close_stdin(&init(container))).await;
    asked.expect("an answer does not hang").unwrap();
}

/// Those of the two that live, the parent first.
pub(crate) fn supervisors(state: &Path, container: &str) -> Vec<u32> {
    let mut all = fault::supervisors(state, container);
    all.retain(|pid| {
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(NAME)) && host::lives(*pid)
    });
    all
}

/// Kills processes so that none of them acts on the end of another, and waits for their ends.
pub(crate) fn kill_at_once(pids: &[u32]) {
    let open = |pid: &u32| {
        let pid = i32::try_from(*pid).ok().and_then(Pid::from_raw)?;
        // One that has ended by itself meanwhile needs no killing.
        pidfd_open(pid, PidfdFlags::empty()).ok()
    };
    let victims: Vec<OwnedFd> = pids.iter().filter_map(open).collect();
    for signal in [Signal::STOP, Signal::KILL] {
        for victim in &victims {
            let _ = pidfd_send_signal(victim, signal);
        }
    }
    for victim in &victims {
        let mut end = [PollFd::new(victim, PollFlags::IN)];
        let limit = Timespec { tv_sec: 10, tv_nsec: 0 };
        assert_eq!(poll(&mut end, Some(&limit)), Ok(1), "what is killed ends");
    }
}
