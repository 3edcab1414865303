//! Others that keep the output of containers: conmon alone, podman and docker, each as its package installs it.
//!
//! A peer that is not installed, or does not work on this machine, is left out and said to be. Each has directories of
//! its own in the benchmark's place; docker's daemon is started for the measure and ended with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::bundle::Place;
use crate::contender::{Contender, finish};
use crate::error::Error;

/// How long a daemon may take to begin.
const BEGINNING: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(2);

/// Who keeps the output of a container that runs in the background.
#[derive(Debug)]
pub(crate) enum Keeper<'a> {
    /// One of ours.
    Ours(&'a Contender),
    /// conmon, told to write k8s-file, over runc.
    Conmon(PathBuf),
    /// podman with k8s-file, over runc.
    Podman(PathBuf),
    /// docker with json-file.
    Docker(Docker),
}

impl Keeper<'_> {
    /// The peers that work here.
    pub(crate) fn peers(place: &Place) -> Vec<Keeper<'static>> {
        let mut peers = Vec::new();
        for (name, keeper) in [
            ("conmon", is_installed("conmon").then(|| Ok(Keeper::Conmon(place.state("conmon"))))),
            ("podman", is_installed("podman").then(|| Ok(Keeper::Podman(place.state("podman"))))),
            ("dockerd", is_installed("dockerd").then(|| Docker::start(place).map(Keeper::Docker))),
        ] {
            let works = keeper.map(|keeper| keeper.and_then(|keeper| keeper.try_out(place).map(|()| keeper)));
            match works {
                Some(Ok(keeper)) => peers.push(keeper),
                Some(Err(error)) => println!("- {name} does not work here and is left out: {error}"),
                None => println!("- {name} is not installed and is left out"),
            }
        }
        peers
    }

    /// As the table names it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Keeper::Ours(contender) => contender.name,
            Keeper::Conmon(_) => "conmon, k8s-file",
            Keeper::Podman(_) => "podman, k8s-file",
            Keeper::Docker(_) => "docker, json-file",
        }
    }

    /// Runs the bundle's program to its end in the background, its output kept, and removes the container; returns
    /// how long it took from the command's spawn until its end was known.
    pub(crate) fn run(&self, place: &Place, bundle: &str, id: &str) -> Result<Duration, Error> {
        let begun = Instant::now();
        match self {
            Keeper::Ours(contender) => {
                finish(contender.run_keeping(bundle, id))?;
                finish(contender.wait(id))?;
            }
            Keeper::Conmon(state) => conmon(state, &place.bundle(bundle), id)?,
            Keeper::Podman(state) => {
                finish(podman(state, &podman_run(place, bundle, id)))?;
                finish(podman(state, &words(&["wait", id])))?;
            }
            Keeper::Docker(docker) => {
                let arguments = [words(&["run", "-d", "--network", "none", "--name", id, "bench"]), place.args(bundle)];
                finish(docker.command(&arguments.concat()))?;
                finish(docker.command(&words(&["wait", id])))?;
            }
        }
        let took = begun.elapsed();
        self.remove(id)?;
        Ok(took)
    }

    fn remove(&self, id: &str) -> Result<(), Error> {
        match self {
            Keeper::Ours(contender) => finish(contender.remove(id)),
            Keeper::Conmon(state) => {
                let removed = finish(runc(state, &["delete", "-f", id]));
                let _ = fs::remove_file(state.join("log"));
                removed
            }
            Keeper::Podman(state) => finish(podman(state, &words(&["rm", "-f", id]))),
            Keeper::Docker(docker) => finish(docker.command(&words(&["rm", "-f", id]))),
        }
    }

    fn try_out(&self, place: &Place) -> Result<(), Error> {
        self.run(place, "true", "try-out").map(drop)
    }
}

fn conmon(state: &Path, bundle: &Path, id: &str) -> Result<(), Error> {
    let exits = state.join("exits");
    fs::create_dir_all(&exits).map_err(|e| Error::File(exits.display().to_string(), e))?;
    let path = |name: &str| state.join(name).display().to_string();
    let mut command = Command::new("conmon");
    command.args(["-c", id, "-u", id, "-r", "/usr/sbin/runc", "--runtime-arg", "--root", "--runtime-arg"]);
    command.args([path("runc"), "-b".into(), bundle.display().to_string(), "-p".into(), path("pid")]);
    command.args(["-l".into(), format!("k8s-file:{}", path("log")), "--exit-dir".into(), path("exits")]);
    command.args(["--persist-dir".into(), path("exits"), "--full-attach".into()]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _ = fs::remove_file(state.join("pid"));
    finish(command)?;
    let exit = exits.join(id);
    // It makes the container in the background, and says so by the pid file.
    until(|| state.join("pid").exists())?;
    finish(runc(state, &["start", id]))?;
    until(|| exit.exists())?;
    fs::remove_file(&exit).map_err(|e| Error::File(exit.display().to_string(), e))
}

fn runc(state: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("runc");
    command.arg("--root").arg(state.join("runc")).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn podman(state: &Path, args: &[String]) -> Command {
    let mut command = Command::new("podman");
    command.arg("--root").arg(state.join("storage")).arg("--runroot").arg(state.join("run"));
    command.args(["--cgroup-manager", "cgroupfs", "--runtime", "runc"]).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn podman_run(place: &Place, bundle: &str, id: &str) -> Vec<String> {
    let mut args = words(&["run", "-d", "--name", id, "--network", "none", "--log-driver", "k8s-file"]);
    // Its defaults are more than some machines allow.
    args.extend(words(&["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=10000:10000", "--rootfs"]));
    args.push(place.rootfs().display().to_string());
    args.extend(place.args(bundle));
    args
}

/// A docker daemon of the benchmark's own, ended when dropped.
#[derive(Debug)]
pub(crate) struct Docker {
    daemon: Child,
    socket: String,
}

impl Docker {
    fn start(place: &Place) -> Result<Docker, Error> {
        let state = place.state("docker");
        fs::create_dir_all(&state).map_err(|e| Error::File(state.display().to_string(), e))?;
        let path = |name: &str| state.join(name).display().to_string();
        let log = fs::File::create(path("log")).map_err(|e| Error::File(path("log"), e))?;
        let socket = format!("unix://{}", path("socket"));
        let mut command = Command::new("dockerd");
        command.args(["--data-root", &path("data"), "--exec-root", &path("exec"), "--pidfile", &path("pid")]);
        command.args(["-H", &socket, "--iptables=false", "--bridge=none", "--storage-driver", "vfs"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let daemon = command.spawn().map_err(|e| Error::Spawn("dockerd".into(), e))?;
        let docker = Docker { daemon, socket };
        until(|| finish(docker.command(&words(&["version"]))).is_ok())?;
        let archive = path("rootfs.tar");
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(place.rootfs()).args(["-cf", &archive, "."]);
        finish(tar)?;
        finish(docker.command(&words(&["import", &archive, "bench"])))?;
        Ok(docker)
    }

    fn command(&self, args: &[String]) -> Command {
        let mut command = Command::new("docker");
        command.args(["-H", &self.socket]).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        if let Ok(pid) = i32::try_from(self.daemon.id()).map(rustix::process::Pid::from_raw)
            && let Some(pid) = pid
        {
            // Asked, it ends its containerd too.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.daemon.wait();
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

fn until(is_true: impl Fn() -> bool) -> Result<(), Error> {
    let begun = Instant::now();
    while !is_true() {
        if begun.elapsed() > BEGINNING {
            return Err(Error::Failed("a peer".into(), "it does not come to what was waited for".into()));
        }
        std::thread::sleep(GLANCE);
    }
    Ok(())
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
