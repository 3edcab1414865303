//! The clone, as the caller sees it.
//!
//! Decision: a process that must be born inside of a joined pid namespace comes from a child that only
//! joins, clones a sibling (`CLONE_PARENT`) and ends; so the caller is the parent of what stays, and
//! gets its pidfd over the gate's socket.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use rustix::process::{WaitId, WaitIdOptions};

use super::{Blueprint, prepare};
use crate::child;
use crate::error::Error;
use crate::report::{Report, Stage, StartFailure};
use crate::spawned::Spawned;
use crate::sys::{self, CloneRequest, Cloned};

/// Clones a child that carries the blueprint out.
pub(super) fn spawn(blueprint: Blueprint, report: OwnedFd, gate: OwnedFd) -> Result<Spawned, Error> {
    let two_clones = blueprint.has_two_clones();
    let request = CloneRequest {
        namespaces: if two_clones { 0 } else { blueprint.new_namespaces },
        cgroup: blueprint.birthplace.as_ref().filter(|_| !two_clones).map(AsFd::as_fd),
        sibling: false,
    };
    let blocked = sys::block_signals();
    let cloned = sys::clone3(request);
    let (pid, pidfd) = match cloned {
        Ok(Cloned::Child) => child::run(&blueprint),
        Ok(Cloned::Parent { pid, pidfd }) => (pid, pidfd),
        Err(errno) => {
            return Err(Error::Clone { source: errno.into() });
        }
    };
    drop(blocked);
    let has_terminal = blueprint.terminal.is_some();
    drop(blueprint);
    let mut spawned = Spawned::new(pid, pidfd, report, gate, has_terminal);
    if two_clones {
        find_sibling(&mut spawned)?;
    }
    Ok(spawned)
}

/// Takes the sibling's number and descriptor in, and the messenger's end.
fn find_sibling(spawned: &mut Spawned) -> Result<(), Error> {
    let messenger = WaitId::PidFd(spawned.pidfd.as_fd());
    let waited = rustix::io::retry_on_intr(|| rustix::process::waitid(messenger.clone(), WaitIdOptions::EXITED));
    match waited {
        // Somebody else of the caller's reaps all its children; then it has ended too.
        Ok(_) | Err(Errno::CHILD) => {}
        Err(errno) => return Err(prepare("await the messenger")(errno)),
    }
    match receive_process(spawned).map_err(prepare("receive the process"))? {
        Some((pid, pidfd)) => {
            spawned.pidfd = pidfd;
            spawned.pid = pid;
            Ok(())
        }
        None => Err(Error::Start(match spawned.next_report()? {
            Some(Report::Failed(failure)) => failure,
            _ => StartFailure::new(Stage::Died, 0),
        })),
    }
}

/// Receives what the messenger has said before it ended. The sibling runs already, and its terminal
/// may have come first.
fn receive_process(spawned: &mut Spawned) -> rustix::io::Result<Option<(u32, OwnedFd)>> {
    loop {
        match receive(spawned.gate.as_fd(), RecvFlags::DONTWAIT) {
            Ok(Some(Message::Process { pid, pidfd })) => return Ok(Some((pid, pidfd))),
            Ok(Some(Message::Terminal(master))) => spawned.terminal = Some(master),
            Ok(None) | Err(Errno::AGAIN) => return Ok(None),
            Err(errno) => return Err(errno),
        }
    }
}

/// A descriptor that came through the gate's socket.
pub(crate) enum Message {
    /// Four bytes and a pidfd: the process that stays.
    Process { pid: u32, pidfd: OwnedFd },
    /// One byte and the master of the terminal.
    Terminal(OwnedFd),
}

/// Receives one message; `None` where the other side has ended.
pub(crate) fn receive(socket: BorrowedFd<'_>, flags: RecvFlags) -> rustix::io::Result<Option<Message>> {
    let mut bytes = [0_u8; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = flags | RecvFlags::CMSG_CLOEXEC;
    let received = rustix::io::retry_on_intr(|| {
        rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags)
    })?;
    let descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    Ok(descriptors.last().map(|descriptor| match received.bytes {
        4 => Message::Process { pid: u32::from_le_bytes(bytes), pidfd: descriptor },
        _ => Message::Terminal(descriptor),
    }))
}
