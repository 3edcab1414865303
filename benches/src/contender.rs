//! Who is measured: the commands that each takes for the same thing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::bundle::{Place, Programs};
use crate::error::Error;

/// A program that runs containers.
#[derive(Debug)]
pub(crate) struct Contender {
    /// As the table names it.
    pub(crate) name: &'static str,
    program: PathBuf,
    global: Vec<String>,
    bundles: PathBuf,
    is_runc: bool,
}

impl Contender {
    /// `lctr`, which runs itself as the monitor.
    pub(crate) fn lctr(place: &Place, programs: &Programs) -> Contender {
        Contender::ours("lctr", "lctr", place, programs.lctr.clone())
    }

    /// `lctr` with the small static monitor beside it.
    pub(crate) fn lctr_small(place: &Place, programs: &Programs) -> Contender {
        Contender::ours("lctr, small monitor", "small", place, programs.lctr_beside_monitor.clone())
    }

    /// `runc`.
    pub(crate) fn runc(place: &Place) -> Contender {
        Contender {
            name: "runc",
            program: "runc".into(),
            global: vec!["--root".into(), place.state("runc").display().to_string()],
            bundles: place.bundle(""),
            is_runc: true,
        }
    }

    fn ours(name: &'static str, state: &str, place: &Place, program: PathBuf) -> Contender {
        let state = place.state(state);
        let path = |name: &str| state.join(name).display().to_string();
        Contender {
            name,
            program,
            global: vec!["--root".into(), path("state"), "--data".into(), path("data")],
            bundles: place.bundle(""),
            is_runc: false,
        }
    }

    /// Runs the bundle's program in the foreground until it exits; nothing of the container is left.
    pub(crate) fn run(&self, bundle: &str, id: &str) -> Command {
        let bundle = self.bundles.join(bundle);
        let bundle: &Path = &bundle;
        match self.is_runc {
            true => self.command(&["run", "--bundle", &bundle.display().to_string(), id]),
            false => self.command(&["run", "--rm", "--name", id, "--bundle", &bundle.display().to_string()]),
        }
    }

    /// Runs the bundle's program in the background.
    pub(crate) fn run_detached(&self, bundle: &str, id: &str) -> Command {
        let bundle = self.bundles.join(bundle).display().to_string();
        match self.is_runc {
            true => self.command(&["run", "-d", "--bundle", &bundle, id]),
            false => self.command(&["run", "-d", "--name", id, "--bundle", &bundle]),
        }
    }

    /// Runs the bundle's program in the background with all of its output kept. Of ours only.
    pub(crate) fn run_keeping(&self, bundle: &str, id: &str) -> Command {
        let bundle = self.bundles.join(bundle).display().to_string();
        let keeping = ["--log-driver", "kept", "--log-opt", "max-size=-1"];
        self.command(&[&["run", "-d", "--name", id, "--bundle", &bundle][..], &keeping].concat())
    }

    /// Waits for the end of a container. Of ours only.
    pub(crate) fn wait(&self, id: &str) -> Command {
        self.command(&["wait", id])
    }

    /// Runs /bin/true in a running container.
    pub(crate) fn exec_true(&self, id: &str) -> Command {
        self.command(&["exec", id, "/bin/true"])
    }

    /// Kills and removes a container.
    pub(crate) fn remove(&self, id: &str) -> Command {
        if self.is_runc { self.command(&["delete", "-f", id]) } else { self.command(&["rm", "-f", id]) }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.global).args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}

/// Runs a command to its end.
///
/// # Errors
/// When it cannot be run, or does not exit with 0; then with what it said.
pub(crate) fn finish(mut command: Command) -> Result<(), Error> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|e| Error::Spawn(shown.clone(), e))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Failed(shown, String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}
