//! One virtual container: its processes, the children that they left, and its numbers.

use std::path::PathBuf;
use std::time::SystemTime;

use oci_spec::runtime::Spec;

use super::process::{Process, Task};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, EventKind};
use crate::id::{ContainerId, Instance, ProcessId, Run};
use crate::ports::runtime::{Lease, Removal};
use crate::status::{ContainerState, ContainerStatus, Past};
use crate::testing::program::Streams;

/// One container.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) id: ContainerId,
    pub(super) instance: Instance,
    pub(super) run: Run,
    pub(super) state: ContainerState,
    pub(super) spec: Box<Spec>,
    pub(super) started_at: Option<SystemTime>,
    pub(super) processes: Vec<Process>,
    pub(super) children: Vec<Child>,
    /// Whose life it is bound to, and who removes it.
    pub(super) lease: Option<Lease>,
    pub(super) removal: Removal,
    /// How many of its processes the kernel killed for want of memory.
    pub(super) oom_kills: u64,
    /// Tasks that end streams after their process.
    pub(super) drains: Vec<Task>,
    bundle: PathBuf,
    created_at: SystemTime,
    sequence: u64,
}

/// A process that another one left behind.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) pid: u32,
    pub(super) parent: u32,
    pub(super) streams: Streams,
    pub(super) _task: Task,
}

impl Container {
    pub(super) fn new(id: ContainerId, instance: Instance, bundle: PathBuf, spec: Spec, now: SystemTime) -> Self {
        Container {
            id,
            instance,
            run: Run(0),
            state: ContainerState::Created,
            spec: Box::new(spec),
            started_at: None,
            processes: Vec::new(),
            children: Vec::new(),
            lease: None,
            removal: Removal::Asked,
            oom_kills: 0,
            drains: Vec::new(),
            bundle,
            created_at: now,
            sequence: 0,
        }
    }

    /// One of its processes.
    ///
    /// # Errors
    /// `NotFound`.
    pub(super) fn process(&mut self, id: &ProcessId) -> Result<&mut Process> {
        let found = self.processes.iter_mut().find(|process| process.status.id == *id);
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such process").on(&self.id).of(id))
    }

    /// The process of that pid, if it lives.
    pub(super) fn living(&mut self, pid: u32) -> Option<&mut Process> {
        self.processes.iter_mut().find(|process| process.pid == pid && process.lives())
    }

    pub(super) fn status(&self) -> ContainerStatus {
        let mut status = ContainerStatus::new(self.id.clone(), self.instance, self.bundle.clone(), self.created_at);
        status.run = self.run;
        status.state = self.state;
        status.started_at = self.started_at;
        status.processes = self.processes.iter().map(|process| process.status.clone()).collect();
        status
    }

    pub(super) fn pids(&self) -> Vec<u32> {
        let living = self.processes.iter().filter(|process| process.lives()).map(|process| process.pid);
        let mut pids: Vec<u32> = living.chain(self.children.iter().map(|child| child.pid)).collect();
        pids.sort_unstable();
        pids
    }

    /// The pid of its first process.
    pub(super) fn init_pid(&self) -> Option<u32> {
        self.processes.iter().find(|process| process.status.id.is_init()).map(|process| process.pid)
    }

    /// What is remembered of it when it is removed at `now`.
    pub(super) fn past(&self, now: SystemTime) -> Past {
        let mut past = Past::new(self.id.clone(), self.instance, self.created_at, now);
        let ended = |process: &Process| process.status.exit().map(|exit| (process.status.id.clone(), exit.clone()));
        past.exits = self.processes.iter().filter_map(ended).collect();
        past.args = self.processes.first().map(|init| init.status.args.clone()).unwrap_or_default();
        past
    }

    /// The next event of it.
    pub(super) fn event(&mut self, kind: EventKind, now: SystemTime) -> Event {
        self.sequence += 1;
        Event::new(self.id.clone(), self.instance, self.run, self.sequence, now, kind)
    }
}
