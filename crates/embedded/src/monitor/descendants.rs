//! What an exec leaves running when it ends: counted, and left or killed as was asked.
//!
//! Its cgroup knows all that it has started. Left-overs that are to be killed are dead before the exit is told; those
//! that go on keep the cgroup until they have ended, which is looked at whenever another exec ends, or until the
//! container has.
//!
//! Keeps: `left_overs_are_killed_and_counted_where_asked`, `left_overs_go_on_and_are_counted`.

use std::collections::VecDeque;
use std::time::Duration;

use libcontainerd_core::process::LeftOvers;
use libcontainerd_engine::Cgroup;

use super::Monitor;
use super::exec::leaf_name;
use crate::record::Process;

/// How long the death of processes that were killed is waited for; one that hangs in the kernel dies later.
const DEATH: Duration = Duration::from_secs(2);
/// How many cgroups of ended execs are looked at each time.
const LOOKS: usize = 8;

impl Monitor<'_> {
    /// Counts what an exec that has ended has left running, and ends it if its time was up or that was asked for.
    pub(super) fn count_left_overs(&self, made: &Process, timed_out: bool) -> Option<u32> {
        let cgroup = self.cgroup.as_ref().filter(|_| made.number != 0)?;
        let leaf = leaf_name(made.number);
        let left = cgroup.leaf_pids(&leaf).ok()?.len();
        if timed_out || made.bounds.left_overs == LeftOvers::Kill {
            match cgroup.end_leaf(&leaf, DEATH) {
                Ok(true) => {}
                Ok(false) => self.shared.diary.note(format_args!("left-overs of {} take long to die", made.id)),
                Err(error) => self.shared.diary.note(format_args!("left-overs of {} go on: {error}", made.id)),
            }
        }
        u32::try_from(left).ok()
    }

    /// Removes the cgroup of an exec that has ended, if nothing is in it, and some of those that had to stay before.
    pub(super) fn remove_leaves(&mut self, number: u64) {
        self.lingering.push_back(number);
        for _ in 0..LOOKS.min(self.lingering.len()) {
            if let Some(number) = self.lingering.pop_front()
                && !self.remove_leaf(number)
            {
                self.lingering.push_back(number);
            }
        }
    }
}

/// The numbers of the execs that have ended and whose cgroups a dead monitor has left.
pub(super) fn lingering(cgroup: Option<&Cgroup>, is_alive: impl Fn(u64) -> bool) -> VecDeque<u64> {
    let names = cgroup.and_then(|cgroup| cgroup.leaf_names().ok()).unwrap_or_default();
    let numbers = names.iter().filter_map(|name| name.strip_prefix("exec-")?.parse().ok());
    numbers.filter(|number| !is_alive(*number)).collect()
}
