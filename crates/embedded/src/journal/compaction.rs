//! Which entries of a long journal are still needed.
//!
//! All about the container itself, all about the processes that are remembered, and the very last entry, so that
//! sequence numbers go on. What falls away are the lives of execs that ended long ago.

use libcontainerd_core::ProcessId;

use crate::record::{Entry, Fact, History};

/// The payloads that are kept, in their order.
pub(super) fn kept(records: &[Vec<u8>], history: &History) -> Result<Vec<Vec<u8>>, serde_json::Error> {
    let entries = records.iter().map(|record| Entry::decode(record)).collect::<Result<Vec<_>, _>>()?;
    let last = entries.len().saturating_sub(1);
    let kept = entries.iter().enumerate().filter(|(at, entry)| {
        *at == last || subject(&entry.fact).is_none_or(|process| is_remembered(process, *at, &entries, history))
    });
    kept.map(|(_, entry)| entry.encode()).collect()
}

/// Whether an entry is about the life of that name that the history remembers, not about an earlier one.
fn is_remembered(process: &ProcessId, at: usize, entries: &[Entry], history: &History) -> bool {
    let Some(remembered) = history.process(process) else { return false };
    let begun = |entry: &Entry| match &entry.fact {
        Fact::Created(made) | Fact::ExecCreated(made) => made.id == *process && made.number == remembered.made.number,
        _ => false,
    };
    entries.iter().position(begun).is_some_and(|begin| at >= begin)
}

/// The exec that an entry is about.
fn subject(fact: &Fact) -> Option<&ProcessId> {
    match fact {
        Fact::ExecCreated(process) => Some(&process.id),
        Fact::ExecStarted { process }
        | Fact::ExecFailed { process }
        | Fact::StdinClosed { process }
        | Fact::Kept { process, .. }
        | Fact::Exited { process, .. } => (!process.is_init()).then_some(process),
        _ => None,
    }
}
