//! How a process that was started as a monitor becomes one: from an image with a task to a witness with a monitor.
//!
//! It sheds what it has from its caller: descriptors, signals, session, directory, umask, cgroups. Then it reads its
//! task, leaves a child of its own behind and ends, so that the child is nobody's; that child is the witness, and its
//! first own child the monitor. Everything before the split is single-threaded and holds nothing but its task.
//!
//! Keeps: C-28 and C-44 of SECURITY.md on this side.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use libcontainerd_core::Error as CoreError;
use libcontainerd_core::stdio::Endpoints;
use libcontainerd_durable::{Dir, journal};
use libcontainerd_engine::{CgroupPlace, Host, adopt_monitor_place, monitor_birthplace};
use rustix::fs::{Mode, OFlags};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags};

use crate::diary::{self, Diary};
use crate::fault::Fault;
use crate::journal::ContainerJournal;
use crate::layout;
use crate::monitor::{Beginning, account};
use crate::record::{Creating, History};
use crate::shared::{Container, Shared, Statuses, listen};
use crate::sys::{self, Forked};
use crate::wire::{self, Adopt, Answer, Envelope, Failure, Launch, Request, Version};
use crate::{identity, recover, witness};

/// What a new monitor is told over the descriptor that it is born with.
struct Task {
    connection: OwnedFd,
    lock: OwnedFd,
    request: Request,
    /// What the host offers, if it is known yet.
    host: Option<Host>,
    /// `oom_score_adj` of whoever started us: what the container's processes get unless the spec says another.
    oom_score_adj: i32,
}

const OOM_SCORE_ADJ: &str = "/proc/self/oom_score_adj";
/// The most bytes that are read at once of a task.
const CHUNK: usize = 64 * 1024;

/// Becomes the monitor that this process was started for.
pub(crate) fn be_born() -> ! {
    shed();
    let oom_score_adj = hide_from_oom();
    let Some((connection, (request, lock))) = take_connection().and_then(|connection| {
        let task = receive(&connection)?;
        Some((connection, task))
    }) else {
        sys::exit_now(2)
    };
    let (host, birthplace) = birthplace(&request).unzip();
    let birthplace = birthplace.flatten();
    match sys::fork(birthplace.as_ref().map(AsFd::as_fd)) {
        Ok(Forked::Child) => {
            drop(birthplace);
            supervise(Task { connection, lock, request, host, oom_score_adj })
        }
        Ok(Forked::Parent(_)) => sys::exit_now(0),
        Err(_) => sys::exit_now(1),
    }
}

/// The cgroup for monitors, to be born in: in the unified hierarchy a process that moves waits for milliseconds.
fn birthplace(request: &Request) -> Option<(Host, Option<OwnedFd>)> {
    let Request::Create(launch) = request else { return None };
    let host = Host::probe().ok()?;
    let place = CgroupPlace { parent: launch.cgroup_parent.clone(), name: launch.cgroup_name.clone() };
    let birthplace = monitor_birthplace(&host, &place).ok().flatten();
    Some((host, birthplace))
}

/// Sheds what came from the caller.
fn shed() {
    // Numbers from 3 on are the caller's; nothing of ours is open yet.
    sys::close_range(3, u32::MAX);
    sys::reset_signals();
    diary::note_panics();
    let _ = rustix::process::chdir("/");
    rustix::process::umask(Mode::from_raw_mode(0o077));
    let _ = rustix::process::setsid();
}

/// Makes the kernel kill others first, as far as it lets us, and returns what was before.
fn hide_from_oom() -> i32 {
    let before = std::fs::read_to_string(OOM_SCORE_ADJ).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let _ = std::fs::write(OOM_SCORE_ADJ, "-1000");
    before
}

/// Moves the connection away from descriptor 0, where /dev/null belongs.
fn take_connection() -> Option<OwnedFd> {
    let connection = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3).ok()?;
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).ok()?;
    rustix::stdio::dup2_stdin(&null).ok()?;
    Some(connection)
}

/// Reads the task, and the lock that comes with its first byte.
fn receive(connection: &OwnedFd) -> Option<(Request, OwnedFd)> {
    let (mut bytes, mut lock) = (Vec::new(), None);
    let mut whole = None;
    while whole.is_none_or(|whole| bytes.len() < whole) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let at = bytes.len();
        bytes.resize(at + CHUNK, 0);
        let mut parts = [IoSliceMut::new(&mut bytes[at..])];
        let received = rustix::io::retry_on_intr(|| {
            rustix::net::recvmsg(connection, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)
        });
        let count = received.ok().map(|received| received.bytes).filter(|count| *count > 0)?;
        bytes.truncate(at + count);
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                lock = descriptors.last().or(lock);
            }
        }
        if let Some(head) = bytes.first_chunk::<4>() {
            whole = Some(4 + wire::body_length(*head).ok()?);
        }
    }
    let task = bytes.get(4..)?;
    if serde_json::from_slice::<Version>(task).ok()?.v > wire::VERSION {
        tell_failure(connection, Fault::TooOld);
        return None;
    }
    Some((serde_json::from_slice::<Envelope>(task).ok()?.request, lock?))
}

/// Goes on as the witness.
fn supervise(task: Task) -> ! {
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    let Task { connection, lock, request, host, oom_score_adj } = task;
    let fault = match request {
        Request::Create(launch) => match prepare(*launch, host, lock, oom_score_adj) {
            Ok((shared, beginning)) => witness::begin(&shared, beginning(connection)),
            Err(fault) => fault,
        },
        Request::Adopt(adopt) => match prepare_adoption(*adopt, lock, oom_score_adj) {
            Ok((shared, host)) => witness::begin(&shared, Beginning::Adopt { host, connection }),
            Err(fault) => fault,
        },
        _ => sys::exit_now(2),
    };
    tell_failure(&connection, fault);
    sys::exit_now(1)
}

type MakeBeginning = Box<dyn FnOnce(OwnedFd) -> Beginning>;

/// Prepares for a new container; after an error nothing of it is left.
fn prepare(
    launch: Launch,
    host: Option<Host>,
    lock: OwnedFd,
    oom_score_adj: i32,
) -> Result<(Shared, MakeBeginning), Fault> {
    let (state, run) = open_directories(&launch.state, launch.id.as_str())?;
    let id = launch.id.clone();
    let held = || Fault::disk("hold the container's directory");
    let remains = (state.try_clone().map_err(held())?, run.try_clone().map_err(held())?);
    let prepared = prepare_in(launch, host, lock, oom_score_adj, (state, run));
    if prepared.is_err() {
        let _ = recover::remove_directory(&remains.0, &remains.1, &id);
    }
    prepared
}

fn prepare_in(
    launch: Launch,
    host: Option<Host>,
    lock: OwnedFd,
    oom_score_adj: i32,
    (state, run): (Dir, Dir),
) -> Result<(Shared, MakeBeginning), Fault> {
    let creating = Creating {
        id: launch.id.clone(),
        instance: launch.instance,
        bundle: launch.bundle,
        rootfs: launch.rootfs,
        boot: identity::boot().map_err(Fault::system("learn which boot this is"))?,
        cgroup_parent: launch.cgroup_parent,
        cgroup_name: launch.cgroup_name,
        user: launch.user.clone(),
        lifetime: launch.lifetime,
    };
    let mut container =
        Container { id: launch.id, instance: launch.instance, data: launch.data, spec: launch.spec, user: launch.user };
    let endpoints = launch.endpoints;
    complete(&mut container, Some(&endpoints), oom_score_adj)?;
    let shared = share(container, state, run, lock)?;
    let host = leave_cgroups(host, &shared, &creating)?;
    let journal = ContainerJournal::create(&shared.state, &shared.run, creating)?;
    let beginning = move |connection| Beginning::Create { host, journal: Box::new(journal), endpoints, connection };
    Ok((shared, Box::new(beginning)))
}

fn prepare_adoption(adopt: Adopt, lock: OwnedFd, oom_score_adj: i32) -> Result<(Shared, Host), Fault> {
    let (state, run) = open_directories(&adopt.state, adopt.id.as_str())?;
    let spec = run.read(layout::SPEC, wire::LONGEST_FRAME as u64).map_err(Fault::disk("read the container's spec"))?;
    let replay = journal::read(&run, layout::JOURNAL).map_err(Fault::disk("read the journal"))?;
    let creating = History::of(&replay.records)?.ok_or(Fault::NoJournal)?.creating;
    let spec = serde_json::from_slice(&spec)?;
    let user = creating.user.clone();
    let mut container = Container { id: adopt.id, instance: creating.instance, data: adopt.data, spec, user };
    complete(&mut container, None, oom_score_adj)?;
    let shared = share(container, state, run, lock)?;
    let host = leave_cgroups(None, &shared, &creating)?;
    Ok((shared, host))
}

fn open_directories(state: &Path, id: &str) -> Result<(Dir, Dir), Fault> {
    let state = Dir::open_path(state).map_err(Fault::disk("open the state directory"))?;
    let run = state.open(layout::RUN).and_then(|run| run.open(id));
    Ok((state, run.map_err(Fault::disk("open the container's directory"))?))
}

fn share(container: Container, state: Dir, run: Dir, lock: OwnedFd) -> Result<Shared, Fault> {
    let diary = Diary::open(&run).map_err(Fault::system("open the log"))?;
    let listener = listen(&run)?;
    let statuses = Statuses::new().map_err(Fault::system("make a pipe"))?;
    Ok(Shared { container, state, run, lock, diary, listener, statuses })
}

/// Leaves the caller's cgroups, whose manager would kill us with them.
fn leave_cgroups(host: Option<Host>, shared: &Shared, creating: &Creating) -> Result<Host, Fault> {
    let host = match host {
        Some(host) => host,
        None => Host::probe().map_err(Fault::Cgroup)?,
    };
    let place = CgroupPlace { parent: creating.cgroup_parent.clone(), name: creating.cgroup_name.clone() };
    match adopt_monitor_place(&host, &place) {
        Ok(true) => {}
        Ok(false) => shared.diary.note(format_args!("we stay in our caller's cgroups: we may not leave them")),
        Err(error) => shared.diary.note(format_args!("we stay in our caller's cgroups: {error}")),
    }
    Ok(host)
}

/// Fills up what the spec's process leaves to us: its user if that is numbers, its terminal, and the `oom_score_adj` of
/// the caller instead of the one that protects us.
fn complete(container: &mut Container, endpoints: Option<&Endpoints>, oom_score_adj: i32) -> Result<(), Fault> {
    let user = container.user.clone();
    let Some(process) = container.spec.process_mut() else { return Err(Fault::NoProcess) };
    if process.oom_score_adj().is_none() {
        process.set_oom_score_adj(Some(oom_score_adj));
    }
    if let Some(endpoints) = endpoints {
        process.set_terminal(Some(endpoints.terminal.is_some()));
    }
    account::take_on(process, user.as_ref()).map(drop)
}

fn tell_failure(connection: &OwnedFd, fault: Fault) {
    let error = CoreError::from(fault);
    if let Ok(frame) = wire::frame(&Answer::Failed(Failure::from(&error))) {
        let _ = rustix::net::send(connection, &frame, SendFlags::NOSIGNAL);
    }
}
