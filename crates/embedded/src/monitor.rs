//! The monitor: one process that supervises one container, and is nobody's child but its witness's.
//!
//! One thread and one loop: wait until something is ready (a process's end, a report, a client, a stream, the witness's
//! death), do what it calls for without ever waiting for a peer, bring the facts to the disk, tell them, and only then
//! remove what is not needed any more. All that must outlive it is open in the table that it shares with the witness,
//! under numbers that the journal names, or is in the journal itself.
//!
//! Keeps: promises 1 to 4 of ARCHITECTURE.md, with the witness.
//! Does not know: the client side; tokio.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use libcontainerd_core::stdio::Endpoints;
use libcontainerd_engine::{Cgroup, CgroupPlace, Host};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags};

use self::chores::Chore;
use self::clients::{ClientKey, Clients};
use self::departure::Departure;
use self::leftovers::Leftovers;
use self::process::Supervised;
use crate::journal::ContainerJournal;
use crate::shared::Shared;
use crate::sys::{self, Ended, Forked};
use crate::witness;

pub(crate) mod account;
mod caller;
mod chores;
mod clients;
mod deadline;
mod departure;
mod descendants;
mod exec;
pub(crate) mod exits;
mod init;
mod keeping;
mod leftovers;
mod process;
mod relay;
mod requests;
mod signals;
mod start;
mod streams;
mod takeover;
mod traffic;
mod unread;

/// How a monitor begins.
#[derive(Debug)]
pub(crate) enum Beginning {
    /// With a container that is to be made.
    Create {
        /// What the host offers.
        host: Host,
        /// The container's journal, just begun.
        journal: Box<ContainerJournal>,
        /// Init's streams.
        endpoints: Endpoints,
        /// Who asked for it.
        connection: OwnedFd,
    },
    /// With a container of which monitor and witness are dead.
    Adopt {
        /// What the host offers.
        host: Host,
        /// Who asked for it.
        connection: OwnedFd,
    },
    /// After a monitor that died.
    Succession,
}

/// A monitor.
#[derive(Debug)]
struct Monitor<'s> {
    shared: &'s Shared,
    host: Host,
    journal: ContainerJournal,
    cgroup: Option<Cgroup>,
    /// Init and execs that have not been told to have ended.
    processes: Vec<Supervised>,
    /// What is kept for the readers of processes that have ended.
    leftovers: Leftovers,
    clients: Clients,
    witness: Witness,
    /// What is to be done once everybody knows what happened.
    chores: Vec<Chore>,
    /// Who waits for the container to be removed once its init is killed.
    deleting: Option<ClientKey>,
    /// What it waits for before it goes by itself.
    departure: Departure,
    /// Numbers of execs that have ended and whose left-overs go on.
    lingering: VecDeque<u64>,
    /// How many processes the kernel has killed for want of memory, as far as was looked.
    oom_kills: u64,
    /// The number of the next exec.
    next_exec: u64,
    /// Since when there is nothing to supervise any more.
    idle_since: Option<Instant>,
}

/// The witness, as its monitor sees it.
#[derive(Debug)]
struct Witness {
    pid: u32,
    /// The process; none where there is no witness.
    descriptor: Option<OwnedFd>,
}

/// What is ready.
#[derive(Debug, Clone, Copy)]
enum Source {
    Witness,
    Statuses,
    Listener,
    Client(ClientKey),
    Process(u64),
    Report(u64),
    Streams(u64),
    Leftover,
    Owner,
}

/// How long a monitor waits for a last request once its container has ended and nothing is held for anybody.
const LINGER: Duration = Duration::from_secs(2);
/// How long a last answer may take to be sent.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Supervises a container, in a process that was just made by the witness of that pid, and ends with it.
pub(crate) fn begin(shared: &Shared, beginning: Beginning, witness: u32) -> ! {
    shared.diary.written_by("monitor");
    let monitor = match beginning {
        Beginning::Create { host, journal, endpoints, connection } => {
            let mut monitor = Monitor::new(shared, host, *journal, Witness::of(witness));
            let asker = monitor.clients.add(connection, true);
            monitor.make_init(endpoints, asker);
            monitor
        }
        Beginning::Adopt { host, connection } => takeover::adopt(shared, host, witness, connection),
        Beginning::Succession => takeover::succeed(shared, witness),
    };
    monitor.run()
}

impl<'s> Monitor<'s> {
    fn new(shared: &'s Shared, host: Host, journal: ContainerJournal, witness: Witness) -> Self {
        let next_exec = journal.history().next_exec;
        Monitor {
            shared,
            host,
            journal,
            cgroup: None,
            processes: Vec::new(),
            leftovers: Leftovers::default(),
            clients: Clients::default(),
            witness,
            chores: Vec::new(),
            deleting: None,
            departure: Departure::default(),
            lingering: VecDeque::new(),
            oom_kills: 0,
            next_exec,
            idle_since: None,
        }
    }

    fn run(mut self) -> ! {
        loop {
            self.tell();
            self.leftovers.look(&self.shared.diary);
            self.clean_at_last();
            self.do_chores();
            self.depart_if_due();
            if self.is_over() {
                self.end();
            }
            for (source, flags) in self.wait() {
                self.dispatch(source, flags);
            }
            self.end_those_whose_time_is_up();
        }
    }

    /// Brings facts to the disk, and tells them and all answers.
    fn tell(&mut self) {
        self.journal.flush(Some(&self.shared.diary));
        self.clients.send();
        self.journal.keep_short(&self.shared.run, &self.shared.diary);
    }

    fn dispatch(&mut self, source: Source, flags: PollFlags) {
        match source {
            Source::Witness => self.become_witness(),
            Source::Statuses => self.hear_witness(),
            Source::Listener => self.clients.accept(&self.shared.listener),
            Source::Client(key) => {
                if let Some(request) = self.clients.read(key, flags) {
                    self.serve(key, request);
                }
            }
            Source::Process(number) => self.look_at(number),
            Source::Report(number) => self.hear_report(number),
            Source::Streams(number) => self.move_streams(number),
            Source::Leftover => self.leftovers.pump(&self.shared.diary),
            Source::Owner => self.owner_is_gone(),
        }
    }

    /// Waits until something is ready or due.
    fn wait(&self) -> Vec<(Source, PollFlags)> {
        let interests = self.interests();
        let mut asked: Vec<PollFd<'_>> =
            interests.iter().map(|(_, fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
        let limit = self.deadline().map(|when| {
            let left = when.saturating_duration_since(Instant::now());
            Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) }
        });
        if poll(&mut asked, limit.as_ref()).is_err() {
            return Vec::new();
        }
        let ready = interests.iter().zip(&asked).filter(|(_, asked)| !asked.revents().is_empty());
        let mut ready: Vec<_> = ready.map(|((source, ..), asked)| (*source, asked.revents())).collect();
        ready.extend(self.due_streams());
        ready
    }

    fn interests(&self) -> Vec<(Source, BorrowedFd<'_>, PollFlags)> {
        let mut interests = vec![
            (Source::Statuses, self.shared.statuses.reader().as_fd(), PollFlags::IN),
            (Source::Listener, self.shared.listener.as_fd(), PollFlags::IN),
        ];
        if let Some(witness) = &self.witness.descriptor {
            interests.push((Source::Witness, witness.as_fd(), PollFlags::IN));
        }
        interests.extend(self.departure.owner().map(|owner| (Source::Owner, owner, PollFlags::IN)));
        for process in &self.processes {
            let number = process.number();
            // A report is heard before the end of its process.
            if let Some(start) = &process.start {
                interests.push((Source::Report(number), start.report(), PollFlags::IN));
            }
            if !process.inherited {
                interests.push((Source::Process(number), process.descriptor.as_fd(), PollFlags::IN));
            }
            interests.extend(process.traffic().map(|(fd, flags)| (Source::Streams(number), fd, flags)));
        }
        interests.extend(self.leftovers.interests().map(|(fd, flags)| (Source::Leftover, fd, flags)));
        interests.extend(self.clients.interests().map(|(key, fd, flags)| (Source::Client(key), fd, flags)));
        interests
    }

    /// When to wake up although nothing is ready.
    fn deadline(&self) -> Option<Instant> {
        let streams = self.processes.iter().filter_map(Supervised::streams_due);
        let idle = self.idle_since.map(|since| since + LINGER);
        let others = [self.leftovers.deadline(), self.next_time_up(), self.departure.deadline(), idle];
        streams.chain(others.into_iter().flatten()).min()
    }

    fn process_mut(&mut self, number: u64) -> Option<&mut Supervised> {
        self.processes.iter_mut().find(|process| process.number() == number)
    }

    fn place(&self) -> CgroupPlace {
        let what = &self.journal.history().creating;
        CgroupPlace { parent: what.cgroup_parent.clone(), name: what.cgroup_name.clone() }
    }

    /// Takes the dead witness's place, and leaves the monitor's to a child that goes on from here.
    fn become_witness(&mut self) {
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
        let own = std::process::id();
        match sys::fork_sharing_descriptors() {
            Ok(Forked::Parent(monitor)) => {
                self.shared.diary.note(format_args!("the witness is dead: this process takes its place"));
                witness::watch(self.shared, monitor)
            }
            Ok(Forked::Child) => {
                self.witness = Witness::of(own);
                // What was the old witness's child is nobody's now, and what was ours is the new one's.
                self.processes.iter_mut().for_each(|process| process.inherited = false);
            }
            Err(errno) => {
                self.shared.diary.note(format_args!("the witness is dead, and no other can be made: {errno}"));
                self.witness.descriptor = None;
            }
        }
    }

    /// Whether there is nothing left to supervise, for long enough.
    fn is_over(&mut self) -> bool {
        let history = self.journal.history();
        let over = history.stopped()
            && history.cleaned
            && !self.is_to_depart()
            && self.processes.is_empty()
            && self.chores.is_empty()
            && self.leftovers.is_empty();
        if !over {
            self.idle_since = None;
            return false;
        }
        self.idle_since.get_or_insert_with(Instant::now).elapsed() >= LINGER
    }

    /// Sends what is to be said, and ends; the witness follows.
    fn end(&mut self) -> ! {
        self.tell();
        let deadline = Instant::now() + LAST_WORDS;
        while !self.clients.are_served() && Instant::now() < deadline {
            let mut asked: Vec<_> =
                (self.clients.interests()).map(|(_, fd, _)| PollFd::from_borrowed_fd(fd, PollFlags::OUT)).collect();
            let _ = poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 10_000_000 }));
            self.clients.send();
        }
        sys::exit_now(0)
    }
}

impl Witness {
    /// The witness of that pid, our parent; 0 for none.
    fn of(pid: u32) -> Witness {
        let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let descriptor = number.and_then(|number| rustix::process::pidfd_open(number, PidfdFlags::empty()).ok());
        // If it died meanwhile, somebody else may have its pid: but then it is our parent no more.
        let is_parent = rustix::process::getppid() == number;
        match descriptor {
            Some(descriptor) if is_parent => Witness { pid, descriptor: Some(descriptor) },
            _ if pid == 0 => Witness { pid, descriptor: None },
            _ => Witness { pid, descriptor: dead_process() },
        }
    }
}

/// A descriptor that is ready as that of a dead process is.
fn dead_process() -> Option<OwnedFd> {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).ok()?;
    drop(writer);
    Some(reader)
}

/// Whether the process that has ended is this one.
fn is_of(ended: &Ended, process: &Supervised) -> bool {
    ended.pid == process.made.pid
}
