//! `lctr events`: what happens to containers, a line each, until interrupted.
//!
//! From now on; with `--since` from a time on, as far as the runtime's log goes back; with `--cursor` after the event
//! that had it.

use std::time::SystemTime;

use libcontainerd::core::cursor::{Cursor, Since};

use crate::context::Context;
use crate::failure::Failure;
use crate::grammar;
use crate::output::{json, table};

/// Options of `events`.
#[derive(Debug, clap::Args)]
pub(crate) struct Events {
    /// Begin with what happened since this time
    #[arg(long, value_name = "TIME", value_parser = grammar::since::parse, conflicts_with = "cursor")]
    since: Option<SystemTime>,
    /// Begin after the event with this cursor
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

impl Events {
    /// Follows them.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let supervisor = context.supervisor()?;
        let since = match (&self.cursor, self.since) {
            (Some(cursor), _) => Since::Cursor(Cursor::new(cursor.as_str())),
            (None, Some(_)) => Since::Oldest,
            (None, None) => Since::Now,
        };
        let mut events = supervisor.client().events(since).await?;
        while let Some((event, cursor)) = events.next().await? {
            if self.since.is_some_and(|since| event.at < since) {
                continue;
            }
            if context.json() {
                json::line(&json::EventView::new(&event, &cursor))?;
            } else {
                table::event(&event)?;
            }
        }
        Ok(0)
    }
}
