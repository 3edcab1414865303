//! `lctr rm`: containers and everything that was made for them.
//!
//! `-f` kills what runs, and is content with what is gone already: that is what was wanted.

use libcontainerd::{Delete, ErrorKind, Supervisor};

use crate::context::{Context, for_each};
use crate::failure::Failure;
use crate::output;

/// Options of `rm`.
#[derive(Debug, clap::Args)]
pub(crate) struct Rm {
    /// Kill those that run; be content with those that are gone
    #[arg(short, long)]
    force: bool,
    /// The containers
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

impl Rm {
    /// Removes them, and prints the names.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        let supervisor = context.supervisor()?;
        let how = if self.force { Delete::killing() } else { Delete::default() };
        let names = if self.force { existing(&supervisor, self.containers).await } else { self.containers };
        for_each(&supervisor, &names, async |id| match supervisor.client().delete(id, how).await {
            Err(error) if self.force && error.kind() == ErrorKind::NotFound => Ok(()),
            deleted => deleted.map_err(Failure::from).and_then(|()| output::line(id.as_str())),
        })
        .await
    }
}

/// Without those that are gone already, which is what was wanted.
async fn existing(supervisor: &Supervisor, names: Vec<String>) -> Vec<String> {
    let mut there = Vec::new();
    for name in names {
        let found = supervisor.find(&name).await;
        if !found.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            there.push(name);
        }
    }
    there
}
