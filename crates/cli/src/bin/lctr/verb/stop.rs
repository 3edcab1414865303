//! `lctr stop`: a signal, some time, and SIGKILL for everyone.
//!
//! One after the other, so that their output tells which one took its time.

use std::time::Duration;

use libcontainerd::{Signal, Stop as How};

use crate::context::{Context, for_each};
use crate::failure::Failure;
use crate::output;

/// Options of `stop`.
#[derive(Debug, clap::Args)]
pub(crate) struct Stop {
    /// How many seconds it has before it is killed
    #[arg(short, long, alias = "timeout", default_value_t = 10, value_name = "SECONDS")]
    time: u32,
    /// What it is told first
    #[arg(short, long, default_value = "TERM")]
    signal: Signal,
    /// The containers
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

impl Stop {
    /// Stops them one after the other, and prints the names.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let supervisor = context.supervisor()?;
        let how = How::new(self.signal, Duration::from_secs(u64::from(self.time)));
        for_each(&supervisor, &self.containers, async |id| {
            supervisor.client().stop(id, how).await?;
            output::line(id.as_str())
        })
        .await
    }
}
