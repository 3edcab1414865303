//! The runtimes that the conformance suite judges, each as a stage.
//!
//! The one in memory is core's own `MemoryHost`. The embedded engine's stage is a [`Scratch`] with real adapters on
//! it: every client of it has adapters of its own, as a further program would.

use std::process::{Child, Command};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use libcontainerd::core::Client;
use libcontainerd::core::client::NewContainer;
use libcontainerd::core::ports::backend::Backend;
use libcontainerd::core::ports::runtime::{Capabilities, Runtime};
use libcontainerd::core::rootfs::Rootfs;
use libcontainerd::core::stdio::Stdio;
use libcontainerd::core::testing::conformance::Stage;
use libcontainerd::default_spec::default_spec;
use libcontainerd_bundle::DirBundleStore;
use libcontainerd_embedded::{EmbeddedRuntime, MonitorImage};
use libcontainerd_fifo_io::FifoProcessIo;

use crate::scratch::Scratch;
use crate::{fault, patience, rootfs};

/// The embedded engine on roots of its own.
#[derive(Debug)]
pub struct EmbeddedStage {
    /// Programs to whose lives containers are bound; they go before the scratch looks what is left.
    owners: Mutex<Vec<Owner>>,
    scratch: Scratch,
}

impl EmbeddedStage {
    /// An empty one, whose monitors are this very program: its main begins with the monitor's hook.
    pub fn new() -> Self {
        EmbeddedStage { owners: Mutex::default(), scratch: Scratch::alone() }
    }

    fn runtime(&self) -> EmbeddedRuntime {
        let builder = EmbeddedRuntime::builder(self.scratch.state(), self.scratch.data());
        builder.monitor(MonitorImage::OwnProgram).build().expect("the tests run as root, on a host with cgroups")
    }
}

impl Default for EmbeddedStage {
    fn default() -> Self {
        EmbeddedStage::new()
    }
}

/// A program of the host that ends with the stage.
#[derive(Debug)]
struct Owner(Child);

impl Drop for Owner {
    fn drop(&mut self) {
        // It may have been killed before; then there is only something to reap.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[async_trait]
impl Stage for EmbeddedStage {
    fn capabilities(&self) -> Capabilities {
        self.runtime().capabilities()
    }

    fn client(&self, backend: Arc<dyn Backend>) -> Client {
        let bundles = DirBundleStore::new(self.scratch.state());
        let io = FifoProcessIo::new("conformance").keeping(self.scratch.data().join("output"));
        Client::builder(Arc::new(self.runtime()), Arc::new(io), Arc::new(bundles)).backend(backend).build()
    }

    fn probe(&self, args: &[&str]) -> Vec<String> {
        ["/probe"].iter().chain(args).map(|arg| (*arg).to_owned()).collect()
    }

    fn container(&self, program: Vec<String>, stdio: Stdio) -> NewContainer {
        let mut spec = default_spec();
        let mut process = spec.process().clone().unwrap_or_default();
        process.set_args(Some(program)).set_env(Some(vec!["STAGE=set".into()])).set_cwd("/".into());
        spec.set_process(Some(process));
        NewContainer::new(spec, Rootfs::Overlay(rootfs::probe().to_owned()), stdio)
    }

    fn kill_outside(&self, pid: u32) {
        fault::kill(pid);
    }

    fn patience(&self) -> u32 {
        patience::factor()
    }

    async fn owner(&self) -> u32 {
        let sleeps = Command::new("sleep").arg("3600").spawn().expect("the host has a program that sleeps");
        let pid = sleeps.id();
        self.owners.lock().unwrap_or_else(PoisonError::into_inner).push(Owner(sleeps));
        pid
    }

    async fn left_over(&self) -> Vec<String> {
        self.scratch.left_over()
    }
}
