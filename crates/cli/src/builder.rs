//! A container to run, described as `std::process::Command` describes a program.
//!
//! Setters only note; the first of them that was given nonsense decides the error of `create`, `spawn`, `output` or
//! `spec`. What shapes the OCI spec is in `shape`, pure and tested there; the rest is who gets the streams and how
//! the container goes.
//!
//! Keeps: a start that fails leaves nothing behind.

use std::fmt;
use std::path::PathBuf;

use libcontainerd_core::client::{Attach, CreateOption, NewContainer};
use libcontainerd_core::process::User;
use libcontainerd_core::rootfs::Rootfs;
use libcontainerd_core::stdio::{Place, Stdio, TerminalSize};
use libcontainerd_core::{ContainerId, Error, ErrorKind, Instance, ProcessRef, Result};
use oci_spec::runtime::Spec;

use crate::builder::shape::Shape;
use crate::bundle::Bundle;
use crate::child::Child;
use crate::container::Container;
use crate::handover::Expected;
use crate::output::{self, DEFAULT_LIMIT, Output};
use crate::preflight;
use crate::supervisor::{Supervisor, finished, no_name};
use crate::undo::Undo;

mod shape;

pub use shape::{Network, Volume};

const GENERATED_NAME: usize = 12;

/// Describes a container; [`Supervisor::container`] gives one that can be made.
#[must_use]
pub struct ContainerBuilder {
    supervisor: Option<Supervisor>,
    name: Option<ContainerId>,
    rootfs: Option<Rootfs>,
    shape: Shape,
    user: Option<User>,
    stdio: Option<Stdio>,
    attach: Attach,
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
            attach: Attach::Streams,
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

    /// Opens none of its streams here: they wait for whoever attaches.
    pub fn detached(mut self) -> Self {
        self.attach = Attach::Nothing;
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

    /// Kills and removes the container when the [`Container`] is dropped.
    pub fn kill_on_drop(mut self, kill: bool) -> Self {
        self.kill_on_drop = kill;
        self
    }

    /// The name that it will have, from now on also when it is a random one.
    ///
    /// # Errors
    /// `System` when the kernel gives no random bytes.
    pub fn decide_name(&mut self) -> Result<ContainerId> {
        let id = self.name.take().map_or_else(generated_name, Ok)?;
        Ok(self.name.insert(id).clone())
    }

    /// The spec that it would be run with.
    ///
    /// # Errors
    /// `InvalidArgument` as `create`.
    pub fn spec(mut self) -> Result<Spec> {
        if let Some(wrong) = self.wrong.take() {
            return Err(wrong);
        }
        let id = self.decide_name()?;
        let rootfs = self.rootfs.unwrap_or(Rootfs::Directory("rootfs".into()));
        self.shape.spec(&id, &rootfs, &self.stdio.unwrap_or_else(Stdio::output)).map(|(spec, _)| spec)
    }

    /// Makes the container: everything but the program's start. Its streams are open.
    ///
    /// # Errors
    /// `InvalidArgument` for what was described, `AlreadyExists` for its name, and as the runtime's create; after an
    /// error nothing is left.
    ///
    /// # Cancellation
    /// Dropped, the container is made all the same, and left under its name or removed, as `kill_on_drop` says.
    pub async fn create(self) -> Result<Container> {
        let (attach, kill_on_drop) = (self.attach, self.kill_on_drop);
        let supervisor = self.supervisor.clone().ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, "this description belongs to no supervisor that could make it")
        })?;
        let (id, new) = self.plan()?;
        // In a task of its own, and with its guard: whatever of the two is dropped first, the other undoes it.
        let creating = tokio::spawn(async move {
            let (init, client) = (ProcessRef::init(id.clone()), supervisor.client().clone());
            let expected = (attach == Attach::Streams).then(|| supervisor.handover().expect(&init));
            client.create(&id, new).await.map_err(preflight::explained)?;
            let undo = if kill_on_drop { Undo::armed(&client, &id) } else { Undo::none() };
            let streams = expected.map(Expected::take).unwrap_or_default();
            Ok(Container::over(supervisor, Child::new(client, init, streams)).guarded(undo))
        });
        finished(creating.await)
    }

    /// Makes the container and starts its program.
    ///
    /// # Errors
    /// As [`ContainerBuilder::create`], and `StartFailed` when the program cannot be run; nothing is left.
    ///
    /// # Cancellation
    /// Dropped, the container is killed and removed.
    pub async fn spawn(self) -> Result<Container> {
        let keep = !self.kill_on_drop;
        let mut container = self.kill_on_drop(true).create().await?;
        if let Err(error) = container.start().await {
            container.abandon().await;
            return Err(error);
        }
        if keep {
            container.let_live();
        }
        Ok(container)
    }

    /// Runs the program to its end, and tells what it wrote and how it ended. The container is removed.
    ///
    /// # Errors
    /// As [`ContainerBuilder::spawn`]; that the program failed is no error but its exit.
    ///
    /// # Cancellation
    /// Dropped, the container is killed and removed.
    pub async fn output(mut self) -> Result<Output> {
        let (limit, input) = (self.limit, self.input.take());
        let stdin = if input.is_some() { Place::Stream } else { Place::Null };
        self.attach = Attach::Streams;
        self.stdio = Some(Stdio::output().with_stdin(stdin).drained(self.stdio.unwrap_or_default().drain));
        let mut container = self.kill_on_drop(true).spawn().await?;
        let output = output::collect(&mut container.init, input, limit).await;
        container.abandon().await;
        output
    }

    fn plan(mut self) -> Result<(ContainerId, NewContainer)> {
        if let Some(wrong) = self.wrong.take() {
            return Err(wrong);
        }
        let id = self.decide_name()?;
        let rootfs = self.rootfs.ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, "a container needs a root file system or a bundle")
        })?;
        if !self.shape.has_program() {
            return Err(Error::new(ErrorKind::InvalidArgument, "a container needs a program to run"));
        }
        preflight::is_rootfs(&rootfs)?;
        let stdio = self.stdio.unwrap_or_else(Stdio::output);
        let (spec, rootfs) = self.shape.spec(&id, &rootfs, &stdio)?;
        let mut new = NewContainer::new(spec, rootfs, stdio);
        new.user = self.user;
        new.attach = self.attach;
        new.options = self.options;
        Ok((id, new))
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

fn generated_name() -> Result<ContainerId> {
    let mut text = Instance::random()?.to_string();
    text.truncate(GENERATED_NAME);
    Ok(text.parse()?)
}
