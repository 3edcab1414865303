//! `lctr wait`: exit codes, a line each, in the order of the names.
//!
//! Answers for those that have ended already too, and for those that were removed as long as their exits are known: for
//! these by the whole name.

use clap::ValueEnum;
use libcontainerd::{ContainerId, ErrorKind, ProcessRef, Supervisor, Until};

use crate::context::{Context, for_each_of};
use crate::failure::Failure;
use crate::{exit_code, output};

/// What stands for the code of a container that never ran.
const NO_EXIT: &str = "-";

/// Options of `wait`.
#[derive(Debug, clap::Args)]
pub(crate) struct Wait {
    /// Wait until it has ended, until it does not run (a container that is not started does not), or until it is removed
    #[arg(long, value_enum, value_name = "STATE", default_value_t = UntilFlag::Exited, hide_default_value = true)]
    until: UntilFlag,
    /// The containers
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum UntilFlag {
    /// It has ended
    Exited,
    /// It does not run
    NotRunning,
    /// It is gone
    Removed,
}

impl Wait {
    /// Waits for them, and prints the codes.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let supervisor = context.supervisor()?;
        let until = match self.until {
            UntilFlag::Exited => Until::Exited,
            UntilFlag::NotRunning => Until::NotRunning,
            UntilFlag::Removed => Until::Removed,
        };
        for_each_of(&self.containers, async |name| {
            let id = there_or_past(&supervisor, name).await?;
            let exit = supervisor.client().wait_until(&ProcessRef::init(id.clone()), until).await?;
            if context.json() {
                return output::json::line(&output::json::WaitedView::new(&id, exit.as_ref()));
            }
            output::line(&exit.map_or(NO_EXIT.to_owned(), |exit| exit_code::of_exit(&exit).to_string()))
        })
        .await
    }
}

/// The container of that name; when there is none, the name itself, of which the ledger may know something.
async fn there_or_past(supervisor: &Supervisor, name: &str) -> Result<ContainerId, Failure> {
    match supervisor.find(name).await {
        Err(error) if error.kind() == ErrorKind::NotFound => name.parse().map_err(|_| error.into()),
        found => Ok(found?),
    }
}
