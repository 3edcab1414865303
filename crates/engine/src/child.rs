//! The child's way from clone to exec: system calls only, in a fixed order.
//!
//! First descriptors, cgroups and namespaces; then the file system and the terminal; then limits, user
//! and capabilities; then it says *ready* and waits at the gate; then filter and exec.
//! Decision: nothing here allocates, locks or panics, since a thread of the caller may have held any
//! lock when it was cloned; all memory was laid out by the plan. An unwinding child would run on in its
//! caller's code, so it is ended first.
//! Does not know: paths of the host, but for the root and the sources of binds, which the plan has.

mod account;
mod devices;
mod fault;
mod filesystem;
mod joins;
mod mask;
mod names;
mod procfs;
mod program;
mod target;
mod terminal;

use std::convert::Infallible;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use rustix::process::DumpableBehavior;

use crate::plan::Blueprint;
use crate::report::{self, REPORT_MAX, Stage};
use crate::sys::{self, CloneRequest, Cloned};
use fault::{Fault, Step, ToStep};

/// Ends the child should it ever unwind.
struct EndOnUnwind;

/// The exit code of a child that was not let through the gate or did not start.
const NOT_STARTED: i32 = 125;

impl Drop for EndOnUnwind {
    fn drop(&mut self) {
        sys::exit_now(NOT_STARTED);
    }
}

/// Runs the child of the first clone; never returns to the caller's code.
pub(crate) fn run(blueprint: &Blueprint) -> ! {
    let _guard = EndOnUnwind;
    let Err(fault) = begin(blueprint);
    tell(blueprint, &fault);
    sys::exit_now(NOT_STARTED)
}

fn begin(blueprint: &Blueprint) -> Step<'_, Infallible> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).at(Stage::Prepare)?;
    // What is made has the mode that is said; the process's own mask comes with its user.
    rustix::process::umask(Mode::empty());
    place_stdio(blueprint)?;
    close_others(&blueprint.keep).at(Stage::Prepare)?;
    if joins::before_the_cgroup(&blueprint.joins)? {
        step_aside(blueprint)?;
    }
    set_up(blueprint)
}

/// Goes on in a sibling, which is inside of a joined pid namespace; this process says who it is and ends.
fn step_aside(blueprint: &Blueprint) -> Step<'_, ()> {
    let request = CloneRequest {
        namespaces: blueprint.new_namespaces,
        cgroup: blueprint.birthplace.as_ref().map(AsFd::as_fd),
        sibling: true,
    };
    match sys::clone3(request).at(Stage::Namespaces)? {
        Cloned::Child => Ok(()),
        Cloned::Parent { pid, pidfd } => {
            send_descriptor(blueprint.gate.as_fd(), &pid.to_le_bytes(), pidfd.as_fd()).at(Stage::Prepare)?;
            sys::exit_now(0)
        }
    }
}

fn set_up(blueprint: &Blueprint) -> Step<'_, Infallible> {
    enter_cgroups(&blueprint.entrances)?;
    joins::in_the_cgroup(&blueprint.joins)?;
    rustix::process::setsid().at(Stage::Process)?;
    names::set(blueprint)?;
    let mut terminal = None;
    if let Some(filesystem) = &blueprint.filesystem {
        let root = filesystem::build(filesystem)?;
        terminal = terminal::make(blueprint, root.as_fd())?;
        filesystem::finish(filesystem, root)?;
    } else if blueprint.terminal.is_some() {
        let root = filesystem::own_root().at(Stage::Root)?;
        terminal = terminal::make(blueprint, root.as_fd())?;
    }
    procfs::write_all(blueprint)?;
    if let Some(terminal) = terminal {
        terminal::enter(terminal.as_fd())?;
    }
    let program = account::assume(&blueprint.process)?;
    wait_at_gate(blueprint)?;
    account::seal(&blueprint.process)?;
    program::execute(&blueprint.process, program)
}

fn place_stdio(blueprint: &Blueprint) -> Step<'_, ()> {
    for (target, descriptor) in (0..).zip(&blueprint.stdio) {
        sys::duplicate_onto(descriptor.as_fd(), target).at(Stage::Stdio)?;
    }
    Ok(())
}

/// Closes every descriptor but the standard ones and those of the list, which is sorted.
fn close_others(keep: &[u32]) -> rustix::io::Result<()> {
    let mut first = 3;
    for kept in keep {
        if first < *kept {
            sys::close_range(first, *kept - 1)?;
        }
        first = *kept + 1;
    }
    sys::close_range(first, u32::MAX)
}

fn enter_cgroups(entrances: &[OwnedFd]) -> Step<'static, ()> {
    for entrance in entrances {
        rustix::io::write(entrance, b"0").at(Stage::Cgroup)?;
    }
    Ok(())
}

fn wait_at_gate(blueprint: &Blueprint) -> Step<'_, ()> {
    rustix::io::write(&blueprint.report, &report::READY).at(Stage::Prepare)?;
    let mut byte = [0_u8; 1];
    loop {
        match rustix::net::recv(&blueprint.gate, &mut byte[..], RecvFlags::empty()) {
            Ok((1, _)) => return Ok(()),
            Err(Errno::INTR) => {}
            _ => sys::exit_now(NOT_STARTED),
        }
    }
}

/// Sends a descriptor with a few bytes beside it.
fn send_descriptor(socket: BorrowedFd<'_>, bytes: &[u8], descriptor: BorrowedFd<'_>) -> rustix::io::Result<()> {
    let descriptors = [descriptor];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(Errno::NOBUFS);
    }
    let bytes = [std::io::IoSlice::new(bytes)];
    rustix::net::sendmsg(socket, &bytes, &mut control, SendFlags::NOSIGNAL).map(drop)
}

fn tell(blueprint: &Blueprint, fault: &Fault<'_>) {
    let mut buffer = [0; REPORT_MAX];
    let path = fault.path.map_or(&[][..], std::ffi::CStr::to_bytes);
    let errno = fault.errno.raw_os_error();
    let length = report::encode_failure(&mut buffer, fault.stage, errno, path);
    if let Some(bytes) = buffer.get(..length) {
        let _ = rustix::io::write(&blueprint.report, bytes);
    }
}
