//! `lctr events`: what happens to containers, a line each, until interrupted.
//!
//! From now on; with `--since` from a time on, as far as the runtime's log goes back; with `--cursor` after the event
//! that had it. Events that are no longer kept are a gap: it is told, and what is kept comes next, maybe some of it twice.

use std::time::SystemTime;

use libcontainerd::core::cursor::{Cursor, Since};
use libcontainerd::core::event::Event;
use libcontainerd::core::ports::runtime::EventSource;
use libcontainerd::{Client, Error, ErrorKind};

use crate::context::Context;
use crate::failure::Failure;
use crate::grammar::event_filter::{self, EventFilter};
use crate::grammar::since;
use crate::output::{self, json, table};
use crate::until::Until;

/// Options of `events`.
#[derive(Debug, clap::Args)]
pub(crate) struct Events {
    /// Begin with what happened since this time: a time, seconds since 1970, or how long ago as 10m
    #[arg(long, value_name = "TIME", value_parser = since::parse, conflicts_with = "cursor")]
    since: Option<SystemTime>,
    /// End with what happened until this time
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    until: Option<SystemTime>,
    /// Begin after the event with this cursor
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    /// Only these: container=NAME, event=KIND, process=NAME
    #[arg(long, value_name = "KEY=VALUE", value_parser = event_filter::parse)]
    filter: Vec<EventFilter>,
}

impl Events {
    /// Follows them.
    pub(crate) async fn go(mut self, context: &Context) -> Result<u8, Failure> {
        let supervisor = context.supervisor()?;
        let (client, until) = (supervisor.client(), Until(self.until));
        let last = if until.is_past() { client.snapshot().await.ok().map(|snapshot| snapshot.cursor) } else { None };
        let mut events = self.begin(client).await?;
        loop {
            let (event, cursor) = match until.next(events.next()).await {
                Err(error) => {
                    events = after_gap(client, error).await?;
                    continue;
                }
                Ok(None) => return Ok(0),
                Ok(Some((event, _))) if until.is_before(event.at) => return Ok(0),
                Ok(Some(next)) => next,
            };
            if self.wants(&event) {
                print(context, &event, &cursor)?;
                // After a gap what is kept is read from its beginning: what was printed need not come again.
                self.since = self.since.max(Some(event.at));
            }
            if last.as_ref() == Some(&cursor) {
                return Ok(0);
            }
        }
    }

    async fn begin(&self, client: &Client) -> Result<Box<dyn EventSource>, Failure> {
        let since = match (&self.cursor, self.since) {
            (Some(cursor), _) => Since::Cursor(Cursor::new(cursor.as_str())),
            (None, Some(_)) => Since::Oldest,
            // Nothing that happens from now on is wanted: what is kept is.
            (None, None) if Until(self.until).is_past() => Since::Oldest,
            (None, None) => Since::Now,
        };
        match client.events(since).await {
            Err(error) => after_gap(client, error).await,
            events => Ok(events?),
        }
    }

    fn wants(&self, event: &Event) -> bool {
        self.since.is_none_or(|since| event.at >= since) && event_filter::admit(&self.filter, event)
    }
}

/// The oldest events that are kept, when the error is that others are not.
async fn after_gap(client: &Client, error: Error) -> Result<Box<dyn EventSource>, Failure> {
    if error.kind() != ErrorKind::Gap {
        return Err(error.into());
    }
    output::error::note("events are missing here: they are not kept any more");
    Ok(client.events(Since::Oldest).await?)
}

fn print(context: &Context, event: &Event, cursor: &Cursor) -> Result<(), Failure> {
    if context.json() { json::line(&json::EventView::new(event, cursor)) } else { table::event(event) }
}
