//! `lctr attach`: the streams of a running container. Kept output is followed by as many as like; a live stream, stdin
//! among them, has one reader or writer at a time.
//!
//! Leaving by the keys ends with 1, as Docker's: the program's own exit is not known then.

use libcontainerd::{Child, DetachKeys, ErrorKind, ProcessRef, ReadFrom, Supervisor};

use crate::context::Context;
use crate::failure::Failure;
use crate::foreground::Foreground;
use crate::grammar::log_position;
use crate::output;
use crate::signals::Signals;

const LEFT: u8 = 1;

/// Options of `attach`.
#[derive(Debug, clap::Args)]
pub(crate) struct Attach {
    /// Begin kept output at this offset in bytes, at its start, or now
    #[arg(long, value_name = "OFFSET|start|now", value_parser = log_position::from, default_value = "now",
        hide_default_value = true)]
    from: ReadFrom,
    /// Do not pass stdin on
    #[arg(long)]
    no_stdin: bool,
    /// The keys that leave a terminal, `ctrl-p,ctrl-q` unless told; empty for none
    #[arg(long, value_name = "KEYS", default_value = "ctrl-p,ctrl-q", hide_default_value = true)]
    detach_keys: DetachKeys,
    /// Whether signals are passed on
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", action = clap::ArgAction::Set, hide_default_value = true)]
    sig_proxy: bool,
    /// The container
    container: String,
}

impl Attach {
    /// Follows it, and gives its exit code.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let mut signals = if self.sig_proxy { Signals::listen()? } else { Signals::none() };
        let supervisor = context.supervisor()?;
        let id = supervisor.find(&self.container).await?;
        let tty = supervisor.client().state(&id).await?.init().is_some_and(|init| init.terminal);
        let mut child = self.attached(&supervisor, &ProcessRef::init(id)).await?;
        let how = Foreground {
            interactive: !self.no_stdin && child.stdin.is_some(),
            tty,
            detach: self.detach_keys,
            ends_with_reader: false,
        };
        Ok(how.follow(supervisor.client(), &mut child, &mut signals).await?.code(LEFT))
    }

    /// The streams; when somebody else has stdin, what can be had without it.
    async fn attached(&self, supervisor: &Supervisor, process: &ProcessRef) -> Result<Child, Failure> {
        if self.no_stdin {
            return Ok(supervisor.attach_output(process, self.from).await?);
        }
        match supervisor.attach_from(process, self.from).await {
            Err(error) if error.kind() == ErrorKind::WrongState => {
                // With live output the same is in the way again: then that is what is said.
                let Ok(child) = supervisor.attach_output(process, self.from).await else { return Err(error.into()) };
                output::error::note("somebody else has its stdin; only its output is shown");
                Ok(child)
            }
            attached => Ok(attached?),
        }
    }
}
