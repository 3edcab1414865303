//! `lctr start`: the program of a container that was made, detached or in the foreground.
//!
//! In the foreground its streams are connected before it starts, so that no byte is early.

use libcontainerd::{DetachKeys, ProcessRef, ReadFrom, Supervisor};

use crate::context::{Context, for_each};
use crate::failure::Failure;
use crate::foreground::Foreground;
use crate::output;
use crate::signals::Signals;

/// Options of `start`.
#[derive(Debug, clap::Args)]
pub(crate) struct Start {
    /// Connect to its output, and end with its exit code
    #[arg(short, long)]
    attach: bool,
    /// Pass stdin on too
    #[arg(short, long)]
    interactive: bool,
    /// The keys that leave a terminal
    #[arg(long, value_name = "KEYS", default_value = "ctrl-p,ctrl-q", hide_default_value = true)]
    detach_keys: DetachKeys,
    /// The containers
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

impl Start {
    /// Starts them.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let supervisor = context.supervisor()?;
        if self.attach || self.interactive {
            return self.in_foreground(&supervisor).await;
        }
        for_each(&supervisor, &self.containers, async |id| {
            supervisor.client().start(id).await?;
            output::line(id.as_str())
        })
        .await
    }

    async fn in_foreground(self, supervisor: &Supervisor) -> Result<u8, Failure> {
        let [name] = &*self.containers else {
            return Err(Failure::OneContainer);
        };
        let mut signals = Signals::listen()?;
        let id = supervisor.find(name).await?;
        let tty = supervisor.client().state(&id).await?.init().is_some_and(|init| init.terminal);
        let mut child = supervisor.attach_from(&ProcessRef::init(id.clone()), ReadFrom::Start).await?;
        supervisor.client().start(&id).await?;
        let how = Foreground { interactive: self.interactive, tty, detach: self.detach_keys, ends_with_reader: true };
        Ok(how.follow(supervisor.client(), &mut child, &mut signals).await?.code(0))
    }
}
