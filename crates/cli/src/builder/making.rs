//! From a description to a container: its spec, its creation, its start, its whole run.
//!
//! Each runs in a task of its own with a guard, so that whatever of the two is dropped first, the other undoes it.
//!
//! Keeps: a start that fails leaves nothing behind.

use libcontainerd_core::client::{Attach, NewContainer};
use libcontainerd_core::ports::process_io::ReadFrom;
use libcontainerd_core::ports::runtime::Removal;
use libcontainerd_core::rootfs::Rootfs;
use libcontainerd_core::stdio::{Place, Stdio};
use libcontainerd_core::{ContainerId, Error, ErrorKind, Instance, ProcessRef, Result};
use oci_spec::runtime::Spec;

use super::ContainerBuilder;
use crate::child::Child;
use crate::container::Container;
use crate::handover::Expected;
use crate::output::{self, Output};
use crate::placing::Held;
use crate::preflight;
use crate::supervisor::{Supervisor, finished};
use crate::undo::Undo;

const GENERATED_NAME: usize = 12;

impl ContainerBuilder {
    /// The name that it will have, from now on also when it is a random one.
    ///
    /// # Errors
    /// `System` when the kernel gives no random bytes.
    pub fn decide_name(&mut self) -> Result<ContainerId> {
        let id = self.name.take().map_or_else(generated_name, Ok)?;
        Ok(self.name.insert(id).clone())
    }

    /// The spec that it would be run with.
    ///
    /// # Errors
    /// `InvalidArgument` as `create`.
    pub fn spec(mut self) -> Result<Spec> {
        if let Some(wrong) = self.wrong.take() {
            return Err(wrong);
        }
        let id = self.decide_name()?;
        let rootfs = self.rootfs.unwrap_or(Rootfs::Directory("rootfs".into()));
        let stdio = self.placing.over(self.stdio.unwrap_or_else(Stdio::output));
        self.shape.spec(&id, &rootfs, &stdio).map(|(spec, _)| spec)
    }

    /// Makes the container: everything but the program's start. Its streams are open, those that are kept too.
    ///
    /// # Errors
    /// `InvalidArgument` for what was described, `AlreadyExists` for its name, and as the runtime's create; after an
    /// error nothing is left.
    ///
    /// # Cancellation
    /// Dropped, the container is made all the same, and left under its name or removed, as `kill_on_drop` says.
    pub async fn create(self) -> Result<Container> {
        let (attach, kill_on_drop) = (self.attach, self.kill_on_drop);
        let supervisor = self.supervisor.clone().ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, "this description belongs to no supervisor that could make it")
        })?;
        let (id, new, held) = self.plan()?;
        let creating = tokio::spawn(async move {
            let init = ProcessRef::init(id.clone());
            let kept = [new.stdio.stdout, new.stdio.stderr].contains(&Place::Kept);
            let made = match attach {
                Attach::Streams if kept => following_its_log(&supervisor, &init, new, kill_on_drop).await?,
                _ => with_live_streams(&supervisor, &init, new, kill_on_drop).await?,
            };
            Ok(made.holding(held))
        });
        finished(creating.await)
    }

    /// Makes the container and starts its program.
    ///
    /// # Errors
    /// As [`ContainerBuilder::create`], and `StartFailed` when the program cannot be run; nothing is left.
    ///
    /// # Cancellation
    /// Dropped, the container is killed and removed.
    pub async fn spawn(self) -> Result<Container> {
        let keep = !self.kill_on_drop;
        let mut container = self.kill_on_drop(true).create().await?;
        if let Err(error) = container.start().await {
            container.abandon().await;
            return Err(error);
        }
        if keep {
            container.let_live();
        }
        Ok(container)
    }

    /// Runs the program to its end, and tells what it wrote and how it ended; what it wrote to a descriptor of the
    /// caller's is not among it. The container is removed.
    ///
    /// # Errors
    /// As [`ContainerBuilder::spawn`]; that the program failed is no error but its exit.
    ///
    /// # Cancellation
    /// Dropped, the container is killed and removed.
    pub async fn output(mut self) -> Result<Output> {
        let (limit, input) = (self.limit, self.input.take());
        let stdin = if input.is_some() { Place::Stream } else { Place::Null };
        self.attach = Attach::Streams;
        self.removal = Removal::Asked;
        self.stdio = Some(Stdio::output().with_stdin(stdin).drained(self.stdio.unwrap_or_default().drain));
        let mut container = self.kill_on_drop(true).spawn().await?;
        let output = output::collect(&mut container.init, input, limit).await;
        container.abandon().await;
        output
    }

    fn plan(mut self) -> Result<(ContainerId, NewContainer, Held)> {
        if let Some(wrong) = self.wrong.take() {
            return Err(wrong);
        }
        let id = self.decide_name()?;
        let rootfs = self.rootfs.ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, "a container needs a root file system or a bundle")
        })?;
        if !self.shape.has_program() {
            return Err(Error::new(ErrorKind::InvalidArgument, "a container needs a program to run"));
        }
        preflight::is_rootfs(&rootfs)?;
        let stdio = self.placing.over(self.stdio.unwrap_or_else(Stdio::output));
        let (spec, rootfs) = self.shape.spec(&id, &rootfs, &stdio)?;
        let mut new = NewContainer::new(spec, rootfs, stdio);
        new.user = self.user;
        new.attach = self.attach;
        new.lease = self.lease;
        new.removal = self.removal;
        new.options = self.options;
        Ok((id, new, self.placing.held()))
    }
}

/// Makes a container whose live streams, where there are any, come to its handle as they are opened.
async fn with_live_streams(
    supervisor: &Supervisor,
    init: &ProcessRef,
    new: NewContainer,
    kill_on_drop: bool,
) -> Result<Container> {
    let (client, id) = (supervisor.client().clone(), &init.container);
    let expected = (new.attach == Attach::Streams).then(|| supervisor.handover().expect(init));
    client.create(id, new).await.map_err(preflight::explained)?;
    let undo = if kill_on_drop { Undo::armed(&client, id) } else { Undo::none() };
    let streams = expected.map(Expected::take).unwrap_or_default();
    Ok(Container::over(supervisor.clone(), Child::new(client, init.clone(), streams)).guarded(undo))
}

/// Makes a container whose output is kept, and reads it back from its first byte on.
async fn following_its_log(
    supervisor: &Supervisor,
    init: &ProcessRef,
    mut new: NewContainer,
    kill_on_drop: bool,
) -> Result<Container> {
    new.attach = Attach::Nothing;
    let mut made = with_live_streams(supervisor, init, new, true).await?;
    match supervisor.attach_from(init, ReadFrom::Start).await {
        Ok(child) => made.init = child,
        Err(error) => {
            made.abandon().await;
            return Err(error);
        }
    }
    if !kill_on_drop {
        made.let_live();
    }
    Ok(made)
}

fn generated_name() -> Result<ContainerId> {
    let mut text = Instance::random()?.to_string();
    text.truncate(GENERATED_NAME);
    Ok(text.parse()?)
}
