//! The options that say what becomes of a container's output and of the container itself: shared by `run` and `create`.
//!
//! In the background output is kept unless told otherwise, since nobody is there to read it; in the foreground it is
//! live, and kept only when asked.

use libcontainerd::{ContainerBuilder, Lease, Stdio};

use crate::grammar::log_options::{self, LogDriver, LogOption};
use crate::grammar::owner;

/// What becomes of output and container.
#[derive(Debug, clap::Args)]
pub(crate) struct KeepingFlags {
    /// Keep its output on disk for logs and attach (kept), or not (none); in the background it is kept unless told
    #[arg(long, value_name = "DRIVER", value_parser = log_options::driver)]
    log_driver: Option<LogDriver>,
    /// How output is kept: max-size=16m or -1, max-file=4, mode=drop or block when there is no room
    #[arg(long, value_name = "NAME=VALUE", value_parser = log_options::option)]
    log_opt: Vec<LogOption>,
    /// Kill and remove it when this program is gone, however that ends
    #[arg(long, value_name = "PID|parent", value_parser = owner::parse)]
    die_with: Option<Lease>,
}

impl KeepingFlags {
    /// Lays them over a container with these streams; `background` when nobody reads them from the start.
    pub(crate) fn onto(self, builder: ContainerBuilder, mut stdio: Stdio, background: bool) -> ContainerBuilder {
        let driver = self.log_driver.unwrap_or(if background { LogDriver::Kept } else { LogDriver::None });
        if driver == LogDriver::None && background {
            stdio.unread = log_options::unread(&self.log_opt);
        }
        let builder = builder.stdio(stdio);
        let builder = match driver {
            LogDriver::Kept => builder.kept(log_options::keep(&self.log_opt)),
            LogDriver::None => builder,
        };
        match self.die_with {
            Some(owner) => builder.die_with(owner),
            None => builder,
        }
    }
}
