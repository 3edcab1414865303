//! `lctr create`: a container whose program waits for `start`.
//!
//! Prints the name. Its streams are made and left for `start -a` or `attach`.

use crate::container_flags::ContainerFlags;
use crate::context::Context;
use crate::failure::Failure;
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
    #[command(flatten)]
    container: ContainerFlags,
}

impl Create {
    /// Makes it, and prints its name.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let supervisor = context.supervisor()?;
        let (builder, terminal) = self.container.onto(supervisor.container(), context)?;
        let stdio = foreground::stdio(self.interactive, self.tty || terminal);
        let container = builder.stdio(stdio).detached().create().await?;
        output::line(container.id().as_str())?;
        Ok(0)
    }
}
