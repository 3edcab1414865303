//! Writers that are killed by SIGKILL at random moments, and their successors.
//!
//! The writer is this program in a process of its own; the streams are FIFOs that the test holds open, as whoever outlives
//! a writer does.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use libcontainerd_stream::fifo;
use libcontainerd_stream::log::{self, Channel, Limits, Piece, Read, Reader, Why, Writer};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::{directory, look, pattern, take_all};

const BOTH: [(Channel, &str); 2] = [(Channel::Stdout, "stdout"), (Channel::Stderr, "stderr")];
const LIMITS: Limits = Limits { segment: 300_000, segments: None, drop_when_full: false };
const PLACE: &str = "LIBCONTAINERD_TEST_OF_KEEPING";
const KILLS: u64 = 60;

#[test]
#[ignore = "the process that the other test kills"]
fn a_writer_to_be_killed() {
    let Some(place) = std::env::var_os(PLACE) else { return };
    let pipes = BOTH.map(|(_, name)| end(Path::new(&place), name, fifo::open_keeper));
    let mut writer = resume(Path::new(&place));
    loop {
        for ((channel, _), pipe) in BOTH.iter().zip(&pipes) {
            writer.take(*channel, pipe, 100_000).unwrap();
        }
        writer.commit().unwrap();
        let mut both = pipes.each_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN));
        poll(&mut both, None).unwrap();
    }
}

#[test]
fn writers_killed_at_random_moments_lose_and_double_no_byte() {
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path();
    std::fs::create_dir(place.join("log")).unwrap();
    let pipes = BOTH.map(|(_, name)| {
        fifo::make(directory(place).as_fd(), name, 0o600, None).unwrap();
        end(place, name, fifo::open_keeper)
    });
    let over = AtomicBool::new(false);
    let said = thread::scope(|scope| {
        let sayers = BOTH.map(|(_, name)| scope.spawn(|| say(&end(place, name, fifo::open_writer), &over)));
        for round in 0..KILLS {
            let watch = log::watch(directory(&place.join("log"))).unwrap();
            let mut victim = spawn(place);
            // Some die before they have written anything, the others in the middle of it.
            if round % 8 != 0 {
                let patience = Timespec { tv_sec: 60, tv_nsec: 0 };
                assert_eq!(poll(&mut [PollFd::new(&watch, PollFlags::IN)], Some(&patience)).unwrap(), 1);
            }
            thread::sleep(Duration::from_micros(round * 7919 % 5_000));
            victim.kill().unwrap();
            victim.wait().unwrap();
        }
        over.store(true, Ordering::SeqCst);
        let mut writer = resume(place);
        while sayers.iter().any(|sayer| !sayer.is_finished()) {
            settle(&mut writer, &pipes);
        }
        settle(&mut writer, &pipes);
        BOTH.iter().for_each(|&(channel, _)| writer.end(channel, Why::Closed).unwrap());
        sayers.map(|sayer| sayer.join().unwrap())
    });
    for ((channel, _), said) in BOTH.into_iter().zip(said) {
        check(place, channel, said);
    }
}

fn check(place: &Path, channel: Channel, said: u64) {
    let read = Read { only: Some(channel), follow: true, ..Read::default() };
    let (pieces, over) = look(&mut Reader::open(directory(&place.join("log")), read).unwrap());
    assert!(over);
    let mut at = 0;
    for piece in &pieces {
        match piece {
            Piece::Bytes { bytes, offset, .. } => {
                assert!(*bytes == pattern(at, bytes.len()), "{channel:?} is wrong at {at}, which is kept at {offset}");
                at += bytes.len() as u64;
            }
            Piece::Lost { .. } => panic!("{piece:?}"),
            Piece::End { .. } => assert_eq!(at, said),
        }
    }
    assert_eq!(at, said);
}

fn settle(writer: &mut Writer, pipes: &[OwnedFd; 2]) {
    for ((channel, _), pipe) in BOTH.iter().zip(pipes) {
        take_all(writer, *channel, pipe);
    }
}

/// Writes a stream in parts of all sizes until it is over, and tells how many bytes.
fn say(sink: &OwnedFd, over: &AtomicBool) -> u64 {
    let mut at = 0;
    while !over.load(Ordering::SeqCst) {
        let part = pattern(at, (at % 5003) as usize + 1);
        match rustix::io::write(sink, &part) {
            Ok(written) => at += written as u64,
            Err(rustix::io::Errno::AGAIN) => {
                // Not for ever, because nobody may come who makes room.
                let timeout = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
                poll(&mut [PollFd::new(sink, PollFlags::OUT)], Some(&timeout)).unwrap();
            }
            Err(errno) => panic!("{errno}"),
        }
    }
    at
}

fn spawn(place: &Path) -> Child {
    let mut victim = Command::new(std::env::current_exe().unwrap());
    victim.args(["--ignored", "--exact", "killing::a_writer_to_be_killed"]).env(PLACE, place);
    victim.stdout(Stdio::null()).spawn().unwrap()
}

fn resume(place: &Path) -> Writer {
    Writer::resume(directory(&place.join("log")), LIMITS, &[Channel::Stdout, Channel::Stderr]).unwrap()
}

type Opening = fn(std::os::fd::BorrowedFd<'_>, &str, &[u32]) -> libcontainerd_stream::Result<OwnedFd>;

fn end(place: &Path, name: &str, open: Opening) -> OwnedFd {
    open(directory(place).as_fd(), name, &[rustix::process::geteuid().as_raw()]).unwrap()
}
