//! Execs whose time is up: killed with all that they have started.
//!
//! The time is on the kernel's monotonic clock and in the journal, so that a successor keeps it and nobody who sets the
//! host's clock moves it. That it is up is written down before anything is killed: whoever sees the end then knows why.
//! SIGKILL goes to the exec's cgroup, which ends frozen processes too, and to the exec itself where a host has no cgroup
//! for it.
//!
//! Keeps: `an_exec_whose_time_is_up_is_killed_with_its_tree`, `a_successor_keeps_the_time_of_an_exec`.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use libcontainerd_core::process::NewProcess;
use rustix::time::{ClockId, clock_gettime};

use super::Monitor;
use super::exec::leaf_name;
use super::process::Supervised;
use crate::record::{Bounds, Fact};
use crate::sys;

/// How a process that is asked for is bounded from now on.
pub(super) fn bounds(what: &NewProcess) -> Bounds {
    let deadline = what.timeout.and_then(|timeout| now().checked_add(timeout));
    Bounds { deadline, left_overs: what.left_overs }
}

/// The kernel's monotonic clock, the same for every process of one boot.
fn now() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

impl Monitor<'_> {
    /// When the time of the next process is up.
    pub(super) fn next_time_up(&self) -> Option<Instant> {
        let (now, today) = (now(), Instant::now());
        self.processes.iter().filter_map(deadline).min().and_then(|when| today.checked_add(when.saturating_sub(now)))
    }

    /// Kills every process whose time is up, with all that it has started.
    pub(super) fn end_those_whose_time_is_up(&mut self) {
        let is_up = |process: &Supervised| deadline(process).is_some_and(|when| when <= now());
        while let Some(at) = self.processes.iter().position(is_up) {
            let process = &mut self.processes[at];
            process.timed_out = true;
            let (id, number) = (process.id().clone(), process.number());
            if self.journal.history().process(&id).is_some_and(|known| known.made.number == number) {
                self.journal.record(Fact::TimeUp { process: id });
            }
            self.kill_tree(at, number);
        }
    }

    fn kill_tree(&self, at: usize, number: u64) {
        if let Some(cgroup) = &self.cgroup
            && let Err(error) = cgroup.kill_leaf(&leaf_name(number))
        {
            self.shared.diary.note(format_args!("the processes of exec {number} cannot be killed: {error}"));
        }
        // That it has ended already is as good.
        let _ = sys::send_signal(self.processes[at].descriptor.as_fd(), 9);
    }
}

/// When its time is up, unless it was killed for that already.
fn deadline(process: &Supervised) -> Option<Duration> {
    process.made.bounds.deadline.filter(|_| !process.timed_out)
}
