//! One virtual process: its status, its streams and the task that runs it.
//!
//! It is waiting (made, not started), running (a task of ours that is aborted when this is dropped) or ended.

use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use crate::error::{Error, ErrorKind, Result};
use crate::id::ProcessId;
use crate::signal::Signal;
use crate::status::{ProcessState, ProcessStatus};
use crate::stdio::{Drain, Endpoint, Endpoints, Place, Stdio, TerminalSize};
use crate::testing::pipe::Pipes;
use crate::testing::program::{Behaviour, Identity, Streams, Surroundings};

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
}

/// One process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) status: ProcessStatus,
    pub(super) pid: u32,
    pub(super) streams: Streams,
    pub(super) drain: Drain,
    behaviour: Behaviour,
    size: watch::Sender<TerminalSize>,
    signals: mpsc::UnboundedSender<Signal>,
    waiting: Option<Box<Surroundings>>,
    task: Option<Task>,
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
    pub(super) fn new(blueprint: Blueprint, pipes: &Pipes) -> Result<Self> {
        let (size, sizes) = watch::channel(blueprint.endpoints.terminal.unwrap_or_default());
        let (signals, received) = mpsc::unbounded_channel();
        let terminal = blueprint.endpoints.terminal.is_some();
        let streams = open(&blueprint.endpoints, pipes)?;
        let mut status = ProcessStatus::new(blueprint.id, blueprint.args);
        status.pid = Some(blueprint.pids.0);
        status.terminal = terminal;
        status.stdio = Some(placed(&blueprint.endpoints));
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
            behaviour: blueprint.behaviour,
            size,
            signals,
            waiting: Some(Box::new(surroundings)),
            task: None,
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

    /// It runs no more.
    pub(super) fn stop(&mut self) {
        self.task = None;
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

/// Where its streams were placed, so that who comes later can open them.
fn placed(endpoints: &Endpoints) -> Stdio {
    let place = |endpoint: &Endpoint| if *endpoint == Endpoint::Null { Place::Null } else { Place::Stream };
    let mut stdio = Stdio::null().with_stdin(place(&endpoints.stdin)).drained(endpoints.drain);
    stdio.stdout = place(&endpoints.stdout);
    stdio.stderr = place(&endpoints.stderr);
    stdio.terminal = endpoints.terminal;
    stdio
}

fn open(endpoints: &Endpoints, pipes: &Pipes) -> Result<Streams> {
    let one = |endpoint: &Endpoint| match endpoint {
        Endpoint::Null => Ok(None),
        Endpoint::Memory(name) => pipes
            .open(name)
            .map(Some)
            .ok_or_else(|| Error::new(ErrorKind::InvalidArgument, format!("there is no stream {name} to open"))),
        _ => Err(Error::new(ErrorKind::Unsupported, "the runtime in memory has only streams in memory")),
    };
    Ok(Streams { stdin: one(&endpoints.stdin)?, stdout: one(&endpoints.stdout)?, stderr: one(&endpoints.stderr)? })
}
