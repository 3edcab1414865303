//! A client in a process of its own: `lctr`, to be killed or to end.
//!
//! What it writes goes into a file, into which the kernel moves the container's bytes: so no byte is ever in the
//! memory of the client alone, and what it has taken when it is killed is in the file to the last byte.

use std::ffi::OsStr;
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use libcontainerd_tests::lctr;
use libcontainerd_tests::scratch::Scratch;
use tokio::process::{Child, Command};

/// Longer than anything takes that does not hang.
pub(crate) const NOT_HANGING: Duration = Duration::from_secs(20);

/// A running `lctr`.
#[derive(Debug)]
pub(crate) struct Lctr {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// How one has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; `None` for a signal.
    pub(crate) code: Option<i32>,
    /// What it has written to stdout.
    pub(crate) stdout: Vec<u8>,
    /// What it has complained of.
    pub(crate) stderr: String,
}

impl Lctr {
    /// Starts one on these roots, whose output goes to files that are named after `name`.
    pub(crate) fn start<S: AsRef<OsStr>>(scratch: &Scratch, name: &str, args: impl IntoIterator<Item = S>) -> Self {
        Lctr::spawn(scratch, name, lctr::command(scratch, args))
    }

    /// Starts this command, which runs one.
    pub(crate) fn spawn(scratch: &Scratch, name: &str, command: std::process::Command) -> Self {
        Lctr::fed(scratch, name, command, Stdio::null())
    }

    /// Starts this command with this input.
    pub(crate) fn fed(scratch: &Scratch, name: &str, command: std::process::Command, stdin: impl Into<Stdio>) -> Self {
        let file = |kind: &str| scratch.place(&format!("{name}.{kind}"));
        let (stdout, stderr) = (file("stdout"), file("stderr"));
        let create = |path| File::create(path).expect("files can be made");
        let mut command = Command::from(command);
        command.stdin(stdin).stdout(create(&stdout)).stderr(create(&stderr)).kill_on_drop(true);
        Lctr { child: command.spawn().expect("lctr can be run"), stdout, stderr }
    }

    /// Its pid, while it was not waited for.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Kills it and gives what it had written; one that has ended before has written that.
    pub(crate) async fn kill(mut self) -> Vec<u8> {
        self.child.start_kill().expect("a child of ours can be killed");
        self.child.wait().await.expect("a child can be waited for");
        self.ended(None).stdout
    }

    /// Waits for its end.
    pub(crate) async fn end(mut self) -> Ended {
        let status = tokio::time::timeout(NOT_HANGING, self.child.wait()).await;
        let status = status.unwrap_or_else(|_| panic!("lctr hangs: {:?}", self.ended(None).stderr));
        self.ended(status.expect("a child can be waited for").code())
    }

    /// Waits until it has written so many bytes.
    pub(crate) async fn has_written(&self, bytes: u64) {
        let written = async {
            while std::fs::metadata(&self.stdout).expect("the file is there").len() < bytes {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(NOT_HANGING, written).await.expect("what was written before is passed on");
    }

    fn ended(&self, code: Option<i32>) -> Ended {
        let stderr = std::fs::read(&self.stderr).unwrap();
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        Ended { code, stdout: std::fs::read(&self.stdout).unwrap(), stderr }
    }
}
