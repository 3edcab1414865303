//! The ends of processes that were told, the latest of one container.
//!
//! Answers waiters that come afterwards, and tells an exit that is heard a second time from the exit of a later
//! process under the same name.

use std::collections::VecDeque;

use crate::id::ProcessId;
use crate::status::Exit;

const LATEST: usize = 256;

/// The ends that were told.
#[derive(Debug, Default)]
pub(super) struct Past {
    ends: VecDeque<End>,
}

/// One end.
#[derive(Debug)]
pub(super) struct End {
    pub(super) process: ProcessId,
    pub(super) exit: Exit,
    /// The event that told it; `None` when it was read from a state.
    pub(super) sequence: Option<u64>,
    /// When it was noted, by the order's stamps.
    pub(super) stamp: u64,
    /// The process whose start was told without an event, which is still to come.
    pub(super) unheard: Option<u32>,
}

impl Past {
    /// Notes an end.
    pub(super) fn note(&mut self, end: End) {
        if self.ends.len() == LATEST {
            // Init's own end stays: its waiters may come at any time.
            let victim = self.ends.iter().position(|end| !end.process.is_init()).unwrap_or(0);
            self.ends.remove(victim);
        }
        self.ends.push_back(end);
    }

    /// Whether the event of the start of `pid` is the late one of a process whose end was read from a state.
    pub(super) fn was_started(&mut self, process: &ProcessId, pid: u32) -> bool {
        let same = |end: &&mut End| end.process == *process && end.unheard == Some(pid);
        self.ends.iter_mut().find(same).is_some_and(|end| end.unheard.take().is_some())
    }

    /// The latest exit under that name.
    pub(super) fn exit(&self, process: &ProcessId) -> Option<&Exit> {
        self.latest(process).map(|end| &end.exit)
    }

    /// Whether a process of that name ended at or after `stamp`.
    pub(super) fn ended_since(&self, process: &ProcessId, stamp: u64) -> bool {
        self.latest(process).is_some_and(|end| end.stamp >= stamp)
    }

    /// Whether the event `sequence` is older than the end of that process.
    pub(super) fn is_later_than(&self, process: &ProcessId, sequence: u64) -> bool {
        self.latest(process).and_then(|end| end.sequence).is_some_and(|end| end > sequence)
    }

    /// Whether `exit`, now told by the event `sequence`, is one that was read from a state before.
    pub(super) fn was_read(&mut self, process: &ProcessId, exit: &Exit, sequence: u64) -> bool {
        let same = |end: &&mut End| {
            end.process == *process
                && end.sequence.is_none()
                && end.exit.at == exit.at
                && end.exit.status == exit.status
        };
        match self.ends.iter_mut().rev().find(same) {
            Some(end) => {
                end.sequence = Some(sequence);
                true
            }
            None => false,
        }
    }

    fn latest(&self, process: &ProcessId) -> Option<&End> {
        self.ends.iter().rev().find(|end| end.process == *process)
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::status::{ExitStatus, How};

    #[test]
    fn the_end_of_init_outlasts_any_number_of_execs() {
        let mut past = Past::default();
        let exit = Exit::new(ExitStatus::Code(3), How::Waited, SystemTime::UNIX_EPOCH);
        let end = |process: ProcessId| End { process, exit: exit.clone(), sequence: None, stamp: 1, unheard: None };
        past.note(end(ProcessId::init()));
        for number in 0..10_000 {
            past.note(end(format!("e{number}").parse().unwrap()));
        }
        assert!(past.exit(&ProcessId::init()).is_some());
        assert!(past.ends.len() <= LATEST);
    }
}
