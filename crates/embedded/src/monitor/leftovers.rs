//! What is kept of processes that have ended, for readers who have not read it all.
//!
//! A pipe lives as long as somebody has it open: so that bytes survive until a reader comes (back), the monitor keeps
//! the reading end until the pipe is empty, a terminal's relay until it has moved everything, and the keeper of output
//! until the log has its end. Nothing tells that a pipe has become empty, so it is looked at in growing intervals, as
//! long as there is one.
//!
//! Keeps: "a reader that returns loses nothing that is still held for it", bounded by [`MOST`].

use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use libcontainerd_core::stdio::Drain;
use libcontainerd_stream::drain;
use rustix::event::PollFlags;

use super::keeping::Keeper;
use super::relay::Relay;
use super::streams::is_drained;
use crate::diary::Diary;

/// The most processes of which something is kept.
const MOST: usize = 128;
/// How soon, and how seldom at last, pipes are looked at.
const SOON: Duration = Duration::from_millis(10);
const SELDOM: Duration = Duration::from_secs(1);
/// How long a pipe without bytes stays open for left-over writers, unless the process's own drain says otherwise.
const QUIET: Duration = Duration::from_secs(10);

/// Everything that is kept.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    kept: VecDeque<Leftover>,
    look: Option<(Instant, Duration)>,
}

/// What a process has left.
#[derive(Debug, Default)]
pub(super) struct Remains {
    /// Its terminal.
    pub(super) relay: Option<Relay>,
    /// What moves its output into its log.
    pub(super) keeper: Option<Keeper>,
    /// Pipes that somebody may still read.
    pub(super) readers: Vec<OwnedFd>,
}

/// What is kept of one process.
#[derive(Debug)]
struct Leftover {
    remains: Remains,
    /// Until when left-over writers are put up with.
    until: Option<Instant>,
}

impl Leftovers {
    /// Keeps what a process has left, as long as it must be.
    pub(super) fn keep(&mut self, mut remains: Remains, drain: Drain, diary: &Diary) {
        let now = Instant::now();
        let until = match drain {
            Drain::UntilEof => None,
            Drain::For(time) => now.checked_add(time),
            Drain::None => Some(now),
            _ => Some(now + QUIET),
        };
        if let Some(keeper) = &mut remains.keeper {
            keeper.process_ended(drain);
        }
        let mut leftover = Leftover { remains, until };
        // What goes into a log is moved once the exit is told.
        if leftover.remains.keeper.is_none() {
            leftover.pump(diary);
            if leftover.is_gone() {
                return;
            }
        }
        self.kept.push_back(leftover);
        if self.kept.len() > MOST
            && let Some(mut oldest) = self.kept.pop_front()
        {
            oldest.finish(diary);
            diary.note(format_args!(
                "the oldest output that nobody has read is dropped: it was that of {MOST} processes"
            ));
        }
        self.look = Some((now + SOON, SOON));
    }

    /// What relays and keepers wait for.
    pub(super) fn interests(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        self.kept.iter().flat_map(|leftover| {
            let relay = leftover.remains.relay.iter().flat_map(|relay| relay.interests());
            relay.chain(leftover.remains.keeper.iter().flat_map(Keeper::interests))
        })
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let keepers = self.kept.iter().filter_map(|leftover| leftover.remains.keeper.as_ref()?.deadline());
        self.look.map(|(when, _)| when).into_iter().chain(keepers).min()
    }

    /// Whether there is output of which the log has not seen the end.
    pub(super) fn keeps_output(&self) -> bool {
        self.kept.iter().any(|leftover| leftover.remains.keeper.is_some())
    }

    /// Brings all output into its log that is there, and ends it: the container is about to be removed.
    pub(super) fn finish(&mut self, diary: &Diary) {
        self.kept.iter_mut().for_each(|leftover| leftover.finish(diary));
    }

    /// The numbers of all that is kept.
    pub(super) fn numbers(&self) -> Vec<RawFd> {
        let mut numbers = Vec::new();
        for leftover in &self.kept {
            let remains = &leftover.remains;
            numbers.extend(remains.readers.iter().map(AsRawFd::as_raw_fd));
            numbers.extend(remains.keeper.iter().flat_map(Keeper::numbers));
            if let Some((master, source, sink)) = remains.relay.as_ref().map(Relay::numbers) {
                numbers.extend([Some(master), source, Some(sink)].into_iter().flatten());
            }
        }
        numbers
    }

    /// Moves what relays and keepers can move.
    pub(super) fn pump(&mut self, diary: &Diary) {
        self.kept.iter_mut().for_each(|leftover| leftover.pump(diary));
    }

    /// Lets go of what nobody needs any more, if it is time to look.
    pub(super) fn look(&mut self, diary: &Diary) {
        let Some((when, pause)) = self.look else { return };
        let now = Instant::now();
        if now < when && !self.kept.iter().any(|leftover| leftover.remains.moves()) {
            return;
        }
        self.pump(diary);
        self.kept.retain_mut(|leftover| !leftover.is_gone());
        let pause = if now < when { pause } else { (pause * 2).min(SELDOM) };
        self.look = (!self.kept.is_empty()).then(|| (now + pause, pause));
    }

    /// Whether nothing is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

impl Remains {
    /// Whether something is still moved, and not only kept.
    fn moves(&self) -> bool {
        self.relay.is_some() || self.keeper.is_some()
    }
}

impl Leftover {
    fn pump(&mut self, diary: &Diary) {
        let is_late = self.is_late();
        let Remains { relay, keeper, .. } = &mut self.remains;
        if let Some(terminal) = relay {
            terminal.pump(false);
            let is_late = is_late || keeper.as_ref().is_some_and(Keeper::is_late);
            if !terminal.is_over() && is_late && terminal.is_idle() {
                keeper.iter_mut().for_each(Keeper::cut_off);
                *relay = None;
            } else if terminal.is_over() {
                *relay = None;
            }
        }
        if let Some(log) = keeper {
            log.pump(relay.is_some(), diary);
            if log.is_over() {
                *keeper = None;
            }
        }
    }

    fn finish(&mut self, diary: &Diary) {
        self.pump(diary);
        if let Some(mut keeper) = self.remains.keeper.take() {
            self.remains.relay = None;
            keeper.finish(diary);
        }
    }

    fn is_late(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Lets go of every pipe that is empty and that nobody, or nobody any more, is to write into.
    fn is_gone(&mut self) -> bool {
        if self.remains.moves() {
            return false;
        }
        let is_late = self.is_late();
        self.remains.readers.retain(|reader| {
            let ended = drain::has_lost_its_writers(reader).unwrap_or(true);
            !(is_drained(reader.as_fd()) && (ended || is_late))
        });
        self.remains.readers.is_empty()
    }
}
