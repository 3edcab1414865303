//! The kept output of a process, as a test reads it.

use std::fs::File;
use std::path::PathBuf;

use libcontainerd_stream::log::{Channel, Next, Piece, Read, Reader, Why};

use crate::container::{Container, eventually};

/// All that a log has.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// How many bytes are not there.
    pub(crate) lost: u64,
    /// Which channels have ended, and why, in that order.
    pub(crate) ends: Vec<(Channel, Why)>,
}

impl Kept {
    /// Why a channel ended that has ended once.
    pub(crate) fn end(&self, channel: Channel) -> Option<Why> {
        self.ends.iter().rfind(|(which, _)| *which == channel).map(|(_, why)| *why)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }
}

impl Container<'_> {
    pub(crate) fn log_path(&self, process: &str) -> PathBuf {
        self.scratch.path(&format!("output/{}/{process}", self.id))
    }

    /// What is in the log of a process at this moment.
    pub(crate) fn kept_so_far(&self, process: &str) -> Kept {
        let directory = File::open(self.log_path(process)).unwrap();
        let mut reader = Reader::open(directory.into(), Read::default()).unwrap();
        let mut kept = Kept::default();
        while let Next::Piece(piece) = reader.advance().unwrap() {
            match piece {
                Piece::Bytes { channel: Channel::Stdout, bytes, .. } => kept.stdout.extend(bytes),
                Piece::Bytes { channel: Channel::Stderr, bytes, .. } => kept.stderr.extend(bytes),
                Piece::Lost { from, to } => kept.lost += to - from,
                Piece::End { channel, why, .. } => kept.ends.push((channel, why)),
            }
        }
        kept
    }

    /// What is in the log of a process once all of `channels` have ended.
    pub(crate) fn kept(&self, process: &str, channels: &[Channel]) -> Kept {
        eventually(|| {
            let kept = self.kept_so_far(process);
            channels.iter().all(|channel| kept.end(*channel).is_some()).then_some(kept)
        })
    }
}
