//! The writing side of a container's journal, and of the log that tells everybody its events.
//!
//! A fact is appended first; an event is published only once the entry that it is, and all before it, are as durable as
//! they must be: one sync per [`ContainerJournal::flush`], however many exits it covers. A disk that fails withholds
//! nothing: the exit is then told as not durable.
//!
//! Keeps: durable before told (`promise 1` of ARCHITECTURE.md).
//! Does not know: how a fact became true.

use std::time::SystemTime;

use libcontainerd_core::event::{Event, EventKind};
use libcontainerd_durable::{Dir, Journal, log};

use crate::diary::Diary;
use crate::doorbell::Doorbells;
use crate::fault::Fault;
use crate::layout;
use crate::record::{Creating, Entry, Fact, History};

mod compaction;

/// Room in bytes for a container's last entries.
const RESERVE: u64 = 16 * 1024;
/// The length in bytes from which on a file of the event log is followed by the next.
const EVENTS_ROTATE_AT: u64 = 4 * 1024 * 1024;
/// The length in bytes from which on a journal is compacted.
const LONG: u64 = 64 * 1024;
/// How many events are told again after a writer died.
const RETOLD: usize = 256;

/// A container's journal that is being written.
#[derive(Debug)]
pub(crate) struct ContainerJournal {
    journal: Journal,
    history: History,
    events: log::Writer,
    /// Who is to hear that there are new events.
    bells: Doorbells,
    /// Events that wait for the flush, oldest first.
    untold: Vec<Event>,
    /// Whether an entry was appended that must be on the disk before it is told.
    unsynced: bool,
    /// The length at which compaction is tried next.
    compact_at: u64,
}

impl ContainerJournal {
    /// Makes the journal of a new container; it is on the disk once this returned.
    ///
    /// # Errors
    /// `Disk` or `Entry`; nothing is left.
    pub(crate) fn create(state: &Dir, run: &Dir, creating: Creating) -> Result<Self, Fault> {
        let entry = Entry::new(0, SystemTime::now(), Fact::Creating(Box::new(creating)));
        let mut journal = Journal::create(run, layout::JOURNAL, RESERVE).map_err(Fault::disk("make the journal"))?;
        journal.append(&entry.encode()?).map_err(Fault::disk("begin the journal"))?;
        let history = History::begin(&entry).ok_or(Fault::NoJournal)?;
        Self::of(journal, history, state)
    }

    /// Takes over the journal of a container whose last writer is dead, and tells its latest events again. What is no
    /// record at its end is cut off, and said in `diary`, or without one in the program's own log.
    ///
    /// # Errors
    /// `NoJournal` when there is none, or not one whole entry in it; `Disk`; `Entry` when it cannot be understood.
    pub(crate) fn take_over(state: &Dir, run: &Dir, diary: Option<&Diary>) -> Result<Self, Fault> {
        let (journal, replay) = match Journal::open(run, layout::JOURNAL, RESERVE) {
            Ok(opened) => opened,
            Err(error) if error.is_not_found() => return Err(Fault::NoJournal),
            Err(source) => return Err(Fault::Disk { act: "open the journal", source }),
        };
        let history = History::of(&replay.records)?.ok_or(Fault::NoJournal)?;
        match (&replay.cut, diary) {
            (None, _) => {}
            (Some(cut), Some(diary)) => diary.note(format_args!("the journal is repaired: {cut}")),
            (Some(cut), None) => {
                tracing::warn!(container.id = %history.creating.id, %cut, "the journal is repaired");
            }
        }
        let mut taken = Self::of(journal, history, state)?;
        taken.untold = latest_events(&replay.records)?;
        taken.flush(None);
        Ok(taken)
    }

    /// What is true now.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// Appends a fact. It is told by the next [`ContainerJournal::flush`].
    pub(crate) fn record(&mut self, fact: Fact) {
        let syncs = matches!(fact, Fact::Created(_) | Fact::Exited { .. } | Fact::NotStarted | Fact::Deleted);
        let mut entry = Entry::new(self.history.next_seq, SystemTime::now(), fact);
        mark_durable(&mut entry.fact, true);
        let written = entry.encode().is_ok_and(|payload| self.journal.append(&payload).is_ok());
        mark_durable(&mut entry.fact, written);
        self.history.add(&entry);
        self.unsynced |= syncs && written;
        self.untold.extend(entry.event(&self.history));
    }

    /// Brings what must be durable to the disk, then tells all events that wait.
    pub(crate) fn flush(&mut self, diary: Option<&Diary>) {
        if std::mem::take(&mut self.unsynced) && self.journal.sync().is_err() {
            self.untold.iter_mut().for_each(|event| mark_event(event, false));
            note(diary, format_args!("the journal cannot be synced"));
        }
        let news = std::mem::take(&mut self.untold);
        if news.is_empty() {
            return;
        }
        for event in news {
            let told = serde_json::to_vec(&event).is_ok_and(|payload| self.events.append(&payload).is_ok());
            if !told {
                note(diary, format_args!("event {} cannot be told", event.sequence));
            }
        }
        self.bells.ring();
    }

    /// Compacts the journal if it has become long. Nothing is lost that a successor needs.
    pub(crate) fn keep_short(&mut self, run: &Dir, diary: &Diary) {
        if self.journal.length().is_ok_and(|length| length < self.compact_at) {
            return;
        }
        if let Err(fault) = self.compact(run) {
            diary.note(format_args!("the journal stays long: {fault}"));
        }
        self.compact_at = self.journal.length().unwrap_or(0).saturating_mul(2).max(LONG);
    }

    fn compact(&mut self, run: &Dir) -> Result<(), Fault> {
        let replay =
            libcontainerd_durable::journal::read(run, layout::JOURNAL).map_err(Fault::disk("read the journal"))?;
        let kept = compaction::kept(&replay.records, &self.history)?;
        self.journal.rewrite(kept).map_err(Fault::disk("rewrite the journal"))
    }

    fn of(journal: Journal, history: History, state: &Dir) -> Result<Self, Fault> {
        let events = state.ensure(layout::EVENTS, 0o700).map_err(Fault::disk("open the event log"))?;
        let events = log::Writer::open(&events, EVENTS_ROTATE_AT).map_err(Fault::disk("open the event log"))?;
        let bells = Doorbells::open(state).map_err(Fault::disk("open the watchers' directory"))?;
        Ok(ContainerJournal { journal, history, events, bells, untold: Vec::new(), unsynced: false, compact_at: LONG })
    }
}

/// The last events that the entries are.
fn latest_events(records: &[Vec<u8>]) -> Result<Vec<Event>, Fault> {
    let mut events = Vec::new();
    let mut history: Option<History> = None;
    for record in records {
        let entry = Entry::decode(record)?;
        match &mut history {
            None => history = History::begin(&entry),
            Some(history) => {
                history.add(&entry);
                events.extend(entry.event(history));
            }
        }
    }
    let old = events.len().saturating_sub(RETOLD);
    Ok(events.split_off(old))
}

fn mark_durable(fact: &mut Fact, durable: bool) {
    if let Fact::Exited { exit, .. } = fact {
        exit.durable = durable;
    }
}

fn mark_event(event: &mut Event, durable: bool) {
    if let EventKind::Exited { exit, .. } = &mut event.kind {
        exit.durable = durable;
    }
}

fn note(diary: Option<&Diary>, what: std::fmt::Arguments<'_>) {
    if let Some(diary) = diary {
        diary.note(what);
    }
}
