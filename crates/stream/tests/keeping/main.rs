//! Kept output on real disks, between real processes: full disks, killed writers, readers that are slow.
//!
//! A stream's bytes are given by their positions, so that whoever finds some can tell whether they are the right ones.

#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::os::fd::OwnedFd;
use std::path::Path;

use libcontainerd_stream::log::{Channel, Next, Piece, Reader, Taken, Writer};
use rustix::fs::{Mode, OFlags};

mod following;
mod full_disk;
mod killing;

fn directory(path: &Path) -> OwnedFd {
    rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap()
}

/// The bytes of a stream from a position on.
fn pattern(from: u64, length: usize) -> Vec<u8> {
    (from..from + length as u64)
        .map(|at| (at ^ (at >> 8).wrapping_mul(31) ^ (at >> 16).wrapping_mul(17)) as u8)
        .collect()
}

/// All pieces that there are now, and whether there will be no more.
fn look(reader: &mut Reader) -> (Vec<Piece>, bool) {
    let mut pieces = Vec::new();
    loop {
        match reader.advance().unwrap() {
            Next::Piece(piece) => pieces.push(piece),
            Next::NotYet => return (pieces, false),
            Next::Over => return (pieces, true),
        }
    }
}

/// Takes all that is in a pipe, and tells how it went.
fn take_all(writer: &mut Writer, channel: Channel, pipe: &OwnedFd) -> Vec<Taken> {
    let mut all = Vec::new();
    loop {
        let taken = writer.take(channel, pipe, 1 << 20).unwrap();
        all.push(taken);
        if !matches!(taken, Taken::Moved(_) | Taken::Dropped(_)) {
            writer.commit().unwrap();
            return all;
        }
    }
}
