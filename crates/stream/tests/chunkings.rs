//! Any order of writes, steps and reads, of any sizes: what comes out is what went in.
//!
//! One thread plays all three parts against small pipes and sockets, so that full sinks, empty sources and partial
//! writes come in every order and a failure shrinks to the shortest script.

#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use libcontainerd_stream::{Step, Transfer};
use proptest::prelude::*;
use rustix::fs::OFlags;
use rustix::io::Errno;

#[derive(Debug, Clone, Copy)]
enum Act {
    Write(usize),
    Step(usize),
    Read(usize),
}

#[derive(Debug, Clone, Copy)]
enum Medium {
    Pipe,
    Socket,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_chunking_loses_doubles_or_reorders_a_byte(
        source in medium(),
        sink in medium(),
        spliced in any::<bool>(),
        acts in prop::collection::vec(act(), 1..160),
    ) {
        let mut play = Play::new(source, sink, spliced);
        for act in acts {
            play.perform(act);
        }
        let (sent, got) = play.finish();
        prop_assert!(sent == got, "{} bytes sent, {} got", sent.len(), got.len());
    }
}

fn medium() -> impl Strategy<Value = Medium> {
    prop_oneof![Just(Medium::Pipe), Just(Medium::Socket)]
}

fn act() -> impl Strategy<Value = Act> {
    let size = || prop_oneof![1..9_usize, 4000..4200_usize, 1..70_000_usize];
    prop_oneof![
        3 => size().prop_map(Act::Write),
        4 => size().prop_map(Act::Step),
        2 => size().prop_map(Act::Read),
    ]
}

struct Play {
    feed: Option<OwnedFd>,
    from: OwnedFd,
    to: OwnedFd,
    emptied: OwnedFd,
    transfer: Transfer,
    sent: Vec<u8>,
    got: Vec<u8>,
}

impl Play {
    fn new(source: Medium, sink: Medium, spliced: bool) -> Self {
        let ((from, feed), (emptied, to)) = (ends(source), ends(sink));
        let transfer = if spliced { Transfer::between(&from, &to) } else { Transfer::copying(&from, &to) };
        let (sent, got, feed) = (Vec::new(), Vec::new(), Some(feed));
        Self { feed, from, to, emptied, transfer, sent, got }
    }

    fn perform(&mut self, act: Act) {
        match act {
            Act::Write(size) => self.write(size),
            Act::Step(budget) => {
                if let Step::Moved(n) = self.step(budget) {
                    assert!((1..=budget).contains(&n), "{n} moved of {budget}");
                }
            }
            Act::Read(size) => {
                self.read(size);
            }
        }
    }

    fn write(&mut self, size: usize) {
        let first = self.sent.len();
        let bytes: Vec<u8> = (first..first + size).map(|at| (at * 31 + at / 251) as u8).collect();
        match rustix::io::write(self.feed.as_ref().unwrap(), &bytes) {
            Ok(n) => self.sent.extend(&bytes[..n]),
            Err(Errno::AGAIN) => {}
            Err(errno) => panic!("{errno}"),
        }
    }

    fn step(&mut self, budget: usize) -> Step {
        self.transfer.step(&self.from, &self.to, budget).unwrap()
    }

    fn read(&mut self, size: usize) -> bool {
        let mut part = vec![0; size];
        match rustix::io::read(&self.emptied, &mut part[..]) {
            Ok(n) => self.got.extend(&part[..n]),
            Err(Errno::AGAIN) => return false,
            Err(errno) => panic!("{errno}"),
        }
        true
    }

    /// Ends the source and runs to the end.
    fn finish(mut self) -> (Vec<u8>, Vec<u8>) {
        self.feed = None;
        loop {
            match self.step(1 << 16) {
                Step::End => break,
                Step::Moved(_) => {}
                Step::SinkFull => assert!(self.read(1 << 16), "full and yet empty"),
                wrong => panic!("{wrong:?} after the source's end"),
            }
        }
        assert_eq!(self.transfer.held(), 0);
        while self.read(1 << 16) {}
        (self.sent, self.got)
    }
}

/// The reading and the writing end.
fn ends(medium: Medium) -> (OwnedFd, OwnedFd) {
    let (one, other) = match medium {
        Medium::Pipe => rustix::pipe::pipe().unwrap(),
        Medium::Socket => {
            let (one, other) = UnixStream::pair().unwrap();
            (one.into(), other.into())
        }
    };
    for end in [&one, &other] {
        let flags = rustix::fs::fcntl_getfl(end).unwrap();
        rustix::fs::fcntl_setfl(end, flags | OFlags::NONBLOCK).unwrap();
    }
    (one, other)
}
