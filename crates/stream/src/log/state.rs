//! Which outputs a process has, and which of them have ended.
//!
//! It follows from the records, and each segment's head repeats it, so that it is known when older ones are gone.

use super::Channel;
use super::record::Record;

/// A set of outputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Channels(u8);

impl Channels {
    pub(super) fn of(channels: &[Channel]) -> Self {
        channels.iter().fold(Self::default(), |set, &channel| set.with(channel))
    }

    /// The set that has these bits, if it has no others.
    pub(super) fn from_bits(bits: u8) -> Option<Self> {
        (bits <= 0b11).then_some(Self(bits))
    }

    pub(super) fn bits(self) -> u8 {
        self.0
    }

    pub(super) fn has(self, channel: Channel) -> bool {
        self.0 & bit(channel) != 0
    }

    pub(super) fn with(self, channel: Channel) -> Self {
        Self(self.0 | bit(channel))
    }

    fn without(self, channel: Channel) -> Self {
        Self(self.0 & !bit(channel))
    }
}

/// The outputs of a process at one moment of its log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Those that there are.
    pub(super) known: Channels,
    /// Those of them that have ended.
    pub(super) ended: Channels,
}

impl State {
    /// A run with these outputs begins.
    pub(super) fn started(channels: Channels) -> Self {
        Self { known: channels, ended: Channels::default() }
    }

    pub(super) fn begin(&mut self, channel: Channel) {
        self.known = self.known.with(channel);
        self.ended = self.ended.without(channel);
    }

    pub(super) fn end(&mut self, channel: Channel) {
        self.known = self.known.with(channel);
        self.ended = self.ended.with(channel);
    }

    /// Whether there are outputs and all of them have ended.
    pub(super) fn is_over(self) -> bool {
        self.known != Channels::default() && self.known == self.ended
    }

    /// Takes note of what a record says.
    pub(super) fn follow(&mut self, record: &Record) {
        match *record {
            Record::Head { state, .. } | Record::Start { state, .. } => *self = state,
            Record::Begin { channel, .. } => self.begin(channel),
            Record::End { channel, .. } => self.end(channel),
            Record::Mark { .. } | Record::Lost { .. } => {}
        }
    }
}

fn bit(channel: Channel) -> u8 {
    match channel {
        Channel::Stdout => 1,
        Channel::Stderr => 2,
    }
}
