//! Closing stdin, in whatever order end-of-file, create, start and exit come.
//!
//! The test plays the core, which passes the wish to close on once the process runs, and the runtime, which holds both
//! ends of the FIFO from create until it is asked to close, or the process exits.

use std::os::fd::OwnedFd;

use libcontainerd_core::ports::process_io::InputStream;
use libcontainerd_core::stdio::Stdio;
use rustix::io::Errno;
use tokio::io::AsyncWriteExt;

use crate::room::Room;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    EndOfFile,
    Create,
    Start,
    Exit,
}

#[tokio::test]
async fn closing_is_told_once_in_every_order() {
    for order in orders(&[Act::EndOfFile, Act::Create, Act::Start, Act::Exit]) {
        let mut stage = Stage::new().await;
        for act in &order {
            stage.perform(*act).await;
        }
        assert_eq!(stage.room.closings.told(), 1, "{order:?}");
        stage.stdin.shutdown().await.unwrap();
        assert_eq!(stage.room.closings.told(), 1, "repeated after {order:?}");
    }
}

#[tokio::test]
async fn the_process_reads_all_and_then_the_end_in_every_order() {
    for order in orders(&[Act::EndOfFile, Act::Create, Act::Start]) {
        let mut stage = Stage::new().await;
        for act in &order {
            stage.perform(*act).await;
        }
        assert_eq!(stage.read_to_end(), b"input", "{order:?}");
    }
}

#[tokio::test]
async fn a_created_process_that_was_not_started_reads_no_end() {
    let mut stage = Stage::new().await;
    stage.perform(Act::Create).await;
    stage.perform(Act::EndOfFile).await;
    let mut got = [0; 16];
    let process = stage.process.as_ref().unwrap();
    assert_eq!(rustix::io::read(process, &mut got[..]), Ok(5));
    assert_eq!(rustix::io::read(process, &mut got[..]), Err(Errno::AGAIN));
}

struct Stage {
    room: Room,
    stdin: Box<dyn InputStream>,
    exited: bool,
    keeper: Option<OwnedFd>,
    process: Option<OwnedFd>,
    started: bool,
}

impl Stage {
    async fn new() -> Self {
        let room = Room::prepared(Stdio::piped()).await;
        let stdin = room.open().await.unwrap().stdin.unwrap();
        Self { room, stdin, exited: false, keeper: None, process: None, started: false }
    }

    async fn perform(&mut self, act: Act) {
        match act {
            Act::EndOfFile => self.end_input().await,
            Act::Create => {
                self.keeper = Some(self.room.keep("stdin"));
                self.process = Some(self.room.input());
            }
            Act::Start => self.started = true,
            Act::Exit => (self.keeper, self.process, self.exited) = (None, None, true),
        }
        if self.started && self.room.closings.told() > 0 {
            self.keeper = None;
        }
    }

    /// The program writes its input and is done.
    async fn end_input(&mut self) {
        // Before the process exits: afterwards nobody needs to take it.
        let written = self.stdin.write_all(b"input").await;
        assert!(written.is_ok() || self.exited);
        self.stdin.shutdown().await.unwrap();
        assert!(self.stdin.write_all(b"after the end").await.is_err());
    }

    fn read_to_end(&self) -> Vec<u8> {
        let (mut got, mut part) = (Vec::new(), [0; 16]);
        loop {
            match rustix::io::read(self.process.as_ref().unwrap(), &mut part[..]) {
                Ok(0) => return got,
                Ok(n) => got.extend(&part[..n]),
                Err(errno) => panic!("no end-of-file: {errno}"),
            }
        }
    }
}

fn orders(acts: &[Act]) -> Vec<Vec<Act>> {
    let Some((first, rest)) = acts.split_first() else {
        return vec![Vec::new()];
    };
    let mut all = Vec::new();
    for order in orders(rest) {
        for at in 0..=order.len() {
            let mut longer = order.clone();
            longer.insert(at, *first);
            all.push(longer);
        }
    }
    all
}
