//! What a journal's entries amount to: the state of a container and its processes.
//!
//! Adding an entry never fails: an entry that does not fit is one of an older or newer habit, and changes nothing.

use std::time::SystemTime;

use libcontainerd_core::ports::runtime::Removal;
use libcontainerd_core::status::{ContainerState, ContainerStatus, ProcessState, ProcessStatus};
use libcontainerd_core::{Exit, ProcessId, Run};

use super::{Creating, Entry, Fact, Process};

/// How many ended execs are remembered.
const ENDED_EXECS: usize = 64;

/// A container as its journal tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct History {
    /// What it is.
    pub(crate) creating: Creating,
    /// Where it is in its life.
    pub(crate) state: ContainerState,
    /// Which start, 0 before the first.
    pub(crate) run: Run,
    /// When it was begun.
    pub(crate) created_at: SystemTime,
    /// When its program was started.
    pub(crate) started_at: Option<SystemTime>,
    /// Its processes in the order in which they were made, init first.
    pub(crate) processes: Vec<ProcessHistory>,
    /// Whether the kernel killed for want of memory since the last start.
    pub(crate) oom: bool,
    /// Whether its init was let through the gate.
    pub(crate) released: bool,
    /// Whether the program that it is bound to is known to be gone.
    pub(crate) owner_gone: bool,
    /// Whether its cgroups are removed.
    pub(crate) cleaned: bool,
    /// Whether it is deleted, and only a directory is left of it.
    pub(crate) deleted: bool,
    /// The sequence number of the next entry.
    pub(crate) next_seq: u64,
    /// The number of the next exec, from 1.
    pub(crate) next_exec: u64,
}

/// A process as its container's journal tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProcessHistory {
    /// How it was made.
    pub(crate) made: Process,
    /// Whether its program runs or ran.
    pub(crate) started: bool,
    /// Whether its stdin was closed.
    pub(crate) stdin_closed: bool,
    /// Whether its time was up before it ended.
    pub(crate) timed_out: bool,
    /// How it ended, if it has.
    pub(crate) exit: Option<Exit>,
}

impl History {
    /// Begins with the first entry; `None` when that does not begin a container.
    pub(crate) fn begin(entry: &Entry) -> Option<History> {
        let Fact::Creating(creating) = &entry.fact else { return None };
        Some(History {
            creating: (**creating).clone(),
            state: ContainerState::Creating,
            run: Run(0),
            created_at: entry.at,
            started_at: None,
            processes: Vec::new(),
            oom: false,
            released: false,
            owner_gone: false,
            cleaned: false,
            deleted: false,
            next_seq: entry.seq + 1,
            next_exec: 1,
        })
    }

    /// What all of a journal's payloads amount to; `None` when there is not one whole entry.
    ///
    /// # Errors
    /// When a payload is no entry of a version that this program reads.
    pub(crate) fn of<P: AsRef<[u8]>>(payloads: &[P]) -> Result<Option<History>, serde_json::Error> {
        let mut history: Option<History> = None;
        for payload in payloads {
            let entry = Entry::decode(payload.as_ref())?;
            match &mut history {
                None => history = History::begin(&entry),
                Some(history) => history.add(&entry),
            }
        }
        Ok(history)
    }

    /// Adds the next entry.
    pub(crate) fn add(&mut self, entry: &Entry) {
        self.next_seq = self.next_seq.max(entry.seq + 1);
        match &entry.fact {
            Fact::Creating(_) => {}
            Fact::Created(process) => {
                self.state = ContainerState::Created;
                self.processes.push(ProcessHistory::new(process.clone()));
            }
            Fact::Released => self.released = true,
            Fact::Started { run } => {
                self.state = ContainerState::Running;
                self.run = *run;
                self.started_at = Some(entry.at);
                self.mark(&ProcessId::init(), |process| process.started = true);
            }
            Fact::NotStarted => self.state = ContainerState::Stopped,
            Fact::ExecCreated(process) => {
                self.next_exec = self.next_exec.max(process.number + 1);
                self.processes.retain(|other| other.made.id != process.id);
                self.processes.push(ProcessHistory::new(process.clone()));
            }
            Fact::ExecStarted { process } => self.mark(process, |process| process.started = true),
            Fact::ExecFailed { process } => self.processes.retain(|other| other.made.id != *process),
            Fact::StdinClosed { process } => self.mark(process, |process| process.stdin_closed = true),
            Fact::Kept { process, descriptors } => {
                self.mark(process, |process| process.made.descriptors = descriptors.clone());
            }
            Fact::TimeUp { process } => self.mark(process, |process| process.timed_out = true),
            Fact::OwnerGone => self.owner_gone = true,
            Fact::Exited { process, exit } => self.exited(process, exit),
            Fact::Oom => self.oom = true,
            Fact::Paused => self.state = ContainerState::Paused,
            Fact::Resumed => self.state = ContainerState::Running,
            Fact::Cleaned => self.cleaned = true,
            Fact::Deleted => self.deleted = true,
        }
    }

    /// One of the processes.
    pub(crate) fn process(&self, id: &ProcessId) -> Option<&ProcessHistory> {
        self.processes.iter().find(|process| process.made.id == *id)
    }

    /// The first process, once it is made.
    pub(crate) fn init(&self) -> Option<&ProcessHistory> {
        self.processes.iter().find(|process| process.made.id.is_init())
    }

    /// Whether its init has ended or will never start.
    pub(crate) fn stopped(&self) -> bool {
        self.state == ContainerState::Stopped
    }

    /// Whether it is removed without being asked for, with its bundle and its kept output, once it has ended.
    pub(crate) fn removes_itself(&self) -> bool {
        self.owner_gone || self.creating.lifetime.removal == Removal::Ended
    }

    /// The state, as clients are told it.
    pub(crate) fn status(&self) -> ContainerStatus {
        let what = &self.creating;
        let mut status = ContainerStatus::new(what.id.clone(), what.instance, what.bundle.clone(), self.created_at);
        status.run = self.run;
        status.state = self.state;
        status.started_at = self.started_at;
        status.processes = self.processes.iter().map(ProcessHistory::status).collect();
        if self.stopped() {
            // One that never ran has no exit, but is as gone as the others.
            status.processes.iter_mut().for_each(|process| process.pid = None);
        }
        status
    }

    fn mark(&mut self, id: &ProcessId, change: impl FnOnce(&mut ProcessHistory)) {
        if let Some(process) = self.processes.iter_mut().find(|process| process.made.id == *id) {
            change(process);
        }
    }

    fn exited(&mut self, id: &ProcessId, exit: &Exit) {
        if id.is_init() {
            self.state = ContainerState::Stopped;
        }
        self.mark(id, |process| process.exit = Some(exit.clone()));
        let execs = self.processes.iter().enumerate().filter(|(_, process)| !process.made.id.is_init());
        let ended: Vec<_> = execs.filter_map(|(at, process)| Some((process.exit.as_ref()?.at, at))).collect();
        // The one that has just ended is still needed, however long ago it was made.
        if ended.len() > ENDED_EXECS
            && let Some((_, oldest)) = ended.into_iter().min()
        {
            self.processes.remove(oldest);
        }
    }
}

impl ProcessHistory {
    fn new(made: Process) -> Self {
        ProcessHistory { made, started: false, stdin_closed: false, timed_out: false, exit: None }
    }

    fn status(&self) -> ProcessStatus {
        let mut status = ProcessStatus::new(self.made.id.clone(), self.made.args.clone());
        status.terminal = self.made.endpoints.terminal.is_some();
        status.stream_owner = self.made.stream_owner;
        status.stdio = Some(self.made.endpoints.stdio());
        match &self.exit {
            Some(exit) => status.state = ProcessState::Exited(exit.clone()),
            None => {
                status.pid = Some(self.made.pid);
                if self.started {
                    status.state = ProcessState::Running;
                }
            }
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Bounds, Descriptors, Lifetime, VERSION};
    use libcontainerd_core::rootfs::Rootfs;
    use libcontainerd_core::stdio::Endpoints;
    use libcontainerd_core::{ExitStatus, How, Instance};

    fn creating() -> Fact {
        Fact::Creating(Box::new(Creating {
            id: "c".parse().unwrap(),
            instance: Instance::from_bits(7),
            bundle: "/b".into(),
            rootfs: Rootfs::Directory("/".into()),
            boot: "boot".into(),
            cgroup_parent: "/p".into(),
            cgroup_name: "n".into(),
            user: None,
            lifetime: Lifetime::default(),
        }))
    }

    fn process(id: &str, number: u64) -> Process {
        Process {
            id: id.parse().unwrap(),
            number,
            pid: 10,
            start_time: 1,
            stream_owner: 0,
            args: vec!["sh".into()],
            endpoints: Endpoints::default(),
            descriptors: Descriptors::default(),
            bounds: Bounds::default(),
        }
    }

    fn history(facts: Vec<Fact>) -> History {
        let entries = facts.into_iter().enumerate().map(|(seq, fact)| {
            let at = SystemTime::UNIX_EPOCH;
            Entry::new(seq as u64, at, fact).encode().unwrap()
        });
        History::of(&entries.collect::<Vec<_>>()).unwrap().unwrap()
    }

    fn exit(code: u8) -> Exit {
        Exit::new(ExitStatus::Code(code), How::Waited, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn a_life_is_told_step_by_step() {
        let mut facts = vec![creating()];
        assert_eq!(history(facts.clone()).state, ContainerState::Creating);
        facts.push(Fact::Created(process("init", 0)));
        assert_eq!(history(facts.clone()).state, ContainerState::Created);
        facts.push(Fact::Started { run: Run::FIRST });
        facts.push(Fact::ExecCreated(process("e", 1)));
        facts.push(Fact::ExecStarted { process: "e".parse().unwrap() });
        let running = history(facts.clone());
        assert_eq!((running.state, running.next_exec), (ContainerState::Running, 2));
        assert_eq!(running.status().process(&"e".parse().unwrap()).unwrap().state, ProcessState::Running);
        facts.push(Fact::Exited { process: "e".parse().unwrap(), exit: exit(3) });
        facts.push(Fact::Exited { process: ProcessId::init(), exit: exit(7) });
        let stopped = history(facts).status();
        assert_eq!(stopped.state, ContainerState::Stopped);
        assert_eq!(stopped.exit().unwrap().status, ExitStatus::Code(7));
        assert_eq!(stopped.process(&"e".parse().unwrap()).unwrap().exit().unwrap().status, ExitStatus::Code(3));
    }

    #[test]
    fn a_failed_exec_leaves_no_trace_and_its_name_is_free() {
        let told = history(vec![
            creating(),
            Fact::Created(process("init", 0)),
            Fact::Started { run: Run::FIRST },
            Fact::ExecCreated(process("e", 1)),
            Fact::ExecFailed { process: "e".parse().unwrap() },
        ]);
        assert!(told.process(&"e".parse().unwrap()).is_none());
        assert_eq!(told.next_exec, 2);
    }

    #[test]
    fn ended_execs_are_forgotten_in_the_end() {
        let mut facts = vec![creating(), Fact::Created(process("init", 0)), Fact::Started { run: Run::FIRST }];
        for number in 1..=200 {
            let id = format!("e{number}");
            facts.push(Fact::ExecCreated(process(&id, number)));
            facts.push(Fact::Exited { process: id.parse().unwrap(), exit: exit(0) });
        }
        assert_eq!(history(facts).processes.len(), ENDED_EXECS + 1);
    }

    #[test]
    fn an_entry_of_a_later_version_is_an_error_that_says_so() {
        let entry = Entry { v: VERSION + 1, seq: 0, at: SystemTime::UNIX_EPOCH, fact: creating() };
        let error = History::of(&[entry.encode().unwrap()]).unwrap_err();
        assert!(error.to_string().contains("use the newer one"), "{error}");
    }
}
