//! Kept output in memory: what processes wrote, in segments, for any number of readers.
//!
//! A log is a list of pieces with offsets that never change; when it is longer than what is to be kept, its oldest
//! segment goes. A follower waits at its end until every output that is kept in it has ended.
//!
//! Imitates offsets, rotation, ends, several runs of one name; not: disks, least of all full ones.

mod reader;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

use self::reader::Reader;
use crate::id::{Instance, ProcessId};
use crate::ports::process_io::{EndOfOutput, LogSource, OutputKind, Piece, ReadLog};
use crate::stdio::Keep;

const ROOT: &str = "/memory/output";
/// Who is younger may belong to a container that is being made.
const YOUNG: Duration = Duration::from_secs(60);

/// Where the output of one process is kept.
pub(super) fn place(instance: Instance, process: &ProcessId) -> PathBuf {
    Path::new(ROOT).join(instance.to_string()).join(process.as_str())
}

/// All kept output of one machine in memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Shelf {
    logs: Arc<Mutex<BTreeMap<PathBuf, Arc<KeptLog>>>>,
}

impl Shelf {
    /// Makes a log, or goes on with the one of an earlier process of that name.
    pub(super) fn make(&self, at: &Path, keep: Keep, kinds: &[OutputKind]) {
        let mut logs = self.logs();
        let log = logs.entry(at.to_owned()).or_insert_with(|| Arc::new(KeptLog::new(keep)));
        log.state().running = kinds.to_vec();
    }

    /// The log that is there.
    pub(super) fn open(&self, at: &Path) -> Option<Arc<KeptLog>> {
        self.logs().get(at).cloned()
    }

    /// Removes all of one creation; who reads goes on.
    pub(super) fn forget(&self, instance: Instance) {
        let its = Path::new(ROOT).join(instance.to_string());
        self.logs().retain(|at, _| !at.starts_with(&its));
    }

    /// Where output is kept that belongs to none of the `living` and is not young.
    pub(super) fn orphans(&self, living: &[Instance]) -> Vec<PathBuf> {
        let homes: Vec<PathBuf> = living.iter().map(|instance| Path::new(ROOT).join(instance.to_string())).collect();
        let orphan =
            |at: &Path, log: &KeptLog| log.made.elapsed() >= YOUNG && !homes.iter().any(|home| at.starts_with(home));
        self.logs().iter().filter(|(at, log)| orphan(at, log)).map(|(at, _)| at.clone()).collect()
    }

    /// Removes the log that is there.
    pub(super) fn remove(&self, at: &Path) {
        self.logs().remove(at);
    }

    /// Where output is kept, sorted.
    pub(super) fn places(&self) -> Vec<PathBuf> {
        self.logs().keys().cloned().collect()
    }

    fn logs(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Arc<KeptLog>>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The kept output of one process.
#[derive(Debug)]
pub(super) struct KeptLog {
    keep: Keep,
    made: Instant,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes and ends, each with the number of its segment.
    pieces: VecDeque<(u64, Piece)>,
    /// How many pieces went before the first of these.
    gone: u64,
    /// The offset of the first byte that is kept.
    oldest: u64,
    /// The offset after the last.
    newest: u64,
    /// The number of the newest segment, and how many bytes it has.
    segment: u64,
    filled: u64,
    /// The outputs that have not ended.
    running: Vec<OutputKind>,
}

impl KeptLog {
    fn new(keep: Keep) -> Self {
        KeptLog { keep, made: Instant::now(), state: Mutex::default(), changed: Notify::new() }
    }

    /// Adds what was written to one output.
    pub(super) fn append(&self, kind: OutputKind, bytes: &[u8], at: SystemTime) {
        let mut bytes = Bytes::copy_from_slice(bytes);
        let mut state = self.state();
        while !bytes.is_empty() {
            if state.filled == self.keep.segment {
                state.rotate(self.keep.segments);
            }
            let room = usize::try_from(self.keep.segment - state.filled).unwrap_or(usize::MAX);
            state.add(kind, bytes.split_to(bytes.len().min(room)), at);
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// An output has ended.
    pub(super) fn end(&self, kind: OutputKind, why: EndOfOutput, at: SystemTime) {
        let mut state = self.state();
        state.running.retain(|running| *running != kind);
        let segment = state.segment;
        state.pieces.push_back((segment, Piece::End { kind, why, at }));
        drop(state);
        self.changed.notify_waiters();
    }

    /// A reader of it.
    pub(super) fn read(self: &Arc<Self>, read: ReadLog) -> Box<dyn LogSource> {
        Box::new(Reader::new(self, read))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, kind: OutputKind, bytes: Bytes, at: SystemTime) {
        let (offset, length) = (self.newest, bytes.len() as u64);
        self.pieces.push_back((self.segment, Piece::Bytes { offset, kind, at, bytes }));
        self.newest += length;
        self.filled += length;
    }

    /// Begins the next segment; the oldest makes room.
    fn rotate(&mut self, limit: Option<u32>) {
        self.segment += 1;
        self.filled = 0;
        let Some(limit) = limit else { return };
        while self.pieces.front().is_some_and(|(segment, _)| segment + u64::from(limit) <= self.segment) {
            if let Some((_, Piece::Bytes { offset, bytes, .. })) = self.pieces.pop_front() {
                self.oldest = offset + bytes.len() as u64;
            }
            self.gone += 1;
        }
    }
}
