//! A further process to run in a container, described as `std::process::Command` describes a program.
//!
//! Without a word about its streams it reads nothing and its output comes to the caller, so that it never hangs on
//! an input that nobody closes.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use libcontainerd_core::ports::process_io::ReadFrom;
use libcontainerd_core::process::{LeftOvers, NewProcess, User};
use libcontainerd_core::stdio::{Keep, Place, Stdio};
use libcontainerd_core::{ContainerId, Error, ErrorKind, Instance, ProcessId, ProcessRef, Result, Signal};

use crate::child::Child;
use crate::output::{self, DEFAULT_LIMIT, Output};
use crate::placing::Placing;
use crate::supervisor::{Supervisor, finished};

const GENERATED_NAME: usize = 12;

/// Describes a further process; [`crate::Container::exec`] gives one.
#[must_use]
#[derive(Debug)]
pub struct ExecBuilder {
    supervisor: Supervisor,
    container: ContainerId,
    name: Option<ProcessId>,
    what: NewProcess,
    placing: Placing,
    detached: bool,
    input: Option<Vec<u8>>,
    limit: usize,
    wrong: Option<Error>,
}

impl ExecBuilder {
    pub(crate) fn new(supervisor: Supervisor, container: ContainerId, program: String) -> Self {
        let what = NewProcess::new([program], Stdio::output());
        ExecBuilder {
            supervisor,
            container,
            name: None,
            what,
            placing: Placing::default(),
            detached: false,
            input: None,
            limit: DEFAULT_LIMIT,
            wrong: None,
        }
    }

    /// Names the process; else it gets `exec-` and random hex digits.
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        match name.as_ref().parse() {
            Ok(id) => self.name = Some(id),
            Err(wrong) => {
                let text = "this cannot be a process's name";
                self.wrong.get_or_insert(Error::new(ErrorKind::InvalidArgument, text).because(wrong));
            }
        }
        self
    }

    /// Gives the program one more argument.
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.what.args.push(argument.into());
        self
    }

    /// Gives the program more arguments.
    pub fn args<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.what.args.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable, in addition to the container's own.
    pub fn env(mut self, key: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let (key, value) = (key.as_ref(), value.as_ref());
        if key.is_empty() || key.contains(['=', '\0']) || value.contains('\0') {
            let text = "a variable needs a name without '=', and no zero byte";
            self.wrong.get_or_insert(Error::new(ErrorKind::InvalidArgument, text));
        } else {
            self.what.extra_env.0.push(format!("{key}={value}"));
        }
        self
    }

    /// Starts the program in this directory of the container.
    pub fn cwd(mut self, directory: impl Into<PathBuf>) -> Self {
        self.what.cwd = Some(directory.into());
        self
    }

    /// Runs the program as this user: `name|uid[:group|gid]`, looked up in the container.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.what.user = Some(User::Named(user.into()));
        self
    }

    /// Chooses its streams.
    pub fn stdio(mut self, stdio: Stdio) -> Self {
        self.what.stdio = stdio;
        if stdio.terminal.is_some() && !self.what.extra_env.0.iter().any(|v| v.starts_with("TERM=")) {
            self.what.extra_env.0.push("TERM=xterm".to_owned());
        }
        self
    }

    /// Keeps its output on disk, for any number of readers from any byte of it: [`Child::logs`]. It is there for as
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

    /// Lets it write its stdout to this pipe, file or socket itself, as [`ExecBuilder::stdin_from`]. It is closed here
    /// once the program is started.
    pub fn stdout_to(mut self, descriptor: impl Into<OwnedFd>) -> Self {
        self.placing.stdout = Some(descriptor.into());
        self
    }

    /// The same for its stderr.
    pub fn stderr_to(mut self, descriptor: impl Into<OwnedFd>) -> Self {
        self.placing.stderr = Some(descriptor.into());
        self
    }

    /// Opens none of its kept output here.
    pub fn detached(mut self) -> Self {
        self.detached = true;
        self
    }

    /// Kills it after this time with everything that it has started; its exit says so.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.what.timeout = Some(time);
        self
    }

    /// Kills what it leaves running when it ends; else that goes on, and is counted in the exit either way.
    pub fn kill_left_overs(mut self) -> Self {
        self.what.left_overs = LeftOvers::Kill;
        self
    }

    /// Gives [`ExecBuilder::output`] what the program reads.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// Limits what [`ExecBuilder::output`] keeps of each stream, in bytes; 16 MiB unless told.
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Starts the process.
    ///
    /// # Errors
    /// `NotFound` and `WrongState` for the container, `StartFailed` for the program; nothing is left of it.
    pub async fn spawn(self) -> Result<Child> {
        self.begin(false).await.map(Running::let_live)
    }

    /// Runs the program to its end, and tells what it wrote and how it ended; what it wrote to a descriptor of the
    /// caller's is not among it.
    ///
    /// # Errors
    /// As [`ExecBuilder::spawn`]; that the program failed is no error but its exit.
    ///
    /// # Cancellation
    /// Dropped, the program is killed.
    pub async fn output(mut self) -> Result<Output> {
        let (limit, input) = (self.limit, self.input.take());
        let stdin = if input.is_some() { Place::Stream } else { Place::Null };
        self.detached = false;
        self.what.stdio = Stdio::output().with_stdin(stdin).drained(self.what.stdio.drain);
        let mut running = self.begin(true).await?;
        let output = output::collect(&mut running.child, input, limit).await;
        running.killed_on_drop = output.is_err();
        output
    }

    async fn begin(mut self, killed_on_drop: bool) -> Result<Running> {
        if let Some(wrong) = self.wrong.take() {
            return Err(wrong);
        }
        let name = self.name.take().map_or_else(generated_name, Ok)?;
        let process = ProcessRef::new(self.container, name.clone());
        self.what.stdio = self.placing.over(self.what.stdio);
        let held = self.placing.held();
        let follows = !self.detached && [self.what.stdio.stdout, self.what.stdio.stderr].contains(&Place::Kept);
        // In a task of its own, and with its guard, as a container is created.
        let starting = tokio::spawn(async move {
            let running = started(&self.supervisor, process, self.what, killed_on_drop).await?;
            drop(held);
            if follows { running.following_its_log(&self.supervisor).await } else { Ok(running) }
        });
        finished(starting.await)
    }
}

async fn started(
    supervisor: &Supervisor,
    process: ProcessRef,
    what: NewProcess,
    killed_on_drop: bool,
) -> Result<Running> {
    let expected = supervisor.handover().expect(&process);
    let client = supervisor.client().clone();
    client.add_process(&process.container, &process.process, what).await?;
    Ok(Running { child: Child::new(client, process, expected.take()), killed_on_drop })
}

/// A process that may be killed when nobody waits for it any more.
struct Running {
    child: Child,
    killed_on_drop: bool,
}

impl Running {
    /// The same with its kept output, from its first byte on; if that cannot be opened the process is killed.
    async fn following_its_log(mut self, supervisor: &Supervisor) -> Result<Self> {
        let killed_on_drop = std::mem::replace(&mut self.killed_on_drop, true);
        let process = self.child.process().clone();
        // All streams once more: a live one has one reader at a time.
        self.child = Child::without_streams(self.child.client().clone(), process.clone());
        self.child = supervisor.attach_from(&process, ReadFrom::Start).await?;
        self.killed_on_drop = killed_on_drop;
        Ok(self)
    }

    fn let_live(mut self) -> Child {
        self.killed_on_drop = false;
        let without = Child::without_streams(self.child.client().clone(), self.child.process().clone());
        std::mem::replace(&mut self.child, without)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let (true, Ok(executor)) = (self.killed_on_drop, tokio::runtime::Handle::try_current()) else { return };
        let (client, process) = (self.child.client().clone(), self.child.process().clone());
        executor.spawn(async move {
            if let Err(error) = client.signal_process(&process, Signal::KILL).await {
                tracing::debug!(container.id = %process.container, %error, "an abandoned process could not be killed");
            }
        });
    }
}

fn generated_name() -> Result<ProcessId> {
    let mut text = format!("exec-{}", Instance::random()?);
    text.truncate("exec-".len() + GENERATED_NAME);
    Ok(text.parse()?)
}
