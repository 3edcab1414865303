//! `lctr gc`: what killed programs have left behind, named and removed.
//!
//! Only what is provably ours and belongs to no container. What cannot be removed is told, and the exit code is 1.

use libcontainerd::{Sweep, Swept};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, json};

const SOMETHING_IS_LEFT: u8 = 1;

/// Options of `gc`.
#[derive(Debug, clap::Args)]
pub(crate) struct Gc {
    /// Only name it
    #[arg(long)]
    dry_run: bool,
}

impl Gc {
    /// Removes it, a line each.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let how = if self.dry_run { Sweep::Find } else { Sweep::Remove };
        let swept = context.supervisor()?.client().sweep(how).await?;
        if context.json() {
            json::lines(swept.iter().map(|one| json::SweptView::new(one, self.dry_run)))?;
        } else {
            swept.iter().try_for_each(|one| self.tell(one))?;
        }
        let left = swept.iter().any(|one| one.failed.is_some());
        Ok(if left { SOMETHING_IS_LEFT } else { 0 })
    }

    fn tell(&self, swept: &Swept) -> Result<(), Failure> {
        let Swept { kind, name, failed, .. } = swept;
        match failed {
            Some(why) => {
                output::error::note(&format!("could not remove {kind} {name}: {why}"));
                Ok(())
            }
            None if self.dry_run => output::line(&format!("would remove {kind} {name}")),
            None => output::line(&format!("removed {kind} {name}")),
        }
    }
}
