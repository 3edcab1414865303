//! The command `lctr`, run on a test's own roots and judged in one line.
//!
//! `lctr(&scratch, ["run", …]).stdout("…").code(7)`. A command that takes over a minute is killed and fails the test.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::built;
use crate::patience;
use crate::scratch::Scratch;

const LIMIT: Duration = Duration::from_secs(60);

/// A run of `lctr` that has ended.
#[derive(Debug)]
pub struct Ran {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

/// Runs `lctr` to its end, without input.
#[must_use]
pub fn lctr<S: AsRef<OsStr>>(scratch: &Scratch, args: impl IntoIterator<Item = S>) -> Ran {
    lctr_with(scratch, args, b"")
}

/// Runs `lctr` to its end with this input.
#[must_use]
pub fn lctr_with<S: AsRef<OsStr>>(scratch: &Scratch, args: impl IntoIterator<Item = S>, input: &[u8]) -> Ran {
    ran(command(scratch, args), input)
}

/// Runs a command that a test has made of `lctr`, to its end with this input.
pub fn ran(mut command: Command, input: &[u8]) -> Ran {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let (status, stdout, stderr) = collect(child.expect("lctr can be run"), input.to_vec());
    Ran { status, stdout, stderr }
}

/// The command, for tests that need more than its end.
pub fn command<S: AsRef<OsStr>>(scratch: &Scratch, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(built::lctr());
    command.arg("--root").arg(scratch.state()).arg("--data").arg(scratch.data()).args(args);
    command.env_remove("LCTR_ROOT").env_remove("LCTR_DATA");
    command
}

impl Ran {
    /// A run that ended like this.
    pub(crate) fn new(status: ExitStatus, stdout: &[u8], stderr: &[u8]) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Ran { status, stdout: text(stdout), stderr: text(stderr) }
    }

    /// It wrote exactly this to stdout.
    #[track_caller]
    pub fn stdout(self, wanted: &str) -> Self {
        assert_eq!(self.stdout, wanted, "{self:#?}");
        self
    }

    /// It complained with something that contains this.
    #[track_caller]
    pub fn complains(self, wanted: &str) -> Self {
        assert!(self.stderr.contains(wanted), "{wanted:?} is not in {self:#?}");
        self
    }

    /// It complained about nothing.
    #[track_caller]
    pub fn quietly(self) -> Self {
        assert_eq!(self.stderr, "", "{self:#?}");
        self
    }

    /// It exited with this code.
    #[track_caller]
    pub fn code(self, wanted: i32) -> Self {
        assert_eq!(self.status.code(), Some(wanted), "{self:#?}");
        self
    }

    /// Its exit code; none when a signal has ended it.
    pub fn exit_code(&self) -> Option<i32> {
        self.status.code()
    }

    /// What it wrote to stdout.
    pub fn text(&self) -> &str {
        &self.stdout
    }

    /// What it wrote to stderr.
    pub fn complaint(&self) -> &str {
        &self.stderr
    }

    /// What it wrote to stdout, as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:#?}"))
    }
}

fn collect(mut child: Child, input: Vec<u8>) -> (ExitStatus, String, String) {
    let mut stdin = child.stdin.take().expect("it was piped");
    // Who does not read all of its input has its reasons.
    let feed = thread::spawn(move || drop(stdin.write_all(&input)));
    let (stdout, stderr) = (read(child.stdout.take()), read(child.stderr.take()));
    let (ended, watch) = mpsc::channel::<()>();
    let pid = child.id();
    let watchdog = thread::spawn(move || {
        if watch.recv_timeout(patience::at_most(LIMIT)) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("lctr took too long and is killed");
            crate::fault::kill(pid);
        }
    });
    let status = child.wait().expect("lctr can be waited for");
    drop(ended);
    let text = |reader: thread::JoinHandle<Vec<u8>>| String::from_utf8_lossy(&reader.join().unwrap()).into_owned();
    let texts = (text(stdout), text(stderr));
    feed.join().unwrap();
    watchdog.join().unwrap();
    (status, texts.0, texts.1)
}

fn read(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    let mut stream = stream.expect("it was piped");
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("a pipe can be read");
        bytes
    })
}
