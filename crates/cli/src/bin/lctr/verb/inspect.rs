//! `lctr inspect`: all that is known of containers, as one JSON array.
//!
//! An array also for one, so that scripts have one shape to read.

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
            found.borrow_mut().push(json::ContainerView::new(&status));
            Ok(())
        })
        .await?;
        json::pretty(&found.into_inner())?;
        Ok(code)
    }
}
