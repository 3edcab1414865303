//! The world's side of each port.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use oci_spec::runtime::Spec;
use tokio::sync::mpsc;

use super::{Heard, World, bundle};
use crate::cursor::{Cursor, Since};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{EventKind, StateChange};
use crate::id::{ContainerId, Instance, ProcessRef, Run};
use crate::ports::backend::Backend;
use crate::ports::bundle_store::{Bundle, BundleStore, Claim, Owner};
use crate::ports::process_io::{IoRequest, ProcessIo, ProcessLink, Streams};
use crate::ports::runtime::{
    Capabilities, CreateRequest, Created, DeleteRequest, EventSource, ExecRequest, Runtime, RuntimeVersion,
    SignalRequest, SignalScope, Started,
};
use crate::signal::Signal;
use crate::status::{ContainerStatus, Past, ProcessState};
use crate::stdio::{Endpoint, Endpoints, TerminalSize};

#[async_trait]
impl Runtime for World {
    fn capabilities(&self) -> Capabilities {
        *self.able.lock().unwrap()
    }

    async fn create(&self, request: CreateRequest) -> Result<Created> {
        self.pass("create", request.id.to_string()).await?;
        let status = ContainerStatus::new(
            request.id.clone(),
            request.instance,
            bundle(request.id.as_str()),
            SystemTime::UNIX_EPOCH,
        );
        self.containers.lock().unwrap().insert(request.id.clone(), status);
        self.set(request.id.as_str(), "init", ProcessState::Created);
        self.emit(request.id.as_str(), EventKind::Created);
        Ok(Created::new(Some(100)))
    }

    async fn start(&self, id: &ContainerId) -> Result<Started> {
        if let Some(status) = self.containers.lock().unwrap().get_mut(id) {
            status.run = Run::FIRST;
        }
        self.pass("start", id.to_string()).await?;
        self.set(id.as_str(), "init", ProcessState::Running);
        self.emit(id.as_str(), EventKind::Started { pid: 100 });
        Ok(Started::new(100, SystemTime::UNIX_EPOCH))
    }

    async fn exec(&self, request: ExecRequest) -> Result<Started> {
        let (id, process) = (request.container.as_str(), request.process.as_str());
        self.set(id, process, ProcessState::Running);
        self.emit(id, EventKind::ExecStarted { process: request.process.clone(), pid: 200 });
        self.pass("exec", request.process.to_string()).await?;
        Ok(Started::new(200, SystemTime::UNIX_EPOCH))
    }

    async fn signal(&self, request: SignalRequest) -> Result<()> {
        let everyone = request.scope == SignalScope::Everyone;
        let scope = if everyone { "everyone" } else { "one" };
        self.pass("signal", format!("{scope} {} {}", request.process, request.signal)).await?;
        let id = &request.process.container;
        if everyone && request.signal == Signal::KILL {
            self.kill_all(id);
        }
        Ok(())
    }

    async fn resize(&self, process: &ProcessRef, _size: TerminalSize) -> Result<()> {
        self.pass("resize", process.to_string()).await
    }

    async fn close_stdin(&self, process: &ProcessRef) -> Result<()> {
        self.pass("close_stdin", process.to_string()).await
    }

    async fn state(&self, id: &ContainerId) -> Result<ContainerStatus> {
        let status = self.containers.lock().unwrap().get(id).cloned();
        self.pass("state", id.to_string()).await?;
        status.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such container"))
    }

    async fn list(&self) -> Result<Vec<ContainerStatus>> {
        self.pass("list", "all".into()).await?;
        Ok(self.containers.lock().unwrap().values().cloned().collect())
    }

    async fn pids(&self, _id: &ContainerId) -> Result<Vec<u32>> {
        Ok(vec![100])
    }

    async fn delete(&self, request: DeleteRequest) -> Result<()> {
        let id = &request.container;
        self.pass("delete", id.to_string()).await?;
        self.emit(id.as_str(), EventKind::Deleted);
        let gone = self.containers.lock().unwrap().remove(id);
        gone.map(drop).ok_or_else(|| Error::new(ErrorKind::NotFound, "no such container"))
    }

    async fn version(&self) -> Result<RuntimeVersion> {
        Ok(RuntimeVersion::new("world", "1"))
    }

    async fn cursor(&self) -> Result<Cursor> {
        self.pass("cursor", String::new()).await?;
        Ok(Cursor::new("here"))
    }

    async fn past(&self, id: Option<ContainerId>) -> Result<Vec<Past>> {
        self.pass("past", format!("{id:?}")).await?;
        let past = self.past.lock().unwrap();
        Ok(past.iter().filter(|past| id.as_ref().is_none_or(|id| past.id == *id)).cloned().collect())
    }

    async fn events(&self, since: Since) -> Result<Box<dyn EventSource>> {
        self.pass("events", format!("{since:?}")).await?;
        let (source, heard) = mpsc::unbounded_channel();
        *self.source.lock().unwrap() = Some(source);
        Ok(Box::new(Source(heard)))
    }
}

#[derive(Debug)]
struct Source(mpsc::UnboundedReceiver<Heard>);

#[async_trait]
impl EventSource for Source {
    async fn next(&mut self) -> Heard {
        self.0.recv().await.unwrap_or(Ok(None))
    }
}

#[async_trait]
impl ProcessIo for World {
    async fn prepare(&self, request: &IoRequest) -> Result<Endpoints> {
        self.pass("prepare", request.process.to_string()).await?;
        let end = || Endpoint::Memory(request.process.to_string());
        Ok(Endpoints::new(end(), end(), end(), &request.stdio))
    }

    async fn open(&self, request: &IoRequest, _closer: Arc<dyn ProcessLink>) -> Result<Streams> {
        self.pass("open", request.process.to_string()).await?;
        Ok(Streams::default())
    }

    async fn discard(&self, _request: &IoRequest, _limit: Duration) -> Result<()> {
        Ok(())
    }

    async fn remove(&self, request: &IoRequest) -> Result<()> {
        self.pass("remove", request.process.to_string()).await
    }

    async fn forget(&self, instance: Instance) -> Result<()> {
        self.pass("forget", instance.to_string()).await
    }
}

#[async_trait]
impl BundleStore for World {
    async fn claim(&self, id: &ContainerId) -> Result<Claim> {
        self.pass("claim", id.to_string()).await?;
        Ok(Claim::new(id.clone(), ()))
    }

    async fn prepare(&self, claim: &Claim, spec: &Spec, owner: Owner) -> Result<Bundle> {
        self.pass("bundle", format!("{} for {}:{}", claim.id(), owner.uid, owner.gid)).await?;
        Ok(Bundle::new(claim.id().clone(), bundle(claim.id().as_str()), spec.clone()))
    }

    async fn load(&self, id: &ContainerId) -> Result<Bundle> {
        Ok(Bundle::new(id.clone(), bundle(id.as_str()), Spec::default()))
    }

    async fn list(&self) -> Result<Vec<ContainerId>> {
        self.pass("bundles", "all".into()).await?;
        Ok(vec![super::name("rest")])
    }

    async fn remove(&self, claim: &Claim) -> Result<()> {
        self.pass("unbundle", claim.id().to_string()).await
    }

    async fn clean_old_rootfs(&self, _claim: &Claim) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Backend for World {
    async fn attach_streams(&self, process: &ProcessRef, _streams: Streams) -> Result<()> {
        self.pass("attach", process.to_string()).await
    }

    async fn state_changed(&self, container: &ContainerId, change: &StateChange) -> Result<()> {
        self.pass("told", container.to_string()).await?;
        self.told.send_modify(|told| told.push(change.clone()));
        Ok(())
    }
}
