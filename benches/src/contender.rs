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
    monitor: Option<PathBuf>,
    bundles: PathBuf,
    is_runc: bool,
}

impl Contender {
    /// `lctr`, which runs itself as the monitor.
    pub(crate) fn lctr(place: &Place, programs: &Programs) -> Contender {
        Contender::ours("lctr", place, programs, programs.lctr.clone())
    }

    /// `lctr` with the small static monitor.
    pub(crate) fn lctr_small(place: &Place, programs: &Programs) -> Contender {
        Contender::ours("lctr, small monitor", place, programs, programs.monitor.clone())
    }

    /// `runc`.
    pub(crate) fn runc(place: &Place) -> Contender {
        Contender {
            name: "runc",
            program: "runc".into(),
            global: vec!["--root".into(), place.state("runc").display().to_string()],
            monitor: None,
            bundles: place.bundle(""),
            is_runc: true,
        }
    }

    fn ours(name: &'static str, place: &Place, programs: &Programs, monitor: PathBuf) -> Contender {
        let state = place.state(if monitor == programs.lctr { "lctr" } else { "small" });
        let path = |name: &str| state.join(name).display().to_string();
        Contender {
            name,
            program: programs.lctr.clone(),
            global: vec!["--root".into(), path("state"), "--data".into(), path("data")],
            monitor: Some(monitor),
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

    /// Runs /bin/true in a running container.
    pub(crate) fn exec_true(&self, id: &str) -> Command {
        self.command(&["exec", id, "/bin/true"])
    }

    /// Kills and removes a container.
    pub(crate) fn remove(&self, id: &str) -> Command {
        if self.is_runc { self.command(&["delete", "-f", id]) } else { self.command(&["rm", "-f", id]) }
    }

    /// The monitor's image, if it has monitors.
    pub(crate) fn monitor(&self) -> Option<&Path> {
        self.monitor.as_deref()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.global).args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        if let Some(monitor) = &self.monitor {
            command.env("LCTR_MONITOR", monitor);
        }
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
