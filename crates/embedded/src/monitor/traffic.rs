//! The traffic of living processes: terminals that are relayed, output that is kept, and output that nobody reads.
//!
//! Each is moved when something is ready for it or due, a bounded piece at a time.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use rustix::event::PollFlags;

use super::process::Supervised;
use super::unread::Pipe;
use super::{Monitor, Source};
use crate::diary::Diary;
use crate::record::Fact;

impl Monitor<'_> {
    /// Moves what the streams of a process have.
    pub(super) fn move_streams(&mut self, number: u64) {
        let diary = &self.shared.diary;
        let Some(process) = self.processes.iter_mut().find(|process| process.number() == number) else { return };
        if process.move_streams(diary) {
            process.made.descriptors = process.descriptors();
            let (id, descriptors) = (process.made.id.clone(), process.made.descriptors.clone());
            diary.note(format_args!("nobody reads the output of process {id}: from now on it is kept"));
            self.journal.record(Fact::Kept { process: id, descriptors });
        }
    }

    /// Streams that are to be looked at by now although nothing is ready.
    pub(super) fn due_streams(&self) -> impl Iterator<Item = (Source, PollFlags)> {
        let now = Instant::now();
        let is_due = move |process: &&Supervised| process.streams_due().is_some_and(|when| when <= now);
        self.processes.iter().filter(is_due).map(|process| (Source::Streams(process.number()), PollFlags::empty()))
    }
}

impl Supervised {
    /// What its streams wait for.
    pub(super) fn traffic(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let relay = self.relay.iter().flat_map(|relay| relay.interests());
        relay.chain(self.keeper.iter().flat_map(|keeper| keeper.interests()))
    }

    /// When its streams are to be looked at even if nothing is ready.
    pub(super) fn streams_due(&self) -> Option<Instant> {
        let relay = self.relay.as_ref().and_then(|relay| relay.deadline());
        let keeper = self.keeper.as_ref().and_then(|keeper| keeper.deadline());
        let lookout = self.lookout.as_ref().and_then(|lookout| lookout.deadline());
        relay.into_iter().chain(keeper).chain(lookout).min()
    }

    /// Moves what can be moved; `true` when live output has just turned into kept output.
    fn move_streams(&mut self, diary: &Diary) -> bool {
        if let Some(relay) = &mut self.relay {
            relay.pump(true);
        }
        let has_turned = self.look_after_unread();
        if let Some(keeper) = &mut self.keeper {
            keeper.pump(self.relay.is_some(), diary);
        }
        has_turned
    }

    fn look_after_unread(&mut self) -> bool {
        let Some(lookout) = &mut self.lookout else { return false };
        let sink = self.relay.as_ref().map(|relay| relay.sink());
        let writers = [sink.or(self.streams.stdout.writer.as_ref()), self.streams.stderr.writer.as_ref()];
        let readers = [self.streams.stdout.reader.as_ref(), self.streams.stderr.reader.as_ref()];
        let pipes = readers
            .into_iter()
            .zip(writers)
            .filter_map(|(reader, writer)| Some(Pipe { reader: reader?.as_fd(), writer: writer?.as_fd() }));
        let has_turned = lookout.look(pipes.collect());
        if let Some(keeper) = self.keeper.as_mut().filter(|_| has_turned) {
            keeper.turn(&mut self.streams);
        }
        has_turned
    }
}
