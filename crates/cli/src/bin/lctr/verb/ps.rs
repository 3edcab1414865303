//! `lctr ps`: containers, a line each.
//!
//! Those that run, all with `-a`; names alone with `-q`, for other commands.

use libcontainerd::{ContainerState, ContainerStatus};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, json, table};

/// Options of `ps`.
#[derive(Debug, clap::Args)]
pub(crate) struct Ps {
    /// Those that do not run too
    #[arg(short, long)]
    all: bool,
    /// Only the names
    #[arg(short, long)]
    quiet: bool,
    /// Commands in full
    #[arg(long)]
    no_trunc: bool,
}

impl Ps {
    /// Lists them.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let mut containers = context.supervisor()?.client().list().await?;
        containers.retain(|status| self.all || runs(status));
        if self.quiet {
            output::lines(containers.iter().map(|status| status.id.as_str()))?;
        } else if context.json() {
            json::lines(containers.iter().map(json::ContainerView::new))?;
        } else {
            table::containers(&containers, !self.no_trunc)?;
        }
        Ok(0)
    }
}

fn runs(status: &ContainerStatus) -> bool {
    matches!(status.state, ContainerState::Running | ContainerState::Paused)
}
