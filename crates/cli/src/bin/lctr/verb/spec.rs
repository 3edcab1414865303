//! `lctr spec`: the spec that `run` with the same options would use, to read or to keep as a `config.json`.
//!
//! Works for everybody and touches nothing.

use libcontainerd::{ContainerBuilder, Rootfs, Stdio, TerminalSize};

use crate::container_flags::ContainerFlags;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::json;

/// Options of `spec`.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Spec {
    /// Give it a terminal
    #[arg(short, long)]
    tty: bool,
    #[command(flatten)]
    container: ContainerFlags,
}

impl Spec {
    /// Prints it.
    pub(crate) async fn go(mut self, context: &Context) -> Result<u8, Failure> {
        if self.container.bundle.is_none() && self.container.rootfs.is_none() {
            // As a bundle's config.json has it: beside itself.
            self.container.rootfs = Some(Rootfs::Directory("rootfs".into()));
        }
        let (builder, terminal) = self.container.onto(ContainerBuilder::new(), context)?;
        let stdio = if self.tty || terminal { Stdio::terminal(TerminalSize::default()) } else { Stdio::output() };
        json::pretty(&builder.stdio(stdio).spec()?)?;
        Ok(0)
    }
}
