//! `lctr wait`: exit codes, a line each, in the order of the names.
//!
//! Answers for those that have ended already too.

use libcontainerd::ProcessRef;

use crate::context::{Context, for_each};
use crate::failure::Failure;
use crate::{exit_code, output};

/// Options of `wait`.
#[derive(Debug, clap::Args)]
pub(crate) struct Wait {
    /// The containers
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

impl Wait {
    /// Waits for them, and prints the codes.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let supervisor = context.supervisor()?;
        for_each(&supervisor, &self.containers, async |id| {
            let exit = supervisor.client().wait(&ProcessRef::init(id.clone())).await?;
            if context.json() {
                output::json::line(&output::json::WaitedView::new(id, &exit))
            } else {
                output::line(&exit_code::of_exit(&exit).to_string())
            }
        })
        .await
    }
}
