//! `lctr ps`: containers, a line each.
//!
//! Those that run, all with `-a`, and with `--removed` those that are no more; names alone with `-q`, for other commands.

use libcontainerd::core::cursor::Cursor;
use libcontainerd::{ContainerState, ContainerStatus, Past};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, json, table};

/// Options of `ps`.
#[derive(Debug, clap::Args)]
pub(crate) struct Ps {
    /// Those that do not run too
    #[arg(short, long)]
    all: bool,
    /// Those that were removed too, as long as their exits are known
    #[arg(long)]
    removed: bool,
    /// Print a cursor last: `events --cursor` tells everything that happens to them from then on
    #[arg(long, conflicts_with = "quiet")]
    cursor: bool,
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
        let found = if context.is_unused() && !self.cursor { Found::default() } else { self.find(context).await? };
        let Found { containers, past, cursor } = &found;
        if self.quiet {
            let names = containers.iter().map(|status| &status.id).chain(past.iter().map(|past| &past.id));
            output::lines(names.map(|id| id.as_str()))?;
        } else if context.json() {
            json::lines(containers.iter().map(json::ContainerView::new))?;
            json::lines(past.iter().map(json::PastView::new))?;
            json::lines(cursor.iter().map(json::CursorView::new))?;
        } else {
            table::containers(containers, past, !self.no_trunc)?;
            cursor.iter().try_for_each(|cursor| output::line(&format!("cursor {cursor}")))?;
        }
        Ok(0)
    }

    async fn find(&self, context: &Context) -> Result<Found, Failure> {
        let supervisor = context.supervisor()?;
        let client = supervisor.client();
        let (mut containers, cursor) = if self.cursor {
            let snapshot = client.snapshot().await?;
            (snapshot.containers, Some(snapshot.cursor))
        } else {
            (client.list().await?, None)
        };
        containers.retain(|status| self.all || runs(status));
        let past = if self.removed { client.past(None).await? } else { Vec::new() };
        Ok(Found { containers, past, cursor })
    }
}

/// What there is to list.
#[derive(Debug, Default)]
struct Found {
    containers: Vec<ContainerStatus>,
    past: Vec<Past>,
    cursor: Option<Cursor>,
}

fn runs(status: &ContainerStatus) -> bool {
    matches!(status.state, ContainerState::Running | ContainerState::Paused)
}
