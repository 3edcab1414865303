//! What is kept of processes that have ended, for readers who have not read it all.
//!
//! A pipe lives as long as somebody has it open: so that bytes survive until a reader comes (back), the monitor keeps
//! the reading end until the pipe is empty, and a terminal's relay until it has moved everything. Nothing tells that a
//! pipe has become empty, so it is looked at in growing intervals, as long as there is one.
//!
//! Keeps: "a reader that returns loses nothing that is still held for it", bounded by [`MOST`].

use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use libcontainerd_core::stdio::Drain;
use libcontainerd_stream::drain;
use rustix::event::PollFlags;

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

/// What is kept of one process.
#[derive(Debug)]
struct Leftover {
    relay: Option<Relay>,
    readers: Vec<OwnedFd>,
    /// Until when left-over writers are put up with.
    until: Option<Instant>,
}

impl Leftovers {
    /// Keeps what a process has left, as long as it must be.
    pub(super) fn keep(&mut self, relay: Option<Relay>, readers: Vec<OwnedFd>, drain: Drain, diary: &Diary) {
        let now = Instant::now();
        let until = match drain {
            Drain::UntilEof => None,
            Drain::For(time) => now.checked_add(time),
            Drain::None => Some(now),
            _ => Some(now + QUIET),
        };
        let mut leftover = Leftover { relay, readers, until };
        leftover.pump();
        if leftover.is_gone() {
            return;
        }
        self.kept.push_back(leftover);
        if self.kept.len() > MOST {
            self.kept.pop_front();
            diary.note(format_args!(
                "the oldest output that nobody has read is dropped: it was that of {MOST} processes"
            ));
        }
        self.look = Some((now + SOON, SOON));
    }

    /// What the relays wait for.
    pub(super) fn interests(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        self.kept.iter().filter_map(|leftover| leftover.relay.as_ref()).flat_map(|relay| relay.interests())
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.look.map(|(when, _)| when)
    }

    /// The numbers of all that is kept.
    pub(super) fn numbers(&self) -> Vec<RawFd> {
        let mut numbers = Vec::new();
        for leftover in &self.kept {
            numbers.extend(leftover.readers.iter().map(AsRawFd::as_raw_fd));
            if let Some((master, source, sink)) = leftover.relay.as_ref().map(Relay::numbers) {
                numbers.extend([Some(master), source, Some(sink)].into_iter().flatten());
            }
        }
        numbers
    }

    /// Moves what the relays can move.
    pub(super) fn pump(&mut self) {
        self.kept.iter_mut().for_each(Leftover::pump);
    }

    /// Lets go of what nobody needs any more, if it is time to look.
    pub(super) fn look(&mut self) {
        let Some((when, pause)) = self.look else { return };
        let now = Instant::now();
        if now < when && self.kept.iter().all(|leftover| leftover.relay.is_none()) {
            return;
        }
        self.pump();
        self.kept.retain_mut(|leftover| !leftover.is_gone());
        let pause = if now < when { pause } else { (pause * 2).min(SELDOM) };
        self.look = (!self.kept.is_empty()).then(|| (now + pause, pause));
    }

    /// Whether nothing is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

impl Leftover {
    fn pump(&mut self) {
        let is_late = self.is_late();
        if let Some(relay) = &mut self.relay {
            relay.pump(false);
            if relay.is_over() || (is_late && relay.is_idle()) {
                self.relay = None;
            }
        }
    }

    fn is_late(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Lets go of every pipe that is empty and that nobody, or nobody any more, is to write into.
    fn is_gone(&mut self) -> bool {
        if self.relay.is_some() {
            return false;
        }
        let is_late = self.is_late();
        self.readers.retain(|reader| {
            let ended = drain::has_lost_its_writers(reader).unwrap_or(true);
            !(is_drained(reader.as_fd()) && (ended || is_late))
        });
        self.readers.is_empty()
    }
}
