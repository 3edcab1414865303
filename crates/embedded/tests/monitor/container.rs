//! A container under a monitor of its own, and the clients that talk to it.

use std::fs::{self, File};
use std::io::{IoSlice, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio as Channel};
use std::time::{Duration, Instant};

use libcontainerd_core::process::NewProcess;
use libcontainerd_core::rootfs::Rootfs;
use libcontainerd_core::stdio::{Endpoint, Endpoints, Log, Place, Stdio};
use libcontainerd_durable::{Dir, Lock};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use oci_spec::runtime::Spec;
use serde_json::{Value, json};

use crate::scratch::Scratch;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A container under a monitor of its own.
pub(crate) struct Container<'s> {
    pub(crate) scratch: &'s Scratch,
    pub(crate) id: String,
    pub(crate) first: Client,
    pub(crate) created: Value,
    pub(crate) instance: String,
    run: PathBuf,
}

/// A connection to a monitor.
pub(crate) struct Client {
    socket: UnixStream,
}

/// What a container is made from.
pub(crate) struct Recipe {
    pub(crate) id: String,
    pub(crate) args: Vec<String>,
    pub(crate) stdio: Stdio,
    pub(crate) rootfs: Option<Rootfs>,
    pub(crate) user: Value,
    pub(crate) resources: Value,
    /// How long it lasts; null for as long as nobody asks for its removal.
    pub(crate) lifetime: Value,
    /// Whether its endpoints name a directory for kept output.
    pub(crate) keeps: bool,
}

pub(crate) fn recipe(id: &str, args: &[&str]) -> Recipe {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    Recipe {
        id: id.to_owned(),
        args,
        stdio: Stdio::null(),
        rootfs: None,
        user: Value::Null,
        resources: json!({}),
        lifetime: Value::Null,
        keeps: false,
    }
}

pub(crate) fn shell(id: &str, script: &str) -> Recipe {
    recipe(id, &["/bin/sh", "-c", script])
}

impl Recipe {
    pub(crate) fn with(mut self, stdio: Stdio) -> Recipe {
        self.stdio = stdio;
        self
    }

    pub(crate) fn on(mut self, rootfs: Rootfs) -> Recipe {
        self.rootfs = Some(rootfs);
        self
    }

    pub(crate) fn lasting(mut self, lifetime: Value) -> Recipe {
        self.lifetime = lifetime;
        self
    }

    pub(crate) fn create(self, scratch: &Scratch) -> Container<'_> {
        let container = self.try_create(scratch);
        assert!(container.created.get("created").is_some(), "{}", container.created);
        container
    }

    pub(crate) fn try_create(self, scratch: &Scratch) -> Container<'_> {
        let run = scratch.path(&format!("state/run/{}", self.id));
        fs::create_dir(&run).unwrap();
        fs::create_dir(scratch.path(&format!("state/bundles/{}", self.id))).unwrap();
        let endpoints = endpoints(scratch, &self.id, "init", &self.stdio);
        let spec = spec(&self.args, &self.resources);
        fs::write(run.join("spec.json"), serde_json::to_vec(&spec).unwrap()).unwrap();
        let instance = libcontainerd_core::Instance::random().unwrap();
        let mut launch = json!({
            "id": self.id,
            "instance": instance,
            "state": scratch.path("state"),
            "data": scratch.path("data"),
            "cgroup_parent": scratch.cgroup_parent(),
            "cgroup_name": scratch.cgroup_name(&instance.to_string()),
            "bundle": scratch.path(&format!("state/bundles/{}", self.id)),
            "spec": spec,
            "rootfs": self.rootfs.unwrap_or(Rootfs::Directory(scratch.path("rootfs"))),
            "user": self.user,
            "endpoints": endpoints,
        });
        if !self.lifetime.is_null() {
            launch["lifetime"] = self.lifetime;
        }
        let logs = scratch.path(&format!("data/output/{instance}"));
        if self.keeps {
            fs::create_dir_all(logs.join("init")).unwrap();
            let keep = libcontainerd_core::stdio::Keep::default();
            launch["endpoints"]["log"] = json!({ "directory": logs.join("init"), "keep": keep });
        }
        let (first, created) = give_birth(&run, &json!({ "create": launch }));
        Container { scratch, id: self.id, first, created, run, instance: instance.to_string() }
    }
}

/// Starts a monitor with a task, and returns its first connection and its answer there.
fn give_birth(run: &std::path::Path, task: &Value) -> (Client, Value) {
    let lock = Lock::try_exclusive(&Dir::open_path(run).unwrap(), "lock").unwrap().expect("nobody has it");
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut child = Command::new("/proc/self/exe")
        .arg0("lctr-monitor")
        .env_clear()
        .stdin(Channel::from(OwnedFd::from(theirs)))
        .stdout(Channel::null())
        .stderr(Channel::null())
        .spawn()
        .unwrap();
    let frame = frame(task);
    let lock = [lock.as_fd().as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&lock)];
    let sent = sendmsg::<()>(ours.as_raw_fd(), &[IoSlice::new(&frame)], &rights, MsgFlags::empty(), None).unwrap();
    (&ours).write_all(&frame[sent..]).unwrap();
    child.wait().unwrap();
    let mut first = Client::of(ours);
    // None from a monitor that was killed in the middle of it.
    let answer = first.answer().unwrap_or_default();
    (first, answer)
}

impl<'s> Container<'s> {
    /// One more connection.
    pub(crate) fn client(&self) -> Client {
        Client::of(self.connect().expect("a monitor that listens"))
    }

    pub(crate) fn connect(&self) -> Option<UnixStream> {
        let directory = File::open(&self.run).ok()?;
        UnixStream::connect(format!("/proc/self/fd/{}/socket", directory.as_raw_fd())).ok()
    }

    /// Asks on a new connection, again if the monitor dies meanwhile and `request` is one that may be repeated.
    pub(crate) fn ask(&self, request: &Value) -> Value {
        eventually(|| Client::of(self.connect()?).try_ask(request))
    }

    pub(crate) fn start(&self) -> Value {
        let answer = self.ask(&json!("start"));
        assert!(answer.get("started").is_some(), "{answer}");
        answer
    }

    /// Pids of monitor and witness.
    pub(crate) fn supervisors(&self) -> (u32, u32) {
        let here = self.ask(&json!("hello"));
        let pid = |who: &str| here["here"][who].as_u64().unwrap() as u32;
        (pid("monitor"), pid("witness"))
    }

    pub(crate) fn exec(&self, process: &str, what: NewProcess) -> Value {
        self.client().ask(&self.exec_request(process, what))
    }

    pub(crate) fn exec_request(&self, process: &str, what: NewProcess) -> Value {
        let endpoints = endpoints(self.scratch, &self.id, process, &what.stdio);
        json!({ "exec": { "process": process, "what": what, "endpoints": endpoints } })
    }

    pub(crate) fn signal(&self, process: &str, number: u8, scope: &str) -> Value {
        self.ask(&json!({ "signal": { "process": process, "signal": number, "scope": scope } }))
    }

    /// Deletes, and sees to it that nothing is left.
    pub(crate) fn delete(self) {
        let request = json!({ "delete": { "instance": null } });
        eventually(|| match self.connect() {
            Some(socket) => Client::of(socket).try_ask(&request).map(|answer| assert_eq!(answer, "done")),
            None if !self.run.exists() => Some(()),
            // Its monitor has waited long enough for a last request: what is left is the client's to remove.
            None => self.is_finished().then(|| fs::remove_dir_all(&self.run).unwrap()),
        });
        assert!(!self.run.exists());
        eventually(|| self.scratch.left_overs().iter().all(|left| !left.contains("process")).then_some(()));
    }

    fn is_finished(&self) -> bool {
        self.journal().last().is_some_and(|entry| entry["fact"] == "cleaned")
            && !Lock::is_held(&Dir::open_path(&self.run).unwrap(), "lock").unwrap()
    }

    /// Opens a stream for reading, until its end.
    pub(crate) fn reader(&self, stream: &str) -> File {
        let file = File::options().read(true).custom_flags(nix::libc::O_NONBLOCK).open(self.fifo(stream)).unwrap();
        let flags = nix::fcntl::OFlag::empty();
        nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_SETFL(flags)).unwrap();
        file
    }

    /// Reads a stream to its end.
    pub(crate) fn read(&self, stream: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.reader(stream).read_to_end(&mut bytes).unwrap();
        bytes
    }

    pub(crate) fn text(&self, stream: &str) -> String {
        String::from_utf8(self.read(stream)).unwrap()
    }

    pub(crate) fn writer(&self, stream: &str) -> File {
        File::options().write(true).open(self.fifo(stream)).unwrap()
    }

    pub(crate) fn fifo(&self, stream: &str) -> PathBuf {
        self.scratch.path(&format!("state/bundles/{}/{stream}", self.id))
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.run.join("log")).unwrap_or_default()
    }

    pub(crate) fn run(&self) -> &std::path::Path {
        &self.run
    }

    /// Kills witness and monitor, so that neither can follow on the other.
    pub(crate) fn lose_supervisors(&self) {
        let (monitor, witness) = self.supervisors();
        for pid in [witness, monitor] {
            let pid = nix::unistd::Pid::from_raw(pid as i32);
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGSTOP).unwrap();
        }
        kill(witness);
        kill(monitor);
        let run = Dir::open_path(&self.run).unwrap();
        eventually(|| (!Lock::is_held(&run, "lock").unwrap()).then_some(()));
    }

    /// Starts a monitor that adopts the container.
    pub(crate) fn adopt(&mut self) -> Value {
        let adopt = json!({
            "id": self.id,
            "state": self.scratch.path("state"),
            "data": self.scratch.path("data"),
        });
        let (first, answer) = give_birth(&self.run, &json!({ "adopt": adopt }));
        self.first = first;
        answer
    }
}

impl Client {
    pub(crate) fn of(socket: UnixStream) -> Client {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Client { socket }
    }

    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        self.try_ask(request).expect("an answer")
    }

    pub(crate) fn try_ask(&mut self, request: &Value) -> Option<Value> {
        self.send(request)?;
        self.answer()
    }

    pub(crate) fn send(&mut self, request: &Value) -> Option<()> {
        self.socket.write_all(&frame(request)).ok()
    }

    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }

    pub(crate) fn answer(&mut self) -> Option<Value> {
        let mut head = [0; 4];
        self.socket.read_exact(&mut head).ok()?;
        let mut body = vec![0; u32::from_le_bytes(head) as usize];
        self.socket.read_exact(&mut body).ok()?;
        serde_json::from_slice(&body).ok()
    }
}

pub(crate) fn frame(request: &Value) -> Vec<u8> {
    let body = serde_json::to_vec(&json!({ "v": 1, "request": request })).unwrap();
    let mut frame = (body.len() as u32).to_le_bytes().to_vec();
    frame.extend(body);
    frame
}

/// Asks until there is an answer. What is waited for has no descriptor to wait at: it is in a file.
pub(crate) fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "it did not happen in {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn kill(pid: u32) {
    let pid = nix::unistd::Pid::from_raw(pid as i32);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
}

fn endpoints(scratch: &Scratch, id: &str, process: &str, stdio: &Stdio) -> Endpoints {
    let bundle = scratch.path(&format!("state/bundles/{id}"));
    let directory = File::open(&bundle).unwrap();
    let endpoint = |place: Place, stream: &str| {
        match place {
            Place::Null => return Endpoint::Null,
            Place::Descriptor(number) => return Endpoint::Descriptor(number),
            Place::Stream | Place::Kept => {}
            other => panic!("{other:?}"),
        }
        let name = format!("{process}-{stream}");
        libcontainerd_stream::fifo::make(directory.as_fd(), &name, 0o600, None).unwrap();
        let path = bundle.join(name);
        if place == Place::Kept { Endpoint::Kept(path) } else { Endpoint::Fifo(path) }
    };
    let stdin = endpoint(stdio.stdin, "stdin");
    let stderr = if stdio.terminal.is_some() { Place::Null } else { stdio.stderr };
    Endpoints::new(stdin, endpoint(stdio.stdout, "stdout"), endpoint(stderr, "stderr"), stdio)
        .read_under(bundle.join(format!("{process}-reader")))
        .kept_in(stdio.keeps().then(|| Log::new(log_directory(scratch, id, process), stdio.keep)))
}

/// The directory of a process's log, made where it is missing.
fn log_directory(scratch: &Scratch, id: &str, process: &str) -> PathBuf {
    let directory = scratch.path(&format!("output/{id}/{process}"));
    fs::create_dir_all(&directory).unwrap();
    directory
}

fn spec(args: &[String], resources: &Value) -> Spec {
    let namespaces = ["pid", "network", "ipc", "uts", "mount", "cgroup"].map(|kind| json!({ "type": kind }));
    let mounts = json!([
        { "destination": "/proc", "type": "proc", "source": "proc" },
        { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"] },
        { "destination": "/dev/pts", "type": "devpts", "source": "devpts",
          "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] },
    ]);
    let capabilities = json!(["CAP_KILL", "CAP_CHOWN", "CAP_SETUID", "CAP_SETGID", "CAP_DAC_OVERRIDE"]);
    serde_json::from_value(json!({
        "ociVersion": "1.0.2",
        "root": { "path": "rootfs" },
        "process": {
            "user": { "uid": 0, "gid": 0 },
            "args": args,
            "env": ["PATH=/bin", "TERM=xterm"],
            "cwd": "/",
            "noNewPrivileges": true,
            "capabilities": { "bounding": capabilities, "effective": capabilities, "permitted": capabilities },
        },
        "mounts": mounts,
        "linux": { "namespaces": namespaces, "resources": resources },
    }))
    .unwrap()
}
