//! How fast output is kept: zeros in large writes, and lines of 80 bytes, one write each.
//!
//! `keep [DIRECTORY [MEBIBYTES]]`; a thread writes into a pipe as a container would, the main thread is the monitor's loop.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program to look at")]

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::thread;
use std::time::Instant;

use libcontainerd_stream::log::{Channel, Limits, Taken, Why, Writer};
use libcontainerd_stream::pipe_size;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::{PipeFlags, pipe_with};

fn main() {
    let mut words = std::env::args().skip(1);
    let directory = words.next().unwrap_or_else(|| "/tmp".into());
    let mebibytes: u64 = words.next().map_or(1024, |word| word.parse().unwrap());
    for (name, write, large) in
        [("zeros", 1 << 20, true), ("zeros, pipe of 64 KiB", 64 << 10, false), ("lines", 80, true)]
    {
        let total = if write == 80 { mebibytes << 18 } else { mebibytes << 20 };
        let begin = Instant::now();
        let turns = keep(Path::new(&directory), total, write, large);
        let seconds = begin.elapsed().as_secs_f64();
        let speed = total as f64 / seconds / f64::from(1 << 20);
        println!("{name}: {speed:.0} MiB/s, {turns} turns");
    }
}

/// Keeps so many bytes as containers are kept by default, and tells in how many turns.
fn keep(directory: &Path, total: u64, write: usize, large: bool) -> u64 {
    let scratch = tempfile::tempdir_in(directory).unwrap();
    let (source, sink) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    if large {
        pipe_size::grow(&source, 1 << 20);
    }
    let writing = thread::spawn(move || say(sink, total, write));
    let limits = Limits { segment: 16 << 20, segments: Some(4), drop_when_full: true };
    let mut writer = Writer::open(File::open(scratch.path()).unwrap().into(), limits, &[Channel::Stdout]).unwrap();
    let mut turns = 0;
    loop {
        match writer.take(Channel::Stdout, &source, 1 << 20).unwrap() {
            Taken::Moved(_) | Taken::Dropped(_) => writer.commit().unwrap(),
            Taken::SourceEmpty | Taken::NoRoom => drop(poll(&mut [PollFd::new(&source, PollFlags::IN)], None).unwrap()),
            Taken::SourceEnded => break,
        }
        turns += 1;
    }
    writer.end(Channel::Stdout, Why::Closed).unwrap();
    assert_eq!(writer.offset(), total);
    writing.join().unwrap();
    turns
}

fn say(sink: OwnedFd, total: u64, write: usize) {
    let (mut sink, part) = (File::from(sink), vec![0; write]);
    let mut left = total;
    while left > 0 {
        let length = left.min(write as u64) as usize;
        sink.write_all(&part[..length]).unwrap();
        left -= length as u64;
    }
}
