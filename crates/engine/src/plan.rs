//! Everything about a process that can be known before it exists.
//!
//! [`Plan::init`] and [`Plan::exec`] turn a request into a [`Blueprint`]: open descriptors, C strings
//! and numbers, in the order in which the child needs them. [`Plan::spawn`] clones.
//! Decision: the spec is read here and nowhere else; the child knows no spec.

mod blueprint;
mod filesystem;
mod namespaces;
mod process;
mod spawn;

pub(crate) use spawn::{Message, receive};

use std::ffi::{CString, OsStr};
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use oci_spec::runtime::LinuxNamespaceType;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::pipe::PipeFlags;
use rustix::termios::Winsize;

use crate::cgroup::{Cgroup, INIT_LEAF, Leaf};
use crate::error::Error;
use crate::host::Host;
pub(crate) use crate::mounts::Place;
use crate::request::{ExecRequest, InitRequest, Stdio};
use crate::spawned::Spawned;
use crate::spec;

pub(crate) use blueprint::{
    Blueprint, DevicePlan, FilesystemPlan, Joins, LinkPlan, ProcFile, ProcessPlan, RootPlan, TerminalPlan, UpperPlan,
};

/// A process that is parsed, resolved and allocated, and not yet made.
pub struct Plan {
    blueprint: Blueprint,
    report: OwnedFd,
    gate: OwnedFd,
}

impl Plan {
    /// Plans the first process of a container.
    ///
    /// # Errors
    /// [`Error::Unsupported`] and [`Error::Invalid`] name the field of the spec; others name the path.
    pub fn init(host: &Host, request: InitRequest<'_>) -> Result<Plan, Error> {
        let spec = request.spec;
        spec::check_spec(spec, None)?;
        let process = spec.process().as_ref();
        let process = process.ok_or_else(|| Error::invalid("process", "it is missing"))?;
        let namespaces = namespaces::plan(spec)?;
        let filesystem = filesystem::plan(host, &request, &namespaces)?;
        let root = open_root(filesystem::directory(&request.root))?;
        let process = process::plan(host, spec, process, request.user, root.as_fd())?;
        let leaf = request.cgroup.leaf(INIT_LEAF)?;
        let (mut blueprint, report, gate) = begin(&request.stdio, request.cgroup, &leaf, process)?;
        blueprint.hostname = spec.hostname().clone().map(String::into_bytes);
        blueprint.domainname = spec.domainname().clone().map(String::into_bytes);
        blueprint.sysctls = process::sysctls(spec)?;
        blueprint.new_namespaces = namespaces.new;
        blueprint.new_cgroup_namespace = namespaces.new_cgroup;
        blueprint.loopback = namespaces.is_new(LinuxNamespaceType::Network);
        blueprint.joins = namespaces.joins();
        blueprint.process.make_working_directory = true;
        blueprint.process.keyring = Some(c_string(format!("_ses.{}", request.id).as_ref(), "id")?);
        if let Some(terminal) = &mut blueprint.terminal {
            terminal.console = Some(Place::own(c"dev/console".into(), false));
        }
        blueprint.filesystem = Some(filesystem);
        Ok(Plan::new(blueprint, report, gate))
    }

    /// Plans one more process in a running container.
    ///
    /// # Errors
    /// As [`Plan::init`]; [`Error::Open`] where the container's init is gone.
    pub fn exec(host: &Host, request: ExecRequest<'_>) -> Result<Plan, Error> {
        spec::check_process(request.process)?;
        let root = open_root(Path::new(&format!("/proc/{}/root", request.init_pid)))?;
        // The number could be somebody else's by now, the descriptor never is.
        check_alive(request.init, request.init_pid)?;
        let process = process::plan(host, request.spec, request.process, request.user, root.as_fd())?;
        let (mut blueprint, report, gate) = begin(&request.stdio, request.cgroup, request.leaf, process)?;
        blueprint.joins = namespaces::of_process(request.init)?;
        Ok(Plan::new(blueprint, report, gate))
    }

    /// Makes the process, as a child of the caller; it sets itself up and waits at the gate.
    ///
    /// # Errors
    /// [`Error::Clone`] where the kernel refuses; [`Error::Start`] where joining failed at once.
    pub fn spawn(self) -> Result<Spawned, Error> {
        spawn::spawn(self.blueprint, self.report, self.gate)
    }
}

impl Plan {
    fn new(mut blueprint: Blueprint, report: OwnedFd, gate: OwnedFd) -> Self {
        blueprint.note_what_to_keep();
        Self { blueprint, report, gate }
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("program", &self.blueprint.process.name).finish_non_exhaustive()
    }
}

/// A string for the kernel.
pub(crate) fn c_string(text: &OsStr, field: &str) -> Result<CString, Error> {
    CString::new(text.as_bytes()).map_err(|_| Error::Nul { field: field.to_owned() })
}

/// Starts a blueprint with what init and exec have in common; gives the caller's ends of the report
/// and the gate beside it.
fn begin(
    stdio: &Stdio<'_>,
    cgroup: &Cgroup,
    leaf: &Leaf,
    process: ProcessPlan,
) -> Result<(Blueprint, OwnedFd, OwnedFd), Error> {
    let (report, report_end) = make_report()?;
    let (gate, gate_end) = make_gate()?;
    let birthplace = leaf.birthplace().map(duplicate).transpose()?;
    let entrances = cgroup.entrances(leaf)?.into_iter().map(above_stdio);
    let blueprint = Blueprint {
        keep: Vec::new(),
        report: above_stdio(report_end)?,
        gate: above_stdio(gate_end)?,
        stdio: plan_stdio(stdio)?,
        terminal: plan_terminal(stdio, &process),
        entrances: entrances.collect::<Result<_, _>>()?,
        birthplace,
        joins: Joins::None,
        new_namespaces: 0,
        new_cgroup_namespace: false,
        hostname: None,
        domainname: None,
        loopback: false,
        sysctls: Vec::new(),
        filesystem: None,
        process,
    };
    Ok((blueprint, report, gate))
}

/// Makes the report's pipe; only the caller's end does not block.
fn make_report() -> Result<(OwnedFd, OwnedFd), Error> {
    let ends = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(prepare("make a pipe for the report"))?;
    rustix::fs::fcntl_setfl(&ends.0, OFlags::NONBLOCK).map_err(prepare("set up the report"))?;
    Ok(ends)
}

/// Makes the gate, which keeps messages apart.
fn make_gate() -> Result<(OwnedFd, OwnedFd), Error> {
    let kind = SocketType::SEQPACKET;
    rustix::net::socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)
        .map_err(prepare("make a socket for the gate"))
}

fn plan_stdio(stdio: &Stdio<'_>) -> Result<[OwnedFd; 3], Error> {
    match stdio {
        Stdio::Descriptors { stdin, stdout, stderr } => {
            Ok([duplicate(*stdin)?, duplicate(*stdout)?, duplicate(*stderr)?])
        }
        Stdio::Terminal { .. } => {
            // Until the terminal is there, the three are nothing.
            let flags = OFlags::RDWR | OFlags::CLOEXEC;
            let null = rustix::fs::open(c"/dev/null", flags, Mode::empty()).map_err(prepare("open /dev/null"))?;
            Ok([duplicate(null.as_fd())?, duplicate(null.as_fd())?, duplicate(null.as_fd())?])
        }
    }
}

fn plan_terminal(stdio: &Stdio<'_>, process: &ProcessPlan) -> Option<TerminalPlan> {
    match *stdio {
        Stdio::Descriptors { .. } => None,
        Stdio::Terminal { columns, rows } => Some(TerminalPlan {
            size: Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 },
            owner: process.identity.uid,
            console: None,
        }),
    }
}

/// A duplicate that the child's standard streams can never fall onto.
fn duplicate(descriptor: BorrowedFd<'_>) -> Result<OwnedFd, Error> {
    rustix::io::fcntl_dupfd_cloexec(descriptor, 3).map_err(prepare("duplicate a descriptor"))
}

/// The descriptor itself, or a duplicate where a caller without standard streams got a low number.
fn above_stdio(descriptor: OwnedFd) -> Result<OwnedFd, Error> {
    if descriptor.as_raw_fd() > 2 { Ok(descriptor) } else { duplicate(descriptor.as_fd()) }
}

fn open_root(path: &Path) -> Result<OwnedFd, Error> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| Error::Open {
        role: "root",
        path: path.to_owned(),
        source: errno.into(),
    })
}

/// Makes sure that a process had not ended when its number was used: until then it is its number.
fn check_alive(pidfd: BorrowedFd<'_>, pid: u32) -> Result<(), Error> {
    let mut ended = [PollFd::from_borrowed_fd(pidfd, PollFlags::IN)];
    let now = Timespec::default();
    match rustix::event::poll(&mut ended, Some(&now)) {
        Ok(0) => Ok(()),
        answer => Err(Error::Open {
            role: "init process",
            path: format!("/proc/{pid}").into(),
            source: answer.err().unwrap_or(Errno::SRCH).into(),
        }),
    }
}

fn prepare(act: &'static str) -> impl Fn(Errno) -> Error {
    move |errno| Error::Prepare { act, source: errno.into() }
}
