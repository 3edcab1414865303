//! `lctr run`: a program in a new container, in the foreground or detached.
//!
//! In the foreground its streams are connected before it starts; a container that has ended stays for `inspect` and
//! `logs` unless `--rm`, as with Docker. Detached, its name is printed and its output is kept for `logs` and `attach`;
//! with `--rm` the container's own monitor removes it.

use std::time::Duration;

use libcontainerd::{Container, ContainerBuilder, Delete, DetachKeys, ErrorKind, Supervisor};

use crate::container_flags::ContainerFlags;
use crate::context::Context;
use crate::failure::Failure;
use crate::foreground::{self, Followed, Foreground};
use crate::keeping_flags::KeepingFlags;
use crate::signals::Signals;
use crate::{exit_code, output};

const TIME_TO_GIVE_UP: Duration = Duration::from_secs(5);

/// Options of `run`.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Run {
    /// Do not wait for it; print its name
    #[arg(short, long)]
    detach: bool,
    /// Pass stdin on
    #[arg(short, long)]
    interactive: bool,
    /// Give it a terminal
    #[arg(short, long)]
    tty: bool,
    /// Remove it when it has ended
    #[arg(long)]
    rm: bool,
    /// The keys that leave a terminal, `ctrl-p,ctrl-q` unless told; empty for none
    #[arg(long, value_name = "KEYS", default_value = "ctrl-p,ctrl-q", hide_default_value = true)]
    detach_keys: DetachKeys,
    /// Whether signals are passed on
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", action = clap::ArgAction::Set, hide_default_value = true)]
    sig_proxy: bool,
    #[command(flatten)]
    keeping: KeepingFlags,
    #[command(flatten)]
    pub(crate) container: ContainerFlags,
}

impl Run {
    /// Runs it, and gives its exit code.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        if !self.detach {
            foreground::check_terminal(self.tty)?;
        }
        let supervisor = context.supervisor()?;
        let (builder, terminal) = self.container.onto(supervisor.container(), context)?;
        let tty = self.tty || terminal;
        let stdio = foreground::stdio(self.interactive, tty);
        let builder = self.keeping.onto(builder, stdio, self.detach);
        if self.detach {
            let builder = if self.rm { builder.remove_when_ended() } else { builder };
            let container = builder.detached().spawn().await?;
            output::line(container.id().as_str())?;
            return Ok(0);
        }
        foreground::check_terminal(tty)?;
        let how = Foreground { interactive: self.interactive, tty, detach: self.detach_keys, ends_with_reader: true };
        in_foreground(&supervisor, builder, &how, self.sig_proxy, self.rm).await
    }
}

async fn in_foreground(
    supervisor: &Supervisor,
    mut builder: ContainerBuilder,
    how: &Foreground,
    pass_signals: bool,
    remove: bool,
) -> Result<u8, Failure> {
    let mut signals = if pass_signals { Signals::listen()? } else { Signals::none() };
    let id = builder.decide_name()?;
    let spawned = tokio::select! {
        spawned = builder.spawn() => spawned?,
        () = signals.enough() => {
            // Whatever of it was made is unmade; nobody waits for more than that.
            let undone = supervisor.client().delete(&id, Delete::killing());
            let _ = tokio::time::timeout(TIME_TO_GIVE_UP, undone).await;
            return Ok(exit_code::INTERRUPTED);
        }
    };
    let mut container = spawned;
    let followed = how.follow(supervisor.client(), &mut container.init, &mut signals).await;
    let code = followed.as_ref().map(|followed| followed.code(0)).unwrap_or(exit_code::OURS);
    if remove && !matches!(followed, Ok(Followed::Detached)) {
        removed(container).await;
    }
    followed.map(|_| code)
}

/// Removes it; a failure is told and does not take the place of the program's exit.
async fn removed(container: Container) {
    match container.delete(Delete::default()).await {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => output::error::print(&error.into()),
    }
}
