//! `lctr rm`: containers and everything that was made for them.
//!
//! `-f` kills what runs, and is content with what is gone already: that is what was wanted.

use libcontainerd::{Delete, ErrorKind, Supervisor};

use crate::context::{Context, for_each};
use crate::failure::Failure;
use crate::{exit_code, output};

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
        let (names, code) = match self.force {
            true => existing(&supervisor, self.containers).await,
            false => (self.containers, 0),
        };
        let removed = for_each(&supervisor, &names, async |id| match supervisor.client().delete(id, how).await {
            Err(error) if self.force && error.kind() == ErrorKind::NotFound => Ok(()),
            deleted => deleted.map_err(Failure::from).and_then(|()| output::line(id.as_str())),
        })
        .await?;
        Ok(removed.max(code))
    }
}

/// Without those that are gone already, which is what was wanted; and the exit code for what is left of these.
async fn existing(supervisor: &Supervisor, names: Vec<String>) -> (Vec<String>, u8) {
    let (mut there, mut code) = (Vec::new(), 0);
    for name in names {
        match supervisor.find(&name).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if let Err(failure) = without_rest(supervisor, &name).await {
                    output::error::print(&failure);
                    code = exit_code::of(&failure);
                }
            }
            _ => there.push(name),
        }
    }
    (there, code)
}

/// Removes what a create or a delete that was killed has left under a name that is no container's.
async fn without_rest(supervisor: &Supervisor, name: &str) -> Result<(), Failure> {
    let Ok(id) = name.parse() else { return Ok(()) };
    match supervisor.client().delete(&id, Delete::killing()).await {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
