//! A container to run, described as `std::process::Command` describes a program.
//!
//! Setters only note; the first of them that was given nonsense decides the error of `create`, `spawn`, `output` or
//! `spec`. What shapes the OCI spec is in `shape`, pure and tested there; how it is made of all that in `making`.

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use libcontainerd_core::client::{Attach, CreateOption};
use libcontainerd_core::ports::runtime::{Lease, Removal};
use libcontainerd_core::process::User;
use libcontainerd_core::rootfs::Rootfs;
use libcontainerd_core::stdio::{Keep, Stdio, TerminalSize};
use libcontainerd_core::{ContainerId, Error, ErrorKind};
use oci_spec::runtime::Spec;

use crate::builder::shape::Shape;
use crate::bundle::Bundle;
use crate::output::DEFAULT_LIMIT;
use crate::placing::Placing;
use crate::supervisor::{Supervisor, no_name};

mod making;
mod shape;

pub use shape::{Network, Volume};

/// Describes a container; [`Supervisor::container`] gives one that can be made.
#[must_use]
pub struct ContainerBuilder {
    supervisor: Option<Supervisor>,
    name: Option<ContainerId>,
    rootfs: Option<Rootfs>,
    shape: Shape,
    user: Option<User>,
    stdio: Option<Stdio>,
    placing: Placing,
    attach: Attach,
    lease: Option<Lease>,
    removal: Removal,
    options: Vec<Box<dyn CreateOption>>,
    input: Option<Vec<u8>>,
    limit: usize,
    kill_on_drop: bool,
    wrong: Option<Error>,
}

impl ContainerBuilder {
    /// A description that belongs to no supervisor: it can only tell its spec.
    pub fn new() -> Self {
        ContainerBuilder {
            supervisor: None,
            name: None,
            rootfs: None,
            shape: Shape::default(),
            user: None,
            stdio: None,
            placing: Placing::default(),
            attach: Attach::Streams,
            lease: None,
            removal: Removal::Asked,
            options: Vec::new(),
            input: None,
            limit: DEFAULT_LIMIT,
            kill_on_drop: false,
            wrong: None,
        }
    }

    /// Makes it under this supervisor.
    pub fn under(mut self, supervisor: Supervisor) -> Self {
        self.supervisor = Some(supervisor);
        self
    }

    /// Names it; else it gets a name of twelve random hex digits.
    pub fn name(self, name: impl AsRef<str>) -> Self {
        match name.as_ref().parse() {
            Ok(id) => ContainerBuilder { name: Some(id), ..self },
            Err(wrong) => self.refuse(no_name(wrong)),
        }
    }

    /// Runs it on this directory of the host's, below a layer that takes all changes and goes with it.
    pub fn rootfs(self, directory: impl Into<PathBuf>) -> Self {
        self.root(Rootfs::Overlay(directory.into()))
    }

    /// Runs it on this root file system.
    pub fn root(mut self, rootfs: Rootfs) -> Self {
        self.rootfs = Some(rootfs);
        self
    }

    /// Starts from a bundle's spec, root file system and terminal instead of the defaults.
    pub fn bundle(mut self, bundle: Bundle) -> Self {
        self.rootfs.get_or_insert(bundle.rootfs);
        if bundle.terminal && self.stdio.is_none() {
            self.stdio = Some(Stdio::terminal(TerminalSize::default()));
        }
        self.shape.base = Some(bundle.spec);
        self
    }

    /// Runs this program, by its path in the container or looked up in the container's `PATH`.
    pub fn command(mut self, program: impl Into<String>) -> Self {
        self.shape.args = vec![program.into()];
        self
    }

    /// Gives the program one more argument.
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.shape.args.push(argument.into());
        self
    }

    /// Gives the program more arguments.
    pub fn args<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.shape.args.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of its environment.
    pub fn env(self, key: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let (key, value) = (key.as_ref(), value.as_ref());
        if key.is_empty() || key.contains(['=', '\0']) || value.contains('\0') {
            let text = "a variable needs a name without '=', and no zero byte";
            return self.refuse(Error::new(ErrorKind::InvalidArgument, text));
        }
        let mut this = self;
        this.shape.env.0.push(format!("{key}={value}"));
        this
    }

    /// Starts the program in this directory of the container.
    pub fn cwd(mut self, directory: impl Into<PathBuf>) -> Self {
        self.shape.cwd = Some(directory.into());
        self
    }

    /// Runs the program as this user: `name|uid[:group|gid]`, looked up in the container.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(User::Named(user.into()));
        self
    }

    /// Sets its host name; else that is its own name.
    pub fn hostname(mut self, name: impl Into<String>) -> Self {
        self.shape.hostname = Some(name.into());
        self
    }

    /// Shows it a directory or file of the host's.
    pub fn volume(mut self, volume: Volume) -> Self {
        self.shape.volumes.push(volume);
        self
    }

    /// Lets it write nowhere but into its own mounts.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.shape.read_only = read_only;
        self
    }

    /// Chooses its network; else it has none but a loop-back of its own.
    pub fn network(mut self, network: Network) -> Self {
        self.shape.network = Some(network);
        self
    }

    /// Limits its memory, in bytes.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.shape.memory = Some(bytes);
        self
    }

    /// Limits its processor time, in processors: 1.5 is one and a half.
    pub fn cpus(self, processors: f64) -> Self {
        match shape::quota(processors) {
            Ok(quota) => {
                let mut this = self;
                this.shape.quota = Some(quota);
                this
            }
            Err(wrong) => self.refuse(wrong),
        }
    }

    /// Limits the number of its processes and threads.
    pub fn pids_limit(mut self, count: u32) -> Self {
        self.shape.pids = Some(count);
        self
    }

    /// Sets how many descriptors each of its processes may have open: by default, and at most.
    pub fn open_files(mut self, soft: u64, hard: u64) -> Self {
        self.shape.open_files = Some((soft, hard));
        self
    }

    /// Chooses its streams; else output goes to the caller and stdin is empty.
    pub fn stdio(mut self, stdio: Stdio) -> Self {
        self.stdio = Some(stdio);
        self
    }

    /// Keeps its output on disk, for any number of readers from any byte of it: [`Container::logs`](crate::Container::logs). It is there for as
    /// long as the container is.
    pub fn kept(mut self, keep: Keep) -> Self {
        self.placing.keep = Some(keep);
        self
    }

    /// Lets it read this pipe, file or socket itself, which must be no terminal; nobody is in between.
    pub fn stdin_from(mut self, descriptor: impl Into<OwnedFd>) -> Self {
        self.placing.stdin = Some(descriptor.into());
        self
    }

    /// Lets it write its stdout to this pipe, file or socket itself, as [`ContainerBuilder::stdin_from`]. It is closed
    /// here once the program is started.
    pub fn stdout_to(mut self, descriptor: impl Into<OwnedFd>) -> Self {
        self.placing.stdout = Some(descriptor.into());
        self
    }

    /// The same for its stderr.
    pub fn stderr_to(mut self, descriptor: impl Into<OwnedFd>) -> Self {
        self.placing.stderr = Some(descriptor.into());
        self
    }

    /// Opens none of its streams here: they wait for whoever attaches.
    pub fn detached(mut self) -> Self {
        self.attach = Attach::Nothing;
        self
    }

    /// Binds it to the life of a program: when that is gone, by whatever cause, everything in the container is killed
    /// and it is removed. `Lease::on(std::process::id())` is this program's.
    pub fn die_with(mut self, owner: Lease) -> Self {
        self.lease = Some(owner);
        self
    }

    /// Removes it as soon as it has ended, whether this program is still there or not. Its exit stays known.
    pub fn remove_when_ended(mut self) -> Self {
        self.removal = Removal::Ended;
        self
    }

    /// Changes the spec as the last step before it is used; several are applied in order.
    pub fn edit(mut self, change: impl FnOnce(&mut Spec) + Send + 'static) -> Self {
        self.shape.edits.push(Box::new(change));
        self
    }

    /// Adds an option of the core's, applied in order at create.
    pub fn option(mut self, option: Box<dyn CreateOption>) -> Self {
        self.options.push(option);
        self
    }

    /// Gives [`ContainerBuilder::output`] what the program reads.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// Limits what [`ContainerBuilder::output`] keeps of each stream, in bytes; 16 MiB unless told.
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Kills and removes the container when the [`Container`](crate::Container) is dropped.
    pub fn kill_on_drop(mut self, kill: bool) -> Self {
        self.kill_on_drop = kill;
        self
    }

    fn refuse(mut self, wrong: Error) -> Self {
        self.wrong.get_or_insert(wrong);
        self
    }
}

impl Default for ContainerBuilder {
    fn default() -> Self {
        ContainerBuilder::new()
    }
}

impl fmt::Debug for ContainerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContainerBuilder")
            .field("name", &self.name)
            .field("rootfs", &self.rootfs)
            .field("shape", &self.shape)
            .field("user", &self.user)
            .field("stdio", &self.stdio)
            .finish_non_exhaustive()
    }
}
