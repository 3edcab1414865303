//! The ledger of containers that were removed, with the exits of their processes: bounded, for all containers.
//!
//! A log in DATA, so that it outlives a boot, of which two files are kept. Whoever removes a container writes it down
//! before the removal is told; one that dies in between has its successor write it again, and readers take the last of
//! an instance. DATA may serve several STATEs, so that an entry says to whose it belongs. On a full disk nothing is
//! written down, the removal goes on, and what is there stays.
//!
//! Keeps: "the record outlives the container's removal": `a_removed_container_is_remembered`.

use std::collections::HashSet;
use std::path::Path;
use std::time::SystemTime;

use libcontainerd_core::ContainerId;
use libcontainerd_core::status::Past;
use libcontainerd_durable::{Dir, Error as DiskError, log};
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::layout;
use crate::record::History;

/// The version of entries that this build writes, and the highest that it reads.
const VERSION: u32 = 1;
/// The length in bytes from which on a file of the ledger is followed by the next.
const ROTATE_AT: u64 = 1024 * 1024;
/// The most bytes of arguments that are remembered of one container.
const LONGEST_ARGUMENTS: usize = 64 * 1024;
/// How often the ledger is read again when it is rotated under its reader.
const READS: usize = 8;

/// One entry.
#[derive(Serialize, Deserialize)]
struct Entry {
    v: u32,
    /// The hash of STATE.
    state: String,
    past: Past,
}

/// Writes a container down that is about to be removed; it is on the disk once this returned.
///
/// # Errors
/// `Disk` or `Entry`; the ledger is as it was.
pub(crate) fn remember(state: &Path, data: &Path, history: &History) -> Result<(), Fault> {
    let entry = Entry { v: VERSION, state: layout::state_hash(state), past: past_of(history) };
    let payload = serde_json::to_vec(&entry)?;
    let failed = || Fault::disk("write the ledger of past containers");
    let ledger = Dir::open_root(data, 0o700).and_then(|data| data.ensure(layout::LEDGER, 0o700)).map_err(failed())?;
    let writer = log::Writer::open(&ledger, ROTATE_AT).map_err(failed())?;
    writer.append_durably(&payload).map_err(failed())
}

/// The containers of a STATE that were removed, newest first: those of that name, or all.
///
/// # Errors
/// When the ledger cannot be read.
pub(crate) fn read(state: &Path, data: &Path, id: Option<&ContainerId>) -> Result<Vec<Past>, DiskError> {
    let hash = layout::state_hash(state);
    let mut seen = HashSet::new();
    let mut found: Vec<Past> = entries(data)?
        .into_iter()
        .rev()
        .filter(|entry| entry.v <= VERSION && entry.state == hash && seen.insert(entry.past.instance))
        .map(|entry| entry.past)
        .collect();
    found.retain(|past| id.is_none_or(|id| past.id == *id));
    Ok(found)
}

/// All entries that can be understood, oldest first.
fn entries(data: &Path) -> Result<Vec<Entry>, DiskError> {
    let ledger = match Dir::open_path(data).and_then(|data| data.open(layout::LEDGER)) {
        Ok(ledger) => ledger,
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut reads = 1;
    loop {
        match read_all(&ledger) {
            Err(DiskError::Gap { .. }) if reads < READS => reads += 1,
            entries => return entries,
        }
    }
}

fn read_all(ledger: &Dir) -> Result<Vec<Entry>, DiskError> {
    let mut reader = log::Reader::open(ledger, None)?;
    let mut entries = Vec::new();
    loop {
        let before = reader.cursor();
        let batch = reader.next_batch()?;
        if batch.records.is_empty() && batch.cursor == before {
            return Ok(entries);
        }
        // One of a later version of ours, which this one has no words for, is left out.
        entries.extend(batch.records.iter().filter_map(|record| serde_json::from_slice(record).ok()));
    }
}

fn past_of(history: &History) -> Past {
    let what = &history.creating;
    let mut past = Past::new(what.id.clone(), what.instance, history.created_at, SystemTime::now());
    let mut room = LONGEST_ARGUMENTS;
    let fits = |argument: &&String| {
        room = room.saturating_sub(argument.len() + 1);
        room > 0
    };
    past.args =
        history.init().map(|init| init.made.args.iter().take_while(fits).cloned().collect()).unwrap_or_default();
    // An init that ended at its gate has not run.
    let ran = history.processes.iter().filter(|process| process.started || !process.made.id.is_init());
    past.exits = ran.filter_map(|process| Some((process.made.id.clone(), process.exit.clone()?))).collect();
    past
}

#[cfg(test)]
mod tests;
