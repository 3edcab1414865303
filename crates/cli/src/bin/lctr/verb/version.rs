//! `lctr version`: who we are, and the runtime below as far as it can be asked.
//!
//! Works for everybody: what cannot be asked is a remark and no failure.

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, json};

/// Options of `version`.
#[derive(Debug, clap::Args)]
pub(crate) struct Version {}

impl Version {
    /// Prints them; a runtime that cannot be asked is no failure.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let runtime = match context.supervisor() {
            Ok(supervisor) => supervisor.client().version().await.map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        let view = json::VersionView::new(env!("CARGO_PKG_VERSION"), runtime.as_ref().ok());
        if context.json() {
            json::line(&view)?;
            return Ok(0);
        }
        output::line(&format!("lctr {}", view.version))?;
        match runtime {
            Ok(runtime) => output::version(&runtime)?,
            Err(failure) => output::error::note(&format!("the runtime's version is not known: {failure}")),
        }
        Ok(0)
    }
}
