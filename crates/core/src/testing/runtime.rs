//! A runtime in memory that behaves: virtual processes in virtual time, the port `Runtime` over a table.
//!
//! A process is a task that runs a behaviour; a kill aborts it; every change is an event in a log from which any
//! number of followers read. Each call first meets the faults that a test has ordered.
//!
//! Imitates: states, exits and their order, signals (init gets only those that it handles, and KILL), streams with
//! their keeper, terminals' sizes, left-over children, users by name from a small table, cursors that stay good, kept output, deadlines and
//! leases, a ledger.
//! Not: file systems, namespaces, limits, seccomp, scheduling.
//!
//! Does not know: the client above it.

mod call;
mod clock;
mod container;
mod ending;
mod events;
mod keeping;
mod machine;
mod process;
mod removal;
mod resolve;

use std::sync::Arc;

use async_trait::async_trait;

use self::machine::{Machine, Shared};
use super::bundle_store::MemoryBundleStore;
use super::fault::{Call, EventFault, Fault};
use super::kept::Shelf;
use super::pipe::Pipes;
use super::program::Program;
use crate::cursor::{Cursor, Since};
use crate::error::Result;
use crate::id::{ContainerId, ProcessRef};
use crate::ports::runtime::{
    Capabilities, CreateRequest, Created, DeleteRequest, EventSource, ExecRequest, Runtime, RuntimeVersion,
    SignalRequest, Started, Sweep, Swept,
};
use crate::status::{ContainerStatus, Past};
use crate::stdio::TerminalSize;

/// The runtime of one machine in memory.
#[derive(Debug)]
pub struct MemoryRuntime {
    shared: Arc<Shared>,
}

impl MemoryRuntime {
    pub(super) fn new(pipes: Pipes, shelf: Shelf, bundles: Arc<MemoryBundleStore>) -> Self {
        MemoryRuntime { shared: Shared::new(pipes, shelf, bundles) }
    }

    /// From now on the program at `path` is this one.
    pub fn install(&self, path: impl Into<String>, program: Program) {
        self.shared.machine().programs.insert(path.into(), program);
    }

    /// Orders a fault.
    pub fn order(&self, fault: Fault) {
        self.shared.machine().faults.add(fault);
    }

    /// Disturbs the events.
    pub fn disturb(&self, fault: EventFault) {
        self.shared.log.disturb(fault);
    }

    /// The calls that were made so far, in order, with the container where there is one.
    pub fn calls(&self) -> Vec<(Call, Option<ContainerId>)> {
        self.shared.machine().calls.clone()
    }

    /// Kills a process by its pid, as somebody on the host would, also an [owner](MemoryRuntime::owner); `false` when
    /// there is none.
    pub fn kill_outside(&self, pid: u32) -> bool {
        self.shared.owner_gone(pid) || self.shared.kill_outside(pid)
    }

    /// A program of the host, to whose life containers can be bound: its pid.
    pub fn owner(&self) -> u32 {
        let mut machine = self.shared.machine();
        let pid = machine.next_pid();
        machine.owners.insert(pid);
        pid
    }

    /// Leaves something about, as a program that was killed does.
    pub fn litter(&self, what: Swept) {
        self.shared.machine().litter.push(what);
    }

    /// Does `act` under the machine's lock, if no fault is ordered for that call.
    async fn serve<T>(
        &self,
        call: Call,
        id: Option<&ContainerId>,
        act: impl FnOnce(&Arc<Shared>, &mut Machine) -> Result<T> + Send,
    ) -> Result<T> {
        call::serve(&self.shared, call, id, act).await
    }
}

#[async_trait]
impl Runtime for MemoryRuntime {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            two_step: true,
            replays_events: true,
            resolves_users: true,
            terminals: true,
            outlives_client: true,
            keeps_output: true,
            ends_execs: true,
            remembers_past: true,
            leases: true,
            ..Capabilities::default()
        }
    }

    async fn create(&self, request: CreateRequest) -> Result<Created> {
        let id = request.id.clone();
        self.serve(Call::Create, Some(&id), |shared, machine| machine.create(shared, request)).await
    }

    async fn start(&self, container: &ContainerId) -> Result<Started> {
        self.serve(Call::Start, Some(container), |shared, machine| machine.start(shared, container)).await
    }

    async fn exec(&self, request: ExecRequest) -> Result<Started> {
        let id = request.container.clone();
        self.serve(Call::Exec, Some(&id), |shared, machine| machine.exec(shared, request)).await
    }

    async fn signal(&self, request: SignalRequest) -> Result<()> {
        let id = request.process.container.clone();
        self.serve(Call::Signal, Some(&id), |shared, machine| machine.signal(shared, &request)).await
    }

    async fn resize(&self, process: &ProcessRef, size: TerminalSize) -> Result<()> {
        let id = Some(&process.container);
        self.serve(Call::Resize, id, |_, machine| machine.process(process)?.resize(size)).await
    }

    async fn close_stdin(&self, process: &ProcessRef) -> Result<()> {
        let close = |_: &Arc<Shared>, machine: &mut Machine| {
            machine.process(process)?.close_stdin();
            Ok(())
        };
        self.serve(Call::CloseStdin, Some(&process.container), close).await
    }

    async fn state(&self, container: &ContainerId) -> Result<ContainerStatus> {
        let look = |_: &Arc<Shared>, machine: &mut Machine| Ok(machine.container(container)?.status());
        self.serve(Call::State, Some(container), look).await
    }

    async fn list(&self) -> Result<Vec<ContainerStatus>> {
        let look = |_: &Arc<Shared>, machine: &mut Machine| {
            Ok(machine.containers.values().map(|container| container.status()).collect())
        };
        self.serve(Call::List, None, look).await
    }

    async fn pids(&self, container: &ContainerId) -> Result<Vec<u32>> {
        let look = |_: &Arc<Shared>, machine: &mut Machine| Ok(machine.container(container)?.pids());
        self.serve(Call::Pids, Some(container), look).await
    }

    async fn delete(&self, request: DeleteRequest) -> Result<()> {
        let id = request.container.clone();
        self.serve(Call::Delete, Some(&id), |shared, machine| machine.delete(shared, &request)).await
    }

    async fn version(&self) -> Result<RuntimeVersion> {
        let answer = |_: &Arc<Shared>, _: &mut Machine| Ok(RuntimeVersion::new("memory", env!("CARGO_PKG_VERSION")));
        self.serve(Call::Version, None, answer).await
    }

    async fn cursor(&self) -> Result<Cursor> {
        self.serve(Call::Cursor, None, |shared, _| Ok(shared.log.cursor())).await
    }

    async fn past(&self, id: Option<ContainerId>) -> Result<Vec<Past>> {
        let look = |_: &Arc<Shared>, machine: &mut Machine| Ok(machine.remembered(id.as_ref()));
        self.serve(Call::Past, id.as_ref(), look).await
    }

    async fn sweep(&self, how: Sweep) -> Result<Vec<Swept>> {
        self.serve(Call::Sweep, None, |_, machine| Ok(machine.sweep(how))).await
    }

    async fn events(&self, since: Since) -> Result<Box<dyn EventSource>> {
        self.serve(Call::Events, None, |shared, _| shared.log.follow(&since)).await
    }
}
