//! What a virtual process sees: its streams, its terminal's size, signals, identity, environment.
//!
//! With a terminal both outputs are one stream and line ends become what a terminal makes of them.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::signal::Signal;
use crate::stdio::TerminalSize;
use crate::testing::pipe::Pipe;

/// The runtime's ends of a process's streams; `None` is /dev/null.
#[derive(Debug, Clone, Default)]
pub(in crate::testing) struct Streams {
    pub(in crate::testing) stdin: Option<Arc<Pipe>>,
    pub(in crate::testing) stdout: Option<Arc<Pipe>>,
    pub(in crate::testing) stderr: Option<Arc<Pipe>>,
}

impl Streams {
    /// Nobody reads its input any more.
    pub(in crate::testing) fn let_go_of_input(&self) {
        self.stdin.iter().for_each(|pipe| pipe.sever());
    }

    /// Its output has ended.
    pub(in crate::testing) fn end_output(&self) {
        self.stdout.iter().chain(&self.stderr).for_each(|pipe| pipe.close());
    }

    /// Its output has ended for its readers, although somebody could still write.
    pub(in crate::testing) fn give_up_output(&self) {
        self.stdout.iter().chain(&self.stderr).for_each(|pipe| pipe.give_up());
    }

    /// How many bytes went out so far, and whether all of them were read.
    pub(in crate::testing) fn progress(&self) -> (u64, bool) {
        self.stdout
            .iter()
            .chain(&self.stderr)
            .map(|pipe| pipe.progress())
            .fold((0, true), |sum, one| (sum.0 + one.0, sum.1 && one.1))
    }
}

/// Who a process runs as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::testing) struct Identity {
    pub(in crate::testing) uid: u32,
    pub(in crate::testing) gid: u32,
    pub(in crate::testing) groups: Vec<u32>,
}

/// Everything around one process.
#[derive(Debug)]
pub(in crate::testing) struct Surroundings {
    pub(in crate::testing) streams: Streams,
    pub(in crate::testing) terminal: Option<watch::Receiver<TerminalSize>>,
    pub(in crate::testing) signals: mpsc::UnboundedReceiver<Signal>,
    pub(in crate::testing) identity: Identity,
    pub(in crate::testing) env: Vec<String>,
    pub(in crate::testing) cwd: String,
    /// The pid that it sees itself under.
    pub(in crate::testing) pid: u32,
}

impl Surroundings {
    pub(super) async fn print(&mut self, bytes: &[u8]) {
        write(self.streams.stdout.as_deref(), bytes, self.terminal.is_some()).await;
    }

    pub(super) async fn complain(&mut self, bytes: &[u8]) {
        let terminal = self.terminal.is_some();
        let stream = if terminal { &self.streams.stdout } else { &self.streams.stderr };
        write(stream.as_deref(), bytes, terminal).await;
    }

    /// Reads some bytes; none at end-of-file.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> usize {
        match &self.streams.stdin {
            Some(pipe) => pipe.read(buffer).await,
            None => 0,
        }
    }

    /// The next signal that it has a handler for.
    pub(super) async fn signal(&mut self) -> Signal {
        match self.signals.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }

    /// The value of a variable.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.env.iter().rev().find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }
}

/// A program that writes where nobody reads any more goes on, like the probe.
async fn write(stream: Option<&Pipe>, bytes: &[u8], terminal: bool) {
    let Some(pipe) = stream else { return };
    if !terminal {
        let _ = pipe.write_all(bytes).await;
        return;
    }
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        let (text, end) = line.strip_suffix(b"\n").map_or((line, &b""[..]), |text| (text, &b"\r\n"[..]));
        let _ = pipe.write_all(text).await;
        let _ = pipe.write_all(end).await;
    }
}
