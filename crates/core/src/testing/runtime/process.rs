//! One virtual process: its status, its streams and the task that runs it.
//!
//! It is waiting (made, not started), running (a task of ours that is aborted when this is dropped) or ended.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::keeping;
use super::machine::Shared;
use crate::error::{Error, ErrorKind, Result};
use crate::id::ProcessId;
use crate::process::LeftOvers;
use crate::signal::Signal;
use crate::status::{ProcessState, ProcessStatus};
use crate::stdio::{Drain, Endpoint, Endpoints, TerminalSize};
use crate::testing::pipe::{Pipe, Pipes};
use crate::testing::program::{Behaviour, Identity, Streams, Surroundings, Verb};

const WINCH: u8 = 28;

/// A process to make.
#[derive(Debug)]
pub(super) struct Blueprint {
    pub(super) id: ProcessId,
    /// On the host, and as it sees itself.
    pub(super) pids: (u32, u32),
    pub(super) args: Vec<String>,
    pub(super) env: Vec<String>,
    pub(super) cwd: String,
    pub(super) identity: Identity,
    pub(super) behaviour: Behaviour,
    pub(super) endpoints: Endpoints,
    /// How long it may run, and what becomes of what it leaves.
    pub(super) timeout: Option<Duration>,
    pub(super) left_overs: LeftOvers,
}

/// One process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) status: ProcessStatus,
    pub(super) pid: u32,
    pub(super) streams: Streams,
    pub(super) drain: Drain,
    pub(super) timeout: Option<Duration>,
    pub(super) left_overs: LeftOvers,
    /// Whether its time was up.
    pub(super) timed_out: bool,
    behaviour: Behaviour,
    size: watch::Sender<TerminalSize>,
    signals: mpsc::UnboundedSender<Signal>,
    waiting: Option<Box<Surroundings>>,
    task: Option<Task>,
    /// The task that ends it when its time is up.
    limit: Option<Task>,
}

/// A task that ends with its owner.
#[derive(Debug)]
pub(super) struct Task(pub(super) AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Process {
    /// Makes it; its streams' ends are opened.
    pub(super) fn new(blueprint: Blueprint, shared: &Shared) -> Result<Self> {
        let (size, sizes) = watch::channel(blueprint.endpoints.terminal.unwrap_or_default());
        let (signals, received) = mpsc::unbounded_channel();
        let terminal = blueprint.endpoints.terminal.is_some();
        let streams = open(&blueprint.endpoints, &shared.pipes)?;
        keeping::look_after(shared, &blueprint.endpoints, &streams)?;
        let mut status = ProcessStatus::new(blueprint.id, blueprint.args);
        status.pid = Some(blueprint.pids.0);
        status.terminal = terminal;
        status.stdio = Some(blueprint.endpoints.stdio());
        status.stream_owner = blueprint.identity.uid;
        let surroundings = Surroundings {
            streams: streams.clone(),
            terminal: terminal.then_some(sizes),
            signals: received,
            identity: blueprint.identity,
            env: blueprint.env,
            cwd: blueprint.cwd,
            pid: blueprint.pids.1,
        };
        Ok(Process {
            status,
            pid: blueprint.pids.0,
            streams,
            drain: blueprint.endpoints.drain,
            timeout: blueprint.timeout,
            left_overs: blueprint.left_overs,
            timed_out: false,
            behaviour: blueprint.behaviour,
            size,
            signals,
            waiting: Some(Box::new(surroundings)),
            task: None,
            limit: None,
        })
    }

    /// Whether it has not ended.
    pub(super) fn lives(&self) -> bool {
        !matches!(self.status.state, ProcessState::Exited(_))
    }

    /// What it is to run and where, once.
    pub(super) fn take_waiting(&mut self) -> Option<(Behaviour, Surroundings)> {
        self.waiting.take().map(|surroundings| (self.behaviour.clone(), *surroundings))
    }

    /// It runs, as that task.
    pub(super) fn runs(&mut self, task: Task) {
        self.status.state = ProcessState::Running;
        self.task = Some(task);
    }

    /// It runs for so long at most.
    pub(super) fn limited(&mut self, limit: Task) {
        self.limit = Some(limit);
    }

    /// The processes that it starts at once.
    pub(super) fn companions(&self) -> Vec<Verb> {
        self.behaviour.companions()
    }

    /// It runs no more.
    pub(super) fn stop(&mut self) {
        self.task = None;
        self.limit = None;
        self.waiting = None;
    }

    /// Hands a signal to its handler; `false` when it has none.
    pub(super) fn deliver(&self, signal: Signal) -> bool {
        let handled = self.behaviour.handles(signal) && self.task.is_some();
        handled && self.signals.send(signal).is_ok()
    }

    pub(super) fn close_stdin(&self) {
        self.streams.stdin.iter().for_each(|pipe| pipe.close());
    }

    /// # Errors
    /// `WrongState` without a terminal.
    pub(super) fn resize(&self, size: TerminalSize) -> Result<()> {
        if !self.status.terminal {
            return Err(Error::new(ErrorKind::WrongState, "the process has no terminal").of(&self.status.id));
        }
        if self.size.send_replace(size) != size {
            self.deliver(Signal::try_from(WINCH)?);
        }
        Ok(())
    }
}

fn open(endpoints: &Endpoints, pipes: &Pipes) -> Result<Streams> {
    let one = |endpoint: &Endpoint| match endpoint {
        Endpoint::Null => Ok(None),
        Endpoint::Memory(name) => named(pipes, name),
        Endpoint::Kept(path) => named(pipes, &path.to_string_lossy()),
        _ => Err(Error::new(ErrorKind::Unsupported, "the runtime in memory has only streams in memory")),
    };
    Ok(Streams { stdin: one(&endpoints.stdin)?, stdout: one(&endpoints.stdout)?, stderr: one(&endpoints.stderr)? })
}

fn named(pipes: &Pipes, name: &str) -> Result<Option<Arc<Pipe>>> {
    let found = pipes.open(name).map(Some);
    found.ok_or_else(|| Error::new(ErrorKind::InvalidArgument, format!("there is no stream {name} to open")))
}
