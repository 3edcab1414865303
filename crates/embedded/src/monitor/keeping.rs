//! The keeper of one process's output: it moves what the process writes from its FIFOs into its log.
//!
//! A turn moves so much of each output and no more, and less where the disk is slow, so that kills, exits and clients
//! have their turn as well. What the disk has no room for and may not be lost stays in the pipe, and is tried again.
//! Once the process has ended, its drain says how long others may still write; what is in the pipe then is moved in any
//! case, and the log says how each output has ended. The log is written by splice only, so that no byte is in memory
//! that can die: a successor opens the same log and goes on.
//!
//! Keeps: promise 3 of ARCHITECTURE.md for kept output: `kept_output_is_whole_whoever_is_killed`.
//! Does not know: what a log looks like.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

use libcontainerd_core::Error;
use libcontainerd_core::stdio::{Drain, Endpoint, Endpoints, Log, WhenFull};
use libcontainerd_stream::drain;
use libcontainerd_stream::log::{Channel, Writer};
use rustix::event::PollFlags;

use self::output::{Output, Turn};
use super::streams::Streams;
use crate::diary::Diary;
use crate::fault::Fault;
use crate::output_log;
use crate::record::Descriptors;

mod output;

/// What moves the output of one process into its log.
#[derive(Debug)]
pub(super) struct Keeper {
    log: Log,
    /// None until it could be opened after a takeover.
    writer: Option<Writer>,
    /// Those that have not ended.
    outputs: Vec<Output>,
    /// Once the process has ended.
    ending: Option<Ending>,
    again: Again,
    /// The most bytes of each output in a turn.
    budget: usize,
}

/// How long the output of a process that has ended is waited for.
#[derive(Debug, Clone, Copy)]
struct Ending {
    until: Option<Instant>,
    /// How long nothing may come.
    quiet: Option<Duration>,
    /// When something came last.
    last: Instant,
}

/// When what could not be done is tried again.
#[derive(Debug)]
struct Again {
    at: Option<Instant>,
    pause: Duration,
    /// Whether it was written into the diary.
    noted: bool,
}

/// The most bytes of one output in a turn, and the least however slow the disk is.
const MOST: usize = 1 << 20;
const LEAST: usize = 64 << 10;
/// Turns that take longer than that become smaller, those that take less than a tenth of it larger.
const SLOW: Duration = Duration::from_millis(20);
/// How soon, and how seldom at last, what could not be done is tried again.
const SOON: Duration = Duration::from_millis(100);
const SELDOM: Duration = Duration::from_secs(1);
/// How long nothing may come after a process's end, and for how long at most something may.
const QUIET: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);
/// In how many turns whatever two full pipes hold is moved, however slow the disk.
const LAST_TURNS: usize = 64;

impl Keeper {
    /// A keeper for a process that is about to be made, which takes the ends out of `streams` that it reads from; `None`
    /// where nothing is to be kept.
    ///
    /// # Errors
    /// `Log`, `Open` when there can be no log; `Place` when none is named.
    pub(super) fn open(endpoints: &Endpoints, streams: &mut Streams) -> Result<Option<Keeper>, Fault> {
        let channels = output_log::channels(endpoints);
        if channels.is_empty() {
            return Ok(None);
        }
        let log = endpoints.log.as_ref().ok_or(Fault::Place)?;
        let writer = output_log::open(log, &channels)?;
        let outputs = channels.into_iter().map(|channel| Output::of(channel, endpoints, streams)).collect();
        Ok(Some(Keeper::new(log, Some(writer), outputs)))
    }

    /// A keeper that goes on for one that died; its log is opened with the first [`Keeper::pump`]. With `turned`, live
    /// output that nobody read is kept by now.
    pub(super) fn resume(endpoints: &Endpoints, streams: &mut Streams, turned: bool) -> Option<Keeper> {
        let log = endpoints.log.as_ref()?;
        let channels = output_log::channels(endpoints);
        let outputs = channels.into_iter().map(|channel| {
            let mut output = Output::of(channel, endpoints, streams);
            if turned {
                output.turn(streams);
            }
            output
        });
        let mut keeper = Keeper::new(log, None, outputs.collect());
        keeper.again.at = Some(Instant::now());
        (!keeper.outputs.is_empty()).then_some(keeper)
    }

    fn new(log: &Log, writer: Option<Writer>, outputs: Vec<Output>) -> Keeper {
        let again = Again { at: None, pause: SOON, noted: false };
        Keeper { log: log.clone(), writer, outputs, ending: None, again, budget: LEAST * 4 }
    }

    /// Keeps from now on what was live and nobody reads.
    pub(super) fn turn(&mut self, streams: &mut Streams) {
        self.outputs.iter_mut().for_each(|output| output.turn(streams));
    }

    /// The terminal that the output came from is lost.
    pub(super) fn break_off(&mut self) {
        self.outputs.iter_mut().for_each(Output::break_off);
    }

    /// The process has ended, and its output is to end as `drain` says.
    pub(super) fn process_ended(&mut self, drain: Drain) {
        let now = Instant::now();
        let (until, quiet) = match drain {
            Drain::UntilEof => (None, None),
            Drain::For(time) => (now.checked_add(time), None),
            Drain::None => (Some(now), None),
            _ => (Some(now + LONGEST), Some(QUIET)),
        };
        self.ending = Some(Ending { until, quiet, last: now });
    }

    /// Nothing can follow what is in the pipe, although somebody is there who would write.
    pub(super) fn cut_off(&mut self) {
        self.outputs.iter_mut().for_each(|output| output.is_cut = true);
    }

    /// What to wait for before the next [`Keeper::pump`].
    pub(super) fn interests(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let waits = self.again.at.is_some();
        let readers = self.outputs.iter().filter(move |_| !waits).filter_map(|output| output.reader.as_ref());
        readers.map(|reader| (reader.as_fd(), PollFlags::IN))
    }

    /// When to pump even if nothing was ready.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.again.at.or_else(|| self.ending.as_ref()?.deadline())
    }

    /// Whether the time is over that others are given to write after the process's end.
    pub(super) fn is_late(&self) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.is_late(Instant::now()))
    }

    /// Whether all outputs have ended and the log says so.
    pub(super) fn is_over(&self) -> bool {
        self.outputs.is_empty()
    }

    /// Adds the numbers to those that a successor finds.
    pub(super) fn write_down(&self, numbers: &mut Descriptors) {
        for output in &self.outputs {
            let number = output.reader.as_ref().map(AsRawFd::as_raw_fd);
            match output.channel {
                Channel::Stdout => numbers.stdout = number.or(numbers.stdout),
                Channel::Stderr => numbers.stderr = number.or(numbers.stderr),
            }
        }
    }

    /// The numbers of all that it reads from and writes to.
    pub(super) fn numbers(&self) -> Vec<RawFd> {
        let readers = self.outputs.iter().filter_map(|output| output.reader.as_ref()).map(AsRawFd::as_raw_fd);
        readers.chain(self.writer.iter().flat_map(Writer::numbers)).collect()
    }

    /// Moves what can be moved, and ends what has ended. With `relayed`, a terminal still writes into the FIFO.
    pub(super) fn pump(&mut self, relayed: bool, diary: &Diary) {
        let begun = Instant::now();
        if self.again.at.is_some_and(|when| begun < when) || !self.has_writer(diary) {
            return;
        }
        self.again.at = None;
        let is_late = !relayed && self.is_late();
        let Some(writer) = &mut self.writer else { return };
        let lives = self.ending.is_none();
        let mut turn = Turn { writer, budget: self.budget, lives, is_late, moved: 0, stuck: None };
        self.outputs.retain_mut(|output| !output.pump(&mut turn));
        let Turn { moved, stuck, .. } = turn;
        self.commit(diary);
        self.take_note(begun, moved);
        if let Some(stuck) = stuck {
            self.try_again(diary, stuck);
        }
    }

    /// Moves what is in the pipes now and ends all outputs: the log is about to be removed.
    pub(super) fn finish(&mut self, diary: &Diary) {
        self.again.at = None;
        self.process_ended(Drain::None);
        for _ in 0..LAST_TURNS {
            self.pump(false, diary);
            if self.is_over() || self.again.at.is_some() {
                return;
            }
        }
    }

    /// Whether the log is open; opens it after a takeover.
    fn has_writer(&mut self, diary: &Diary) -> bool {
        if self.writer.is_some() {
            return true;
        }
        let channels: Vec<Channel> = self.outputs.iter().map(|output| output.channel).collect();
        match output_log::resume(&self.log, &channels) {
            Ok(Some(writer)) => {
                if let Some(repaired) = writer.repaired() {
                    diary.note(format_args!("kept output was put right: {repaired:?}"));
                }
                if self.ending.is_some() {
                    self.outputs.retain(|output| !writer.ended(output.channel));
                }
                self.writer = Some(writer);
                return true;
            }
            // It was removed with all that it held.
            Ok(None) if self.ending.is_some() => self.outputs.clear(),
            Ok(None) => self.try_again(diary, "kept output is not where it was".to_owned()),
            Err(fault) => self.try_again(diary, Error::from(fault).to_string()),
        }
        self.lose_what_may_be_lost();
        false
    }

    /// A process whose output may be lost does not wait for a log that cannot be opened.
    fn lose_what_may_be_lost(&self) {
        if self.log.keep.when_full == WhenFull::Drop {
            for reader in self.outputs.iter().filter_map(|output| output.reader.as_ref()) {
                let _ = drain::discard(reader);
            }
        }
    }

    /// Wakes who follows. An end that could not be written down is written by the next writer.
    fn commit(&mut self, diary: &Diary) {
        let Some(writer) = &mut self.writer else { return };
        let committed = writer.commit();
        let trouble = writer.trouble().or_else(|| committed.err());
        if !writer.is_settled() && self.ending.is_some() {
            self.writer = None;
        }
        if let Some(trouble) = trouble
            && !std::mem::replace(&mut self.again.noted, true)
        {
            let error = Error::from(Fault::Log(trouble));
            diary.note(format_args!("output cannot be kept: {error}"));
        }
    }

    /// Takes note of what a turn has moved, and how long that took.
    fn take_note(&mut self, begun: Instant, moved: usize) {
        let took = begun.elapsed();
        if took > SLOW {
            self.budget = (self.budget / 2).max(LEAST);
        } else if took < SLOW / 10 && moved >= self.budget {
            self.budget = (self.budget * 2).min(MOST);
        }
        if moved > 0 {
            self.again.pause = SOON;
            self.again.noted = false;
            if let Some(ending) = &mut self.ending {
                ending.last = Instant::now();
            }
        }
    }

    fn try_again(&mut self, diary: &Diary, why: String) {
        if !std::mem::replace(&mut self.again.noted, true) {
            diary.note(format_args!("output waits to be kept: {why}"));
        }
        self.again.at = Some(Instant::now() + self.again.pause);
        self.again.pause = (self.again.pause * 2).min(SELDOM);
    }
}

impl Ending {
    fn is_late(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= now)
    }

    fn deadline(&self) -> Option<Instant> {
        let quiet = self.quiet.map(|quiet| self.last + quiet);
        self.until.into_iter().chain(quiet).min()
    }
}

/// Whether this output goes into the log from the beginning.
fn is_kept(endpoints: &Endpoints, channel: Channel) -> bool {
    let end = match channel {
        Channel::Stdout => &endpoints.stdout,
        Channel::Stderr => &endpoints.stderr,
    };
    matches!(end, Endpoint::Kept(_))
}
