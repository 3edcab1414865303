//! The table of containers and what each operation does to it, one at a time.
//!
//! Everything here happens at once, under one lock; what takes time (programs, drains) is a task that comes back.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::clock::Clock;
use super::container::Container;
use super::events::EventLog;
use super::process::{Blueprint, Process, Task};
use super::resolve;
use crate::error::{Error, ErrorKind, Result};
use crate::event::EventKind;
use crate::id::{ContainerId, ProcessId, ProcessRef, Run};
use crate::ports::runtime::{CreateRequest, Created, ExecRequest, Started, Swept};
use crate::process::{LeftOvers, NewProcess, User};
use crate::status::{ContainerState, Past};
use crate::testing::bundle_store::MemoryBundleStore;
use crate::testing::fault::{Call, Faults};
use crate::testing::kept::Shelf;
use crate::testing::pipe::Pipes;
use crate::testing::program::Program;

/// What all calls and tasks of one machine share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) log: EventLog,
    pub(super) clock: Clock,
    pub(super) pipes: Pipes,
    pub(super) shelf: Shelf,
    pub(super) bundles: Arc<MemoryBundleStore>,
    machine: Mutex<Machine>,
}

/// The machine's tables.
#[derive(Debug, Default)]
pub(super) struct Machine {
    pub(super) containers: BTreeMap<ContainerId, Container>,
    pub(super) programs: HashMap<String, Program>,
    pub(super) faults: Faults,
    pub(super) calls: Vec<(Call, Option<ContainerId>)>,
    /// Removed containers, newest first.
    pub(super) past: VecDeque<Past>,
    /// Programs of the host that containers can be bound to.
    pub(super) owners: BTreeSet<u32>,
    /// What a test has left about.
    pub(super) litter: Vec<Swept>,
    last_pid: u32,
}

impl Shared {
    pub(super) fn new(pipes: Pipes, shelf: Shelf, bundles: Arc<MemoryBundleStore>) -> Arc<Self> {
        let (log, clock) = (EventLog::default(), Clock::default());
        Arc::new(Shared { log, clock, pipes, shelf, bundles, machine: Mutex::default() })
    }

    pub(super) fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Machine {
    /// A pid that nobody had before.
    pub(super) fn next_pid(&mut self) -> u32 {
        self.last_pid += 1;
        // Apart from the pids of real small processes, so that a mix-up shows.
        1_000_000 + self.last_pid
    }

    pub(super) fn container(&mut self, id: &ContainerId) -> Result<&mut Container> {
        self.containers.get_mut(id).ok_or_else(|| not_found(id))
    }

    pub(super) fn process(&mut self, process: &ProcessRef) -> Result<&mut Process> {
        self.container(&process.container)?.process(&process.process)
    }

    pub(super) fn create(&mut self, shared: &Shared, request: CreateRequest) -> Result<Created> {
        if self.containers.contains_key(&request.id) {
            return Err(Error::new(ErrorKind::AlreadyExists, "the name is taken").on(&request.id));
        }
        self.check_lease(request.lease)?;
        let now = shared.clock.now();
        let blueprint = self.init(&request)?;
        let pid = blueprint.pids.0;
        let mut container = Container::new(request.id, request.instance, request.bundle, request.spec, now);
        (container.lease, container.removal) = (request.lease, request.removal);
        container.processes.push(Process::new(blueprint, shared)?);
        shared.log.push(container.event(EventKind::Created, now));
        self.containers.insert(container.id.clone(), container);
        Ok(Created::new(Some(pid)))
    }

    fn init(&mut self, request: &CreateRequest) -> Result<Blueprint> {
        let process = request.spec.process().as_ref();
        let process = process.ok_or_else(|| Error::new(ErrorKind::InvalidArgument, "the spec has no process"))?;
        let args = process.args().clone().unwrap_or_default();
        let user = request.user.clone().unwrap_or_else(|| of_spec(process));
        Ok(Blueprint {
            id: ProcessId::init(),
            identity: resolve::user(&user)?,
            behaviour: resolve::program(&self.programs, &args)?,
            args,
            env: process.env().clone().unwrap_or_default(),
            cwd: process.cwd().to_string_lossy().into_owned(),
            endpoints: request.endpoints.clone(),
            timeout: None,
            left_overs: LeftOvers::Leave,
            pids: (self.next_pid(), 1),
        })
    }

    pub(super) fn start(&mut self, shared: &Arc<Shared>, id: &ContainerId) -> Result<Started> {
        let now = shared.clock.now();
        let container = self.container(id)?;
        if container.state != ContainerState::Created {
            return Err(Error::new(ErrorKind::WrongState, "it is not waiting to be started").on(id));
        }
        container.state = ContainerState::Running;
        container.run = Run::FIRST;
        container.started_at = Some(now);
        let init = container.process(&ProcessId::init())?;
        let (pid, companions) = (init.pid, init.companions());
        launch(shared, id, init);
        shared.log.push(container.event(EventKind::Started { pid }, now));
        shared.leave_children(self, id, pid, &companions);
        Ok(Started::new(pid, now))
    }

    pub(super) fn exec(&mut self, shared: &Arc<Shared>, request: ExecRequest) -> Result<Started> {
        let now = shared.clock.now();
        let (id, process) = (request.container, request.process);
        let container = self.container(&id)?;
        if container.state != ContainerState::Running {
            return Err(Error::new(ErrorKind::WrongState, "it does not run").on(&id).of(&process));
        }
        if container.processes.iter().any(|other| other.status.id == process && other.lives()) {
            let message = "a process of that name is alive";
            return Err(Error::new(ErrorKind::AlreadyExists, message).on(&id).of(&process));
        }
        let spec = container.spec.clone();
        let behaviour = resolve::program(&self.programs, &request.what.args)?;
        let pid = self.next_pid();
        let blueprint = Blueprint {
            endpoints: request.endpoints,
            behaviour,
            pids: (pid, pid - 1_000_000 + 1),
            ..further(&spec, process.clone(), request.what)?
        };
        let mut made = Process::new(blueprint, shared)?;
        let companions = made.companions();
        launch(shared, &id, &mut made);
        let container = self.container(&id)?;
        container.processes.retain(|other| other.status.id != process);
        container.processes.push(made);
        shared.log.push(container.event(EventKind::ExecStarted { process, pid }, now));
        shared.leave_children(self, &id, pid, &companions);
        Ok(Started::new(pid, now))
    }
}

/// A further process, but for its program, pids and streams.
fn further(spec: &oci_spec::runtime::Spec, id: ProcessId, what: NewProcess) -> Result<Blueprint> {
    let own = spec.process().clone().unwrap_or_default();
    let user = what.user.unwrap_or_else(|| of_spec(&own));
    let mut env = what.env.map_or_else(|| own.env().clone().unwrap_or_default(), |env| env.0);
    env.extend(what.extra_env.0);
    Ok(Blueprint {
        id,
        pids: (0, 0),
        behaviour: crate::testing::program::Behaviour::Script(Program::new()),
        args: what.args,
        env,
        cwd: what.cwd.as_ref().unwrap_or(own.cwd()).to_string_lossy().into_owned(),
        identity: resolve::user(&user)?,
        endpoints: crate::stdio::Endpoints::default(),
        timeout: what.timeout,
        left_overs: what.left_overs,
    })
}

fn of_spec(process: &oci_spec::runtime::Process) -> User {
    let user = process.user();
    User::Ids { uid: user.uid(), gid: user.gid(), groups: user.additional_gids().clone().unwrap_or_default() }
}

pub(super) fn not_found(id: &ContainerId) -> Error {
    Error::new(ErrorKind::NotFound, "there is no such container").on(id)
}

fn launch(shared: &Arc<Shared>, id: &ContainerId, process: &mut Process) {
    let Some((behaviour, surroundings)) = process.take_waiting() else { return };
    let (machine, id, pid) = (Arc::downgrade(shared), id.clone(), process.pid);
    let of = id.clone();
    let task = tokio::spawn(async move {
        let ending = behaviour.run(surroundings).await;
        if let Some(shared) = machine.upgrade() {
            shared.ended(&id, pid, ending);
        }
    });
    process.runs(Task(task.abort_handle()));
    if let Some(limit) = process.timeout {
        process.limited(Task(tokio::spawn(limited(Arc::downgrade(shared), of, pid, limit)).abort_handle()));
    }
}

async fn limited(machine: Weak<Shared>, id: ContainerId, pid: u32, limit: Duration) {
    tokio::time::sleep(limit).await;
    if let Some(shared) = machine.upgrade() {
        shared.time_is_up(&id, pid);
    }
}
