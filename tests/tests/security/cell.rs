//! A container that runs while it is attacked, on state of its own, and short ones beside it.

use std::path::PathBuf;

use libcontainerd_tests::lctr::{Ran, lctr};
use libcontainerd_tests::scratch::Scratch;
use libcontainerd_tests::{built, rootfs};

/// A running container by the name `cell`, gone with the value.
pub(crate) struct Cell {
    pub(crate) scratch: Scratch,
}

impl Cell {
    /// One that only sleeps.
    pub(crate) fn asleep() -> Self {
        Cell::running(&[], &["sleep", "1000"])
    }

    /// One of busybox with these flags and this program.
    pub(crate) fn running(flags: &[&str], program: &[&str]) -> Self {
        Cell::running_in(Scratch::new(), flags, program)
    }

    pub(crate) fn running_in(scratch: Scratch, flags: &[&str], program: &[&str]) -> Self {
        let flags = [&["-d", "--name", "cell"], flags].concat();
        run(&scratch, &flags, program).quietly().stdout("cell\n").code(0);
        Cell { scratch }
    }

    /// Runs a further program in it.
    pub(crate) fn exec(&self, flags: &[&str], program: &[&str]) -> Ran {
        self.lctr(&[&["exec"], flags, &["cell"], program].concat())
    }

    /// Runs `lctr` beside it.
    pub(crate) fn lctr(&self, args: &[&str]) -> Ran {
        lctr(&self.scratch, args)
    }

    /// The pid of its first process.
    pub(crate) fn pid(&self) -> u32 {
        let answer = self.lctr(&["inspect", "cell"]).json();
        answer[0]["pid"].as_u64().and_then(|pid| pid.try_into().ok()).expect("it runs")
    }

    /// Its monitor's and witness's own directory.
    pub(crate) fn directory(&self) -> PathBuf {
        self.scratch.state().join("run/cell")
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.lctr(&["rm", "-f", "cell"]).code(0);
        }
    }
}

/// Runs busybox in a new container with these flags of `run`.
pub(crate) fn run(scratch: &Scratch, flags: &[&str], program: &[&str]) -> Ran {
    let root = rootfs::busybox().to_str().expect("target directories are text");
    run_on(scratch, root, flags, program)
}

/// Runs a program in a new container on the root file system `root`, as `--rootfs` has it.
pub(crate) fn run_on(scratch: &Scratch, root: &str, flags: &[&str], program: &[&str]) -> Ran {
    lctr(scratch, [&["run", "--rootfs", root], flags, &["--"], program].concat())
}

/// The flag that puts the attacker at `/attacker`.
pub(crate) fn with_attacker() -> String {
    format!("--volume={}:/attacker:ro", built::attacker().display())
}
