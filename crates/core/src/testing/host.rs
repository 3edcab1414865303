//! One machine in memory: a runtime, the streams and the bundles that belong together.
//!
//! Any number of clients can be built on it; what they share is what programs on one real machine share. It is a
//! stage too: the conformance suite judges the memory runtime like every other.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use oci_spec::runtime::{Process, Spec};

use super::bundle_store::MemoryBundleStore;
use super::conformance::Stage;
use super::kept::Shelf;
use super::pipe::Pipes;
use super::process_io::MemoryProcessIo;
use super::runtime::MemoryRuntime;
use crate::client::{Client, ClientBuilder, NewContainer};
use crate::error::Result;
use crate::ports::backend::Backend;
use crate::ports::bundle_store::BundleStore;
use crate::ports::runtime::{Capabilities, Runtime};
use crate::rootfs::Rootfs;
use crate::stdio::Stdio;

/// One machine in memory.
#[derive(Debug, Clone)]
pub struct MemoryHost {
    runtime: Arc<MemoryRuntime>,
    io: Arc<MemoryProcessIo>,
    bundles: Arc<MemoryBundleStore>,
    pipes: Pipes,
    shelf: Shelf,
}

impl Default for MemoryHost {
    fn default() -> Self {
        MemoryHost::new()
    }
}

impl MemoryHost {
    /// An empty machine.
    pub fn new() -> Self {
        let (pipes, shelf) = (Pipes::default(), Shelf::default());
        let bundles = Arc::new(MemoryBundleStore::new());
        MemoryHost {
            runtime: Arc::new(MemoryRuntime::new(pipes.clone(), shelf.clone(), bundles.clone())),
            io: Arc::new(MemoryProcessIo::new(pipes.clone(), shelf.clone())),
            bundles,
            pipes,
            shelf,
        }
    }

    /// Its runtime, to script and to look at.
    pub fn runtime(&self) -> &Arc<MemoryRuntime> {
        &self.runtime
    }

    /// Its streams.
    pub fn io(&self) -> &Arc<MemoryProcessIo> {
        &self.io
    }

    /// Its bundles.
    pub fn bundles(&self) -> &Arc<MemoryBundleStore> {
        &self.bundles
    }

    /// A further client of the machine, to be built.
    pub fn client_builder(&self) -> ClientBuilder {
        Client::builder(self.runtime.clone(), self.io.clone(), self.bundles.clone())
    }

    /// A further client of the machine, which tells `backend`.
    pub fn client(&self, backend: Arc<dyn Backend>) -> Client {
        self.client_builder().backend(backend).build()
    }

    /// What is on the machine: containers, bundles, streams and kept output, a line each; nothing when all were removed well.
    ///
    /// # Errors
    /// None of its own; those of the ports.
    pub async fn left_over(&self) -> Result<Vec<String>> {
        let containers = self.runtime.list().await?.into_iter().map(|status| format!("container {}", status.id));
        let bundles = self.bundles.list().await?.into_iter().map(|id| format!("bundle {id}"));
        let streams = self.pipes.names().into_iter().map(|name| format!("stream {name}"));
        let kept = self.shelf.places().into_iter().map(|at| format!("output {}", at.display()));
        Ok(containers.chain(bundles).chain(streams).chain(kept).collect())
    }
}

#[async_trait]
impl Stage for MemoryHost {
    fn capabilities(&self) -> Capabilities {
        self.runtime.capabilities()
    }

    fn client(&self, backend: Arc<dyn Backend>) -> Client {
        MemoryHost::client(self, backend)
    }

    fn probe(&self, args: &[&str]) -> Vec<String> {
        ["/probe"].iter().chain(args).map(|arg| (*arg).to_owned()).collect()
    }

    fn container(&self, program: Vec<String>, stdio: Stdio) -> NewContainer {
        let mut process = Process::default();
        process.set_args(Some(program)).set_env(Some(vec!["STAGE=set".into()])).set_cwd("/".into());
        let mut spec = Spec::default();
        spec.set_process(Some(process));
        NewContainer::new(spec, Rootfs::Overlay("/memory/rootfs".into()), stdio)
    }

    fn kill_outside(&self, pid: u32) {
        self.runtime.kill_outside(pid);
    }

    async fn owner(&self) -> u32 {
        self.runtime.owner()
    }

    async fn left_over(&self) -> Vec<String> {
        MemoryHost::left_over(self).await.unwrap_or_else(|error| vec![error.to_string()])
    }
}
