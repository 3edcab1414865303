//! mockall mocks of every port, for the unit tests of dependants.
//!
//! One `Mock…` per port, with the expectations of mockall. [`quiet_events`] stands in where a client only needs to be
//! subscribed: a source that never speaks, which no mocked `next` can be.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mockall::mock;
use oci_spec::runtime::Spec;

use crate::cursor::{Cursor, Since};
use crate::error::Result;
use crate::event::{Event, StateChange};
use crate::id::{ContainerId, ProcessRef};
use crate::ports::backend::Backend;
use crate::ports::bundle_store::{Bundle, BundleStore, Claim, Owner};
use crate::ports::process_io::{IoRequest, ProcessIo, ProcessLink, Streams};
use crate::ports::runtime::{
    Capabilities, CreateRequest, Created, DeleteRequest, EventSource, ExecRequest, Runtime, RuntimeVersion,
    SignalRequest, Started, Sweep, Swept,
};
use crate::status::{ContainerStatus, Past};
use crate::stdio::{Endpoints, TerminalSize};

mock! {
    /// A [`Runtime`] that does what a test expects.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use libcontainerd_core::mock::{MockBundleStore, MockProcessIo, MockRuntime};
    /// use libcontainerd_core::{Client, Signal};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> libcontainerd_core::Result<()> {
    /// let mut runtime = MockRuntime::new();
    /// runtime.expect_signal().times(1).withf(|request| request.signal == Signal::HUP).returning(|_| Ok(()));
    /// let client =
    ///     Client::builder(Arc::new(runtime), Arc::new(MockProcessIo::new()), Arc::new(MockBundleStore::new())).build();
    /// client.signal(&"web".parse()?, Signal::HUP).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Debug)]
    pub Runtime {}

    #[async_trait]
    impl Runtime for Runtime {
        fn capabilities(&self) -> Capabilities;
        async fn create(&self, request: CreateRequest) -> Result<Created>;
        async fn start(&self, container: &ContainerId) -> Result<Started>;
        async fn exec(&self, request: ExecRequest) -> Result<Started>;
        async fn signal(&self, request: SignalRequest) -> Result<()>;
        async fn resize(&self, process: &ProcessRef, size: TerminalSize) -> Result<()>;
        async fn close_stdin(&self, process: &ProcessRef) -> Result<()>;
        async fn state(&self, container: &ContainerId) -> Result<ContainerStatus>;
        async fn list(&self) -> Result<Vec<ContainerStatus>>;
        async fn pids(&self, container: &ContainerId) -> Result<Vec<u32>>;
        async fn delete(&self, request: DeleteRequest) -> Result<()>;
        async fn version(&self) -> Result<RuntimeVersion>;
        async fn cursor(&self) -> Result<Cursor>;
        async fn past(&self, id: Option<ContainerId>) -> Result<Vec<Past>>;
        async fn sweep(&self, how: Sweep) -> Result<Vec<Swept>>;
        async fn events(&self, since: Since) -> Result<Box<dyn EventSource>>;
    }
}

mock! {
    /// An [`EventSource`] that does what a test expects. Its answers come at once: see [`quiet_events`].
    #[derive(Debug)]
    pub EventSource {}

    #[async_trait]
    impl EventSource for EventSource {
        async fn next(&mut self) -> Result<Option<(Event, Cursor)>>;
    }
}

mock! {
    /// A [`ProcessIo`] that does what a test expects; it copies by the plain road.
    #[derive(Debug)]
    pub ProcessIo {}

    #[async_trait]
    impl ProcessIo for ProcessIo {
        async fn prepare(&self, request: &IoRequest) -> Result<Endpoints>;
        async fn open(&self, request: &IoRequest, link: Arc<dyn ProcessLink>) -> Result<Streams>;
        async fn discard(&self, request: &IoRequest, limit: Duration) -> Result<()>;
        async fn remove(&self, request: &IoRequest) -> Result<()>;
    }
}

mock! {
    /// A [`BundleStore`] that does what a test expects.
    #[derive(Debug)]
    pub BundleStore {}

    #[async_trait]
    impl BundleStore for BundleStore {
        async fn claim(&self, id: &ContainerId) -> Result<Claim>;
        async fn prepare(&self, claim: &Claim, spec: &Spec, owner: Owner) -> Result<Bundle>;
        async fn load(&self, id: &ContainerId) -> Result<Bundle>;
        async fn list(&self) -> Result<Vec<ContainerId>>;
        async fn remove(&self, claim: &Claim) -> Result<()>;
        async fn clean_old_rootfs(&self, claim: &Claim) -> Result<()>;
    }
}

mock! {
    /// A [`Backend`] that does what a test expects.
    #[derive(Debug)]
    pub Backend {}

    #[async_trait]
    impl Backend for Backend {
        async fn attach_streams(&self, process: &ProcessRef, streams: Streams) -> Result<()>;
        async fn state_changed(&self, container: &ContainerId, change: &StateChange) -> Result<()>;
    }
}

/// Events of a runtime in which nothing happens.
pub fn quiet_events() -> Box<dyn EventSource> {
    Box::new(Quiet)
}

#[derive(Debug)]
struct Quiet;

#[async_trait]
impl EventSource for Quiet {
    async fn next(&mut self) -> Result<Option<(Event, Cursor)>> {
        std::future::pending().await
    }
}
