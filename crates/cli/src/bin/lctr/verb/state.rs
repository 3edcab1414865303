//! `lctr state`: the state of one container as the OCI runtime specification has it.
//!
//! For programs that know OCI runtimes; `inspect` tells more.

use crate::context::Context;
use crate::failure::Failure;
use crate::output::json;

/// Options of `state`.
#[derive(Debug, clap::Args)]
pub(crate) struct State {
    /// The container
    container: String,
}

impl State {
    /// Prints it.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let supervisor = context.supervisor()?;
        let id = supervisor.find(&self.container).await?;
        json::pretty(&json::OciState::new(&supervisor.client().state(&id).await?))?;
        Ok(0)
    }
}
