//! A further process to run in a container, described as `std::process::Command` describes a program.
//!
//! Without a word about its streams it reads nothing and its output comes to the caller, so that it never hangs on
//! an input that nobody closes.

use std::path::PathBuf;

use libcontainerd_core::process::{NewProcess, User};
use libcontainerd_core::stdio::{Place, Stdio};
use libcontainerd_core::{ContainerId, Error, ErrorKind, Instance, ProcessId, ProcessRef, Result, Signal};

use crate::child::Child;
use crate::output::{self, DEFAULT_LIMIT, Output};
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
    input: Option<Vec<u8>>,
    limit: usize,
    wrong: Option<Error>,
}

impl ExecBuilder {
    pub(crate) fn new(supervisor: Supervisor, container: ContainerId, program: String) -> Self {
        let what = NewProcess::new([program], Stdio::output());
        ExecBuilder { supervisor, container, name: None, what, input: None, limit: DEFAULT_LIMIT, wrong: None }
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

    /// Runs the program to its end, and tells what it wrote and how it ended.
    ///
    /// # Errors
    /// As [`ExecBuilder::spawn`]; that the program failed is no error but its exit.
    ///
    /// # Cancellation
    /// Dropped, the program is killed.
    pub async fn output(mut self) -> Result<Output> {
        let (limit, input) = (self.limit, self.input.take());
        let stdin = if input.is_some() { Place::Stream } else { Place::Null };
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
        // In a task of its own, and with its guard, as a container is created.
        let starting = tokio::spawn(async move {
            let expected = self.supervisor.handover().expect(&process);
            let client = self.supervisor.client().clone();
            client.add_process(&process.container, &name, self.what).await?;
            Ok(Running { child: Child::new(client, process, expected.take()), killed_on_drop })
        });
        finished(starting.await)
    }
}

/// A process that may be killed when nobody waits for it any more.
struct Running {
    child: Child,
    killed_on_drop: bool,
}

impl Running {
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
