//! `lctr create`: a container whose program waits for `start`.
//!
//! Prints the name. Its output is kept for `start -a`, `attach` and `logs`, since nobody may be there when it is written.

use crate::container_flags::ContainerFlags;
use crate::context::Context;
use crate::failure::Failure;
use crate::keeping_flags::KeepingFlags;
use crate::{foreground, output};

/// Options of `create`.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Create {
    /// Keep its stdin open for whoever attaches
    #[arg(short, long)]
    interactive: bool,
    /// Give it a terminal
    #[arg(short, long)]
    tty: bool,
    /// Remove it when it has ended
    #[arg(long)]
    rm: bool,
    #[command(flatten)]
    keeping: KeepingFlags,
    #[command(flatten)]
    container: ContainerFlags,
}

impl Create {
    /// Makes it, and prints its name.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let supervisor = context.supervisor()?;
        let (builder, terminal) = self.container.onto(supervisor.container(), context)?;
        let stdio = foreground::stdio(self.interactive, self.tty || terminal);
        let builder = self.keeping.onto(builder, stdio, true);
        let builder = if self.rm { builder.remove_when_ended() } else { builder };
        let container = builder.detached().create().await?;
        output::line(container.id().as_str())?;
        Ok(0)
    }
}
