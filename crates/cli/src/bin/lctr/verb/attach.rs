//! `lctr attach`: the live streams of a running container, for one at a time.
//!
//! Leaving by the keys ends with 1, as Docker's: the program's own exit is not known then.

use libcontainerd::{DetachKeys, ProcessRef};

use crate::context::Context;
use crate::failure::Failure;
use crate::foreground::Foreground;
use crate::signals::Signals;

const LEFT: u8 = 1;

/// Options of `attach`.
#[derive(Debug, clap::Args)]
pub(crate) struct Attach {
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
        let mut child = supervisor.attach(&ProcessRef::init(id)).await?;
        let how = Foreground {
            interactive: !self.no_stdin && child.stdin.is_some(),
            tty,
            detach: self.detach_keys,
            ends_with_reader: false,
        };
        Ok(how.follow(supervisor.client(), &mut child, &mut signals).await?.code(LEFT))
    }
}
