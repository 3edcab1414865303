//! `lctr kill`: a signal to the first process of containers, to one of their others, or to all.
//!
//! Says nothing about whether they end of it: `wait` does.

use libcontainerd::{ProcessId, ProcessRef, Signal};

use crate::context::{Context, for_each};
use crate::failure::Failure;
use crate::output;

/// Options of `kill`.
#[derive(Debug, clap::Args)]
pub(crate) struct Kill {
    /// The signal, by name or number
    #[arg(short, long, default_value = "KILL")]
    signal: Signal,
    /// Send it to this further process
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    exec: Option<ProcessId>,
    /// Send it to every process
    #[arg(short, long)]
    all: bool,
    /// The containers
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

impl Kill {
    /// Sends it, and prints the names.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let supervisor = context.supervisor()?;
        for_each(&supervisor, &self.containers, async |id| {
            let client = supervisor.client();
            match &self.exec {
                Some(process) => {
                    client.signal_process(&ProcessRef::new(id.clone(), process.clone()), self.signal).await?;
                }
                None if self.all => client.signal_all(id, self.signal).await?,
                None => client.signal(id, self.signal).await?,
            }
            output::line(id.as_str())
        })
        .await
    }
}
