//! `lctr exec`: a further program in a running container.
//!
//! Without `-i` it reads /dev/null, so that it never hangs on a stdin that nobody closes. Detached, its name is printed
//! and its output is kept for `logs --exec`.

use std::path::PathBuf;
use std::time::Duration;

use libcontainerd::{DetachKeys, ExecBuilder, Exit, Keep};

use crate::container_flags::variables;
use crate::context::Context;
use crate::failure::Failure;
use crate::foreground::{self, Followed, Foreground};
use crate::grammar::duration;
use crate::output;
use crate::signals::Signals;

/// Options of `exec`.
#[derive(Debug, clap::Args)]
pub(crate) struct Exec {
    /// Do not wait for it; print its name, and keep its output for logs
    #[arg(short, long)]
    detach: bool,
    /// Pass stdin on
    #[arg(short, long)]
    interactive: bool,
    /// Give it a terminal
    #[arg(short, long)]
    pub(crate) tty: bool,
    /// Name it
    #[arg(long, value_name = "NAME", visible_alias = "name")]
    exec_id: Option<String>,
    /// Kill it after this time with everything that it has started: 10s, 1m30s, or seconds
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    timeout: Option<Duration>,
    /// Kill what it leaves running when it ends
    #[arg(long)]
    kill_leftovers: bool,
    /// Set a variable, or take the caller's
    #[arg(short, long, value_name = "KEY[=VALUE]")]
    env: Vec<String>,
    /// Set the variables in FILE
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// Start in DIR
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<PathBuf>,
    /// Run as this user
    #[arg(short, long, value_name = "NAME|UID[:GROUP|GID]")]
    user: Option<String>,
    /// The keys that leave a terminal, `ctrl-p,ctrl-q` unless told; empty for none
    #[arg(long, value_name = "KEYS", default_value = "ctrl-p,ctrl-q", hide_default_value = true)]
    detach_keys: DetachKeys,
    /// The container
    container: String,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true)]
    pub(crate) command: Vec<String>,
}

impl Exec {
    /// Runs it, and gives its exit code.
    pub(crate) async fn go(mut self, context: &Context) -> Result<u8, Failure> {
        if !self.detach {
            foreground::check_terminal(self.tty)?;
        }
        let command = std::mem::take(&mut self.command);
        let mut signals = Signals::listen()?;
        let supervisor = context.supervisor()?;
        let id = supervisor.find(&self.container).await?;
        let mut command = command.into_iter();
        let program = command.next().unwrap_or_default();
        let builder = self.describe(supervisor.exec(&id, program).args(command))?;
        let mut child = builder.spawn().await?;
        if self.detach {
            output::line(child.process().process.as_str())?;
            return Ok(0);
        }
        let how = Foreground {
            interactive: self.interactive,
            tty: self.tty,
            detach: self.detach_keys,
            ends_with_reader: true,
        };
        let followed = how.follow(supervisor.client(), &mut child, &mut signals).await?;
        if let (Followed::Exited(Exit { timed_out: true, .. }), Some(timeout)) = (&followed, self.timeout) {
            output::error::note(&format!("its time of {timeout:?} was up: it was killed with all that it had started"));
        }
        Ok(followed.code(0))
    }

    fn describe(&self, mut builder: ExecBuilder) -> Result<ExecBuilder, Failure> {
        for (key, value) in variables(&self.env_file, &self.env)? {
            builder = builder.env(key, value);
        }
        if let Some(name) = &self.exec_id {
            builder = builder.name(name);
        }
        if let Some(directory) = &self.workdir {
            builder = builder.cwd(directory);
        }
        if let Some(user) = &self.user {
            builder = builder.user(user);
        }
        if let Some(timeout) = self.timeout {
            builder = builder.timeout(timeout);
        }
        if self.kill_leftovers {
            builder = builder.kill_left_overs();
        }
        builder = builder.stdio(foreground::stdio(self.interactive, self.tty));
        Ok(if self.detach { builder.kept(Keep::default()).detached() } else { builder })
    }
}
