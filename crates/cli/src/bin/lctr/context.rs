//! What every verb works with: the global options, and the supervisor once one is needed.
//!
//! The supervisor is built on demand, so that `spec` and `version` work for everybody.

use libcontainerd::{ContainerId, Supervisor};

use crate::args::{Format, Global};
use crate::failure::Failure;
use crate::limits::OpenFiles;

/// What verbs share.
#[derive(Debug)]
pub(crate) struct Context {
    global: Global,
    /// The caller's limits of open descriptors, for containers.
    pub(crate) open_files: OpenFiles,
}

impl Context {
    /// The context of one command line.
    pub(crate) fn new(global: Global, open_files: OpenFiles) -> Self {
        Context { global, open_files }
    }

    /// The supervisor over the chosen directories.
    pub(crate) fn supervisor(&self) -> Result<Supervisor, Failure> {
        Ok(Supervisor::builder().root(&self.global.root).data(&self.global.data).build()?)
    }

    /// Whether nothing was ever made below the chosen directories: then looking makes nothing either. Only root can tell.
    pub(crate) fn is_unused(&self) -> bool {
        let absent = |directory: &std::path::Path| {
            std::fs::symlink_metadata(directory).is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound)
        };
        rustix::process::geteuid().is_root() && absent(&self.global.root) && absent(&self.global.data)
    }

    /// Whether results are for programs.
    pub(crate) fn json(&self) -> bool {
        self.global.format == Some(Format::Json)
    }
}

/// Does `act` for each of the named containers and goes on after a failure, which is printed.
pub(crate) async fn for_each<F>(supervisor: &Supervisor, names: &[String], act: F) -> Result<u8, Failure>
where
    F: AsyncFn(&ContainerId) -> Result<(), Failure>,
{
    for_each_of(names, async |name| act(&supervisor.find(name).await?).await).await
}

/// The same for names as they were typed.
pub(crate) async fn for_each_of<F>(names: &[String], act: F) -> Result<u8, Failure>
where
    F: AsyncFn(&str) -> Result<(), Failure>,
{
    let mut worst = 0;
    for name in names {
        if let Err(failure) = act(name).await {
            crate::output::error::print(&failure);
            worst = crate::exit_code::of(&failure);
        }
    }
    Ok(worst)
}
