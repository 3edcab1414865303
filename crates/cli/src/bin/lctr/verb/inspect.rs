//! `lctr inspect`: all that is known of containers, as one JSON array.
//!
//! An array also for one, so that scripts have one shape to read. Of one that has ended it tells how, and its last words.

use libcontainerd::{ContainerStatus, ProcessRef, Supervisor};

use crate::context::{Context, for_each};
use crate::failure::Failure;
use crate::output::json;

/// Options of `inspect`.
#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    /// The containers
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

impl Inspect {
    /// Prints them; those that cannot be found are left out and told.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let supervisor = context.supervisor()?;
        let found = std::cell::RefCell::new(Vec::new());
        let code = for_each(&supervisor, &self.containers, async |id| {
            let status = supervisor.client().state(id).await?;
            let autopsy = autopsy(&supervisor, &status).await;
            found.borrow_mut().push(json::ContainerView::new(&status).with(autopsy));
            Ok(())
        })
        .await?;
        json::pretty(&found.into_inner())?;
        Ok(code)
    }
}

/// What is known of the end of a container; the rest of what is known does not depend on it.
async fn autopsy(supervisor: &Supervisor, status: &ContainerStatus) -> Option<json::AutopsyView> {
    let init = status.init().filter(|init| init.exit().is_some())?;
    match supervisor.client().autopsy(&ProcessRef::init(status.id.clone())).await {
        Ok(autopsy) => Some(json::AutopsyView::new(&autopsy, init.terminal)),
        Err(error) => {
            tracing::warn!(container.id = %status.id, %error, "how it ended cannot be told");
            None
        }
    }
}
