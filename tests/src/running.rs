//! A command that still runs: what it says is waited for, it is sent signals, and at last its end is judged.
//!
//! Dropped before its end it is killed: a test that fails leaves no command behind.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::heard::Heard;
use crate::lctr::Ran;

/// A command that runs, over pipes.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Heard,
    stderr: Heard,
}

impl Running {
    /// Starts it.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command can be run");
        let stdout = Heard::listen(child.stdout.take().expect("it was piped"));
        let stderr = Heard::listen(child.stderr.take().expect("it was piped"));
        Running { stdin: child.stdin.take(), child, stdout, stderr }
    }

    /// Waits until it says `word` on stdout, and gives what it said since the last word that was waited for.
    #[track_caller]
    pub fn says(&self, word: &str) -> String {
        self.stdout.next(word)
    }

    /// Waits until it says `word` on stderr.
    #[track_caller]
    pub fn complains(&self, word: &str) -> String {
        self.stderr.next(word)
    }

    /// Writes to its stdin.
    pub fn is_told(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().expect("its stdin is open").write_all(bytes).expect("it reads");
    }

    /// Ends its stdin.
    pub fn is_told_all(&mut self) {
        self.stdin = None;
    }

    /// Sends it a signal.
    pub fn gets(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it still runs, or was not waited for");
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    #[must_use]
    #[track_caller]
    pub fn ends(self) -> Ran {
        let (status, stdout, stderr) = self.ends_with_bytes();
        Ran::new(status, &stdout, &stderr)
    }

    /// Waits for its end, and gives its stdout and stderr byte for byte.
    #[track_caller]
    pub fn ends_with_bytes(mut self) -> (ExitStatus, Vec<u8>, Vec<u8>) {
        self.stdin = None;
        // Whoever does not end is found out here, before anybody waits.
        let (stdout, stderr) = (self.stdout.all(), self.stderr.all());
        (self.child.wait().expect("it can be waited for"), stdout, stderr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, unless the test fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
