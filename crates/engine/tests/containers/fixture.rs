//! Real containers for tests: a root file system from busybox, a spec as tight as the default one, and
//! a run from plan to exit.
//!
//! A scratch has its own cgroup parent and looks for what was left behind when it is dropped.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use libcontainerd_engine::{
    Cgroup, CgroupPlace, Error, ExecRequest, Host, InitRequest, Leaf, Plan, Report, Root, Spawned, StartFailure, Stdio,
    remove_parent,
};
use oci_spec::runtime::{Process, Spec};
use rustix::process::{WaitId, WaitIdOptions};
use serde_json::Value;

#[path = "specs.rs"]
mod specs;

pub(crate) use specs::{make_root, process, spec};

/// A directory with a root file system, and a cgroup parent.
pub(crate) struct Scratch {
    pub(crate) host: Host,
    directory: tempfile::TempDir,
    parent: String,
    next: AtomicU32,
}

/// What a process did.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The exit code, or 128 and the signal.
    pub(crate) code: i32,
}

/// A container that runs.
pub(crate) struct Running {
    pub(crate) spec: Spec,
    pub(crate) cgroup: Cgroup,
    pub(crate) init: Spawned,
    output: Pipes,
}

/// A container at its gate.
pub(crate) struct Waiting {
    pub(crate) spawned: Spawned,
    _output: Pipes,
}

/// The reading ends of a process's output.
struct Pipes {
    stdout: OwnedFd,
    stderr: OwnedFd,
}

static COUNTER: AtomicU32 = AtomicU32::new(0);

impl Scratch {
    pub(crate) fn new() -> Self {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let scratch = Self {
            host: Host::probe().unwrap(),
            directory: tempfile::Builder::new().prefix("engine-").tempdir().unwrap(),
            parent: format!("/engine-test-{}-{number}", std::process::id()),
            next: AtomicU32::new(0),
        };
        make_root(&scratch.root());
        scratch
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.path().join("rootfs")
    }

    /// A fresh place for a cgroup.
    pub(crate) fn place(&self) -> CgroupPlace {
        CgroupPlace { parent: self.parent.clone(), name: format!("c{}", self.next.fetch_add(1, Ordering::Relaxed)) }
    }

    /// Runs a container to its end.
    pub(crate) fn run(&self, spec: Value) -> Outcome {
        self.try_run(spec).unwrap()
    }

    /// Runs a container to its end, or says why it did not start.
    pub(crate) fn try_run(&self, spec: Value) -> Result<Outcome, Error> {
        self.try_run_in(spec, Root::Directory(self.root()), &[])
    }

    pub(crate) fn try_run_in(&self, spec: Value, root: Root, cover: &[PathBuf]) -> Result<Outcome, Error> {
        let running = self.start_in(spec, root, cover)?;
        Ok(running.finish())
    }

    /// Starts a container.
    pub(crate) fn start(&self, spec: Value) -> Running {
        self.start_in(spec, Root::Directory(self.root()), &[]).unwrap()
    }

    pub(crate) fn start_in(&self, spec: Value, root: Root, cover: &[PathBuf]) -> Result<Running, Error> {
        let spec: Spec = serde_json::from_value(spec).unwrap();
        let resources = spec.linux().as_ref().and_then(|linux| linux.resources().as_ref());
        let cgroup = Cgroup::create(&self.host, &self.place(), resources)?;
        match self.start_with(&spec, root, cover, &cgroup) {
            Ok((init, output)) => Ok(Running { spec, cgroup, init, output }),
            Err(error) => {
                cgroup.kill().unwrap();
                cgroup.remove().unwrap();
                Err(error)
            }
        }
    }

    /// Whether this host limits by that controller of version 1.
    pub(crate) fn host_has_v1(&self, controller: &str) -> bool {
        Path::new("/sys/fs/cgroup").join(controller).join("tasks").exists()
    }

    /// How many hierarchies this host has mounted.
    pub(crate) fn host_hierarchies(&self) -> usize {
        fs::read_to_string("/proc/self/cgroup").unwrap().lines().count()
    }

    /// Starts a container that stays at its gate.
    pub(crate) fn spawn_only(&self, spec: Value) -> (Waiting, Cgroup) {
        let spec: Spec = serde_json::from_value(spec).unwrap();
        let cgroup = Cgroup::create(&self.host, &self.place(), None).unwrap();
        let (stdin, stdout, stderr, output) = pipes();
        let stdio = Stdio::Descriptors { stdin: stdin.as_fd(), stdout: stdout.as_fd(), stderr: stderr.as_fd() };
        let mut spawned = self.plan(&spec, Root::Directory(self.root()), &[], &cgroup, stdio).unwrap().spawn().unwrap();
        assert_eq!(spawned.wait_report().unwrap(), Report::Ready);
        (Waiting { spawned, _output: output }, cgroup)
    }

    /// Starts a container with a terminal.
    pub(crate) fn start_terminal(&self, spec: Value, columns: u16, rows: u16) -> (Spawned, Cgroup) {
        let spec: Spec = serde_json::from_value(spec).unwrap();
        let cgroup = Cgroup::create(&self.host, &self.place(), None).unwrap();
        let stdio = Stdio::Terminal { columns, rows };
        let mut spawned = self.plan(&spec, Root::Directory(self.root()), &[], &cgroup, stdio).unwrap().spawn().unwrap();
        release(&mut spawned).unwrap();
        (spawned, cgroup)
    }

    /// Starts a container with a terminal that must not start.
    pub(crate) fn try_terminal(&self, spec: Value) -> StartFailure {
        let spec: Spec = serde_json::from_value(spec).unwrap();
        let cgroup = Cgroup::create(&self.host, &self.place(), None).unwrap();
        let stdio = Stdio::Terminal { columns: 80, rows: 24 };
        let mut spawned = self.plan(&spec, Root::Directory(self.root()), &[], &cgroup, stdio).unwrap().spawn().unwrap();
        let failed = release(&mut spawned);
        cgroup.remove().unwrap();
        match failed {
            Err(Error::Start(failure)) => failure,
            other => panic!("{other:?} is no failed start"),
        }
    }

    fn plan(
        &self,
        spec: &Spec,
        root: Root,
        cover: &[PathBuf],
        cgroup: &Cgroup,
        stdio: Stdio<'_>,
    ) -> Result<Plan, Error> {
        let bundle = self.path();
        Plan::init(&self.host, InitRequest { spec, bundle, id: "test", root, user: None, stdio, cgroup, cover })
    }

    fn start_with(
        &self,
        spec: &Spec,
        root: Root,
        cover: &[PathBuf],
        cgroup: &Cgroup,
    ) -> Result<(Spawned, Pipes), Error> {
        let (stdin, stdout, stderr, output) = pipes();
        let stdio = Stdio::Descriptors { stdin: stdin.as_fd(), stdout: stdout.as_fd(), stderr: stderr.as_fd() };
        let plan = self.plan(spec, root, cover, cgroup, stdio)?;
        let mut spawned = plan.spawn()?;
        release(&mut spawned)?;
        Ok((spawned, output))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.sweep();
            let _ = remove_parent(&self.host, &self.parent);
        } else {
            assert!(remove_parent(&self.host, &self.parent).unwrap(), "cgroups were left behind");
        }
    }
}

impl Scratch {
    /// Ends what a failed test has left running.
    fn sweep(&self) {
        for number in 0..self.next.load(Ordering::Relaxed) {
            let place = CgroupPlace { parent: self.parent.clone(), name: format!("c{number}") };
            if let Ok(Some(cgroup)) = Cgroup::open(&self.host, &place) {
                let _ = cgroup.kill().and_then(|()| cgroup.remove());
            }
        }
    }
}

impl Running {
    /// Waits for the end of init and removes the cgroup.
    pub(crate) fn finish(self) -> Outcome {
        let stdout = read(self.output.stdout);
        let stderr = read(self.output.stderr);
        let code = wait(&self.init);
        self.cgroup.kill().unwrap();
        self.cgroup.remove().unwrap();
        Outcome { stdout, stderr, code }
    }

    /// Kills everything and removes the cgroup.
    pub(crate) fn stop(self) {
        self.cgroup.kill().unwrap();
        wait(&self.init);
        self.cgroup.remove().unwrap();
    }

    /// Runs one more process to its end.
    pub(crate) fn exec(&self, scratch: &Scratch, process: Value) -> Result<Outcome, Error> {
        let name = format!("exec-{}", scratch.next.fetch_add(1, Ordering::Relaxed));
        let leaf = self.cgroup.leaf(&name)?;
        let (stdin, stdout, stderr, output) = pipes();
        let stdio = Stdio::Descriptors { stdin: stdin.as_fd(), stdout: stdout.as_fd(), stderr: stderr.as_fd() };
        let spawned = self.spawn(scratch, &leaf, process, stdio);
        drop((stdin, stdout, stderr));
        let outcome = spawned.map(|spawned| Outcome {
            stdout: read(output.stdout),
            stderr: read(output.stderr),
            code: wait(&spawned),
        });
        self.cgroup.remove_leaf(&name)?;
        outcome
    }

    /// Starts one more process whose output nobody wants.
    pub(crate) fn spawn_in(&self, scratch: &Scratch, leaf: &Leaf, arguments: &[&str]) -> Spawned {
        let null = File::options().read(true).write(true).open("/dev/null").unwrap();
        let stdio = Stdio::Descriptors { stdin: null.as_fd(), stdout: null.as_fd(), stderr: null.as_fd() };
        self.spawn(scratch, leaf, process(arguments), stdio).unwrap()
    }

    /// Starts one more process with a terminal, in the leaf `exec-t`.
    pub(crate) fn exec_terminal(&self, scratch: &Scratch, process: Value, columns: u16, rows: u16) -> Spawned {
        let leaf = self.cgroup.leaf("exec-t").unwrap();
        self.spawn(scratch, &leaf, process, Stdio::Terminal { columns, rows }).unwrap()
    }

    fn spawn(&self, scratch: &Scratch, leaf: &Leaf, process: Value, stdio: Stdio<'_>) -> Result<Spawned, Error> {
        let process: Process = serde_json::from_value(process).unwrap();
        let request = ExecRequest {
            spec: &self.spec,
            process: &process,
            user: None,
            init: self.init.pidfd.as_fd(),
            init_pid: self.init.pid,
            stdio,
            leaf,
            cgroup: &self.cgroup,
        };
        let mut spawned = Plan::exec(&scratch.host, request)?.spawn()?;
        release(&mut spawned)?;
        Ok(spawned)
    }
}

impl Waiting {
    /// Closes the gate and keeps the process.
    pub(crate) fn close_gate(self) -> OwnedFd {
        self.spawned.pidfd
    }
}

/// Sees a process through its gate.
pub(crate) fn release(spawned: &mut Spawned) -> Result<(), Error> {
    let expect = |report, wanted: Report| match report {
        report if report == wanted => Ok(()),
        Report::Failed(failure) => Err(Error::Start(failure)),
        other => panic!("{other:?} instead of {wanted:?}"),
    };
    let outcome = expect(spawned.wait_report()?, Report::Ready).and_then(|()| {
        spawned.open_gate()?;
        expect(spawned.wait_report()?, Report::Running)
    });
    if outcome.is_err() {
        wait(spawned);
    }
    outcome
}

/// Waits for the end of a child: its code, or 128 and the signal.
pub(crate) fn wait(spawned: &Spawned) -> i32 {
    wait_for(&spawned.pidfd)
}

/// The same of a pidfd.
pub(crate) fn wait_for(pidfd: &OwnedFd) -> i32 {
    let status = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
    let status = status.unwrap().unwrap();
    status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal)).unwrap()
}

/// The failure of a start that must have failed in the child.
pub(crate) fn failure(outcome: Result<Outcome, Error>) -> StartFailure {
    match outcome {
        Err(Error::Start(failure)) => failure,
        other => panic!("{other:?} is no failed start"),
    }
}

fn pipes() -> (OwnedFd, OwnedFd, OwnedFd, Pipes) {
    let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let null = File::open("/dev/null").unwrap();
    let ((stdout, stdout_end), (stderr, stderr_end)) = (pipe(), pipe());
    (null.into(), stdout_end, stderr_end, Pipes { stdout, stderr })
}

fn read(pipe: OwnedFd) -> String {
    let mut text = String::new();
    File::from(pipe).read_to_string(&mut text).unwrap();
    text
}
