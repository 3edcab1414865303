//! The relay between a terminal's master and the FIFOs of its process.
//!
//! Bytes are spliced from one to the other and are never in our memory, where they would die with us. Each direction
//! waits for the one side that is not ready, so that a reader who is gone costs nothing but its terminal's patience. A
//! terminal whose last user has closed it reads as an error that is the end: while the process lives somebody may open
//! it again, so it is tried again then; after the exit it is over.
//!
//! Keeps: `a_terminal_is_relayed_byte_for_byte` and `closing_stdin_of_a_terminal_is_an_end_of_file` in the tests.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use libcontainerd_core::stdio::TerminalSize;
use libcontainerd_stream::{Step, Transfer};
use rustix::event::PollFlags;
use rustix::termios::{LocalModes, SpecialCodeIndex, Winsize};

use super::streams::{Streams, null};
use crate::fault::Fault;

/// The most that one direction moves before the others have their turn.
const AT_ONCE: usize = 1 << 20;
/// How long to wait for somebody to open a terminal again that everybody has closed.
const REOPENED: Duration = Duration::from_millis(100);

/// A terminal, relayed.
#[derive(Debug)]
pub(super) struct Relay {
    master: OwnedFd,
    output: Direction,
    /// What the output goes into.
    sink: OwnedFd,
    input: Option<Direction>,
    /// What the input comes from.
    source: Option<OwnedFd>,
    /// Whether end-of-file is to follow what is still in the source.
    closing: bool,
}

/// One direction of a relay.
#[derive(Debug)]
struct Direction {
    transfer: Transfer,
    waits: Waits,
}

/// What a direction waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    Source,
    Sink,
    /// Until the terminal may have been opened again.
    Until(Instant),
    Over,
}

impl Relay {
    /// A relay for `master`, which takes the ends out of `streams` that it moves bytes through.
    ///
    /// # Errors
    /// `System` when the master cannot be made non-blocking; `Open` or `NotNull`.
    pub(super) fn new(master: OwnedFd, streams: &mut Streams) -> Result<Relay, Fault> {
        rustix::io::ioctl_fionbio(&master, true).map_err(Fault::system("prepare the terminal"))?;
        let sink = match streams.stdout.writer.take() {
            Some(sink) => sink,
            None => null()?,
        };
        let source = streams.stdin_source.take();
        let output = Direction::between(&master, &sink);
        let input = source.as_ref().map(|source| Direction::between(source, &master));
        let closing = source.is_some() && streams.stdin.is_none();
        Ok(Relay { master, output, sink, input, source, closing })
    }

    /// What to wait for before the next [`Relay::pump`].
    pub(super) fn interests(&self) -> Vec<(BorrowedFd<'_>, PollFlags)> {
        let mut interests = Vec::new();
        match self.output.waits {
            Waits::Source => interests.push((self.master.as_fd(), PollFlags::IN)),
            Waits::Sink => interests.push((self.sink.as_fd(), PollFlags::OUT)),
            Waits::Until(_) | Waits::Over => {}
        }
        let Some(input) = &self.input else { return interests };
        match (input.waits, &self.source) {
            (Waits::Source, Some(source)) => interests.push((source.as_fd(), PollFlags::IN)),
            (Waits::Sink, _) => interests.push((self.master.as_fd(), PollFlags::OUT)),
            _ => {}
        }
        interests
    }

    /// When to pump again even if nothing was ready.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.output.waits {
            Waits::Until(when) => Some(when),
            _ => None,
        }
    }

    /// Moves what can be moved; `lives` is whether the process does.
    pub(super) fn pump(&mut self, lives: bool) {
        self.output.pump(&self.master, &self.sink, lives);
        if let (Some(input), Some(source)) = (&mut self.input, &self.source) {
            input.pump(source, &self.master, lives);
            if self.closing && input.waits != Waits::Sink && is_empty(source) {
                self.end_input();
            }
        }
    }

    /// Lets the program read end-of-file once it has read what was written before.
    pub(super) fn close_input(&mut self) {
        self.closing = self.input.is_some();
        self.pump(true);
    }

    /// Whether everything that the terminal had is in the FIFO, and nothing can follow.
    pub(super) fn is_over(&self) -> bool {
        self.output.waits == Waits::Over
    }

    /// Whether nothing was there to relay when it was looked at last.
    pub(super) fn is_idle(&self) -> bool {
        self.output.waits != Waits::Sink
    }

    /// Sets the size; the kernel tells the program.
    pub(super) fn resize(&self, size: TerminalSize) -> rustix::io::Result<()> {
        let size = Winsize { ws_col: size.columns, ws_row: size.rows, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&self.master, size)
    }

    /// What the output goes into.
    pub(super) fn sink(&self) -> &OwnedFd {
        &self.sink
    }

    /// The numbers of master, source and sink.
    pub(super) fn numbers(&self) -> (i32, Option<i32>, i32) {
        (self.master.as_raw_fd(), self.source.as_ref().map(AsRawFd::as_raw_fd), self.sink.as_raw_fd())
    }

    /// Types the terminal's end-of-file character: where lines are edited, once to hand over an unfinished line and once
    /// more, since only at the beginning of a line it is an end of file.
    fn end_input(&mut self) {
        const CONTROL_D: u8 = 4;
        let (character, lines) = match rustix::termios::tcgetattr(&self.master) {
            Ok(termios) => {
                (termios.special_codes[SpecialCodeIndex::VEOF], termios.local_modes.contains(LocalModes::ICANON))
            }
            Err(_) => (CONTROL_D, true),
        };
        let typed = [character; 2];
        let _ = rustix::io::write(&self.master, if lines { &typed } else { &typed[..1] });
        self.input = None;
        self.source = None;
    }
}

impl Direction {
    fn between(from: &impl AsFd, to: &impl AsFd) -> Direction {
        Direction { transfer: Transfer::between(from, to), waits: Waits::Source }
    }

    fn pump(&mut self, from: &OwnedFd, to: &OwnedFd, lives: bool) {
        match self.waits {
            Waits::Over => return,
            Waits::Until(when) if lives && Instant::now() < when => return,
            _ => {}
        }
        let mut left = AT_ONCE;
        self.waits = Waits::Source;
        while left > 0 {
            match self.transfer.step(from, to, left) {
                Ok(Step::Moved(count)) => left = left.saturating_sub(count),
                Ok(Step::SourceEmpty) => return,
                Ok(Step::SinkFull) => {
                    self.waits = Waits::Sink;
                    return;
                }
                Ok(Step::End) if lives => {
                    self.waits = Waits::Until(Instant::now() + REOPENED);
                    return;
                }
                Ok(Step::End | Step::SinkClosed) | Err(_) => {
                    self.waits = Waits::Over;
                    return;
                }
            }
        }
    }
}

fn is_empty(source: &OwnedFd) -> bool {
    super::streams::is_drained(source.as_fd())
}
