//! One output of a process on its way into the log.
//!
//! It is open, or it is owed: then so many bytes are still to be moved, and after them its end is written down.

use std::os::fd::{AsFd, OwnedFd};

use libcontainerd_core::stdio::Endpoints;
use libcontainerd_stream::log::{Channel, Taken, Why, Writer};
use libcontainerd_stream::{Error, drain};

use super::is_kept;
use crate::monitor::streams::Streams;

/// An output that has not ended.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) channel: Channel,
    /// None while it is live and somebody else's to read, or lost.
    pub(super) reader: Option<OwnedFd>,
    /// How many bytes are to be moved before it ends.
    owed: Option<u64>,
    /// Whether what it came from is lost.
    is_broken: bool,
    /// Whether somebody was cut off who would still write.
    pub(super) is_cut: bool,
}

/// What all outputs of a keeper share in one turn.
pub(super) struct Turn<'k> {
    pub(super) writer: &'k mut Writer,
    /// The most bytes of each output.
    pub(super) budget: usize,
    /// Whether the process lives.
    pub(super) lives: bool,
    /// Whether what is in the pipe now is the last that counts.
    pub(super) is_late: bool,
    /// The most bytes that were moved of one output.
    pub(super) moved: usize,
    /// Why it must be tried again after a while.
    pub(super) stuck: Option<String>,
}

impl Output {
    /// The output of that channel, which takes its end out of `streams` if it is kept from the beginning.
    pub(super) fn of(channel: Channel, endpoints: &Endpoints, streams: &mut Streams) -> Output {
        let mut output = Output { channel, reader: None, owed: None, is_broken: false, is_cut: false };
        if is_kept(endpoints, channel) {
            output.turn(streams);
            output.is_broken = output.reader.is_none();
        }
        output
    }

    /// Takes the end out of `streams`, from which it is read from now on.
    pub(super) fn turn(&mut self, streams: &mut Streams) {
        let stream = match self.channel {
            Channel::Stdout => &mut streams.stdout,
            Channel::Stderr => &mut streams.stderr,
        };
        if self.reader.is_none() {
            self.reader = stream.reader.take();
        }
    }

    /// What it came from is lost: it ends as soon as what is in the pipe was moved.
    pub(super) fn break_off(&mut self) {
        self.is_broken = true;
        self.owed = Some(self.present());
    }

    /// Moves what can be moved; `true` once it has ended.
    pub(super) fn pump(&mut self, turn: &mut Turn<'_>) -> bool {
        self.owe(turn);
        match self.try_pump(turn) {
            Ok(()) => {}
            Err(error) if turn.lives => turn.stuck = Some(error.to_string()),
            Err(_) => self.fail(),
        }
        if self.owed != Some(0) {
            return false;
        }
        let said = turn.writer.end(self.channel, self.why()).is_ok() && turn.writer.is_settled();
        if !said {
            turn.stuck = Some("its end cannot be written down".to_owned());
        }
        said
    }

    /// Counts what is still to be moved, once nothing can follow.
    fn owe(&mut self, turn: &Turn<'_>) {
        let is_lost = self.reader.is_none() && (self.is_broken || !turn.lives);
        if self.owed.is_none() && (is_lost || turn.is_late) {
            self.owed = Some(self.present());
        }
    }

    fn try_pump(&mut self, turn: &mut Turn<'_>) -> Result<(), Error> {
        let Some(reader) = &self.reader else { return Ok(()) };
        let mut moved = 0;
        while moved < turn.budget && self.owed != Some(0) {
            let most = turn.budget - moved;
            let want = self.owed.map_or(most, |owed| most.min(usize::try_from(owed).unwrap_or(most)));
            match turn.writer.take(self.channel, reader, want)? {
                Taken::Moved(count) | Taken::Dropped(count) => {
                    moved += count;
                    turn.moved = turn.moved.max(moved);
                    self.owed = self.owed.map(|owed| owed.saturating_sub(count as u64));
                }
                Taken::SourceEmpty => {
                    self.owed = self.owed.map(|_| 0);
                    break;
                }
                // Our own end is open while the process lives: it will be opened again.
                Taken::SourceEnded if turn.lives && self.owed.is_none() => {
                    turn.stuck = Some("nobody has its pipe open".to_owned());
                    break;
                }
                Taken::SourceEnded => self.owed = Some(0),
                Taken::NoRoom => {
                    turn.stuck = Some("the disk has no room".to_owned());
                    break;
                }
            }
        }
        Ok(())
    }

    /// Gives up on a pipe that cannot be read.
    fn fail(&mut self) {
        self.is_broken = true;
        self.owed = Some(0);
    }

    /// How many bytes are in the pipe.
    fn present(&self) -> u64 {
        self.reader.as_ref().and_then(|reader| rustix::io::ioctl_fionread(reader).ok()).unwrap_or(0)
    }

    fn why(&self) -> Why {
        let has_writers = |reader: &OwnedFd| !drain::has_lost_its_writers(reader.as_fd()).unwrap_or(true);
        match &self.reader {
            _ if self.is_broken => Why::Broken,
            Some(reader) if self.is_cut || has_writers(reader) => Why::Drained,
            _ => Why::Closed,
        }
    }
}
