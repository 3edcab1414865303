//! How a monitor comes into the world: a fresh process that gets its task over descriptor 0.
//!
//! It is spawned, never forked: the embedding program may have threads. The process that we spawn leaves a witness
//! behind and ends at once, so that neither witness nor monitor is a child of the embedding program. The container's
//! lock goes along with the task, so that there is no moment at which nobody holds it.
//!
//! Blocks, for about a millisecond: call it where that is fine.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use libcontainerd_core::Result;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

use crate::error::Error;
use crate::hook;
use crate::wire::{self, Envelope, Request};

/// Starts a monitor from `image` with `task`, handing over `lock`; its answer comes on the returned connection.
///
/// # Errors
/// `System` or `ResourceExhausted` when it cannot be started.
pub(super) fn give_birth(image: OwnedFd, task: Request, lock: BorrowedFd<'_>) -> Result<UnixStream> {
    let frame = wire::frame(&Envelope::of(task))?;
    let (ours, theirs) = UnixStream::pair().map_err(Error::Spawn)?;
    let mut child = Command::new(format!("/proc/self/fd/{}", image.as_raw_fd()))
        .arg0(hook::NAME)
        .env_clear()
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(Error::Spawn)?;
    let sent = send(&ours, &frame, lock);
    // It ends once witness and monitor are there, or when it could not read its task.
    child.wait().map_err(Error::Spawn)?;
    sent.map_err(Error::Spawn)?;
    Ok(ours)
}

fn send(socket: &UnixStream, frame: &[u8], lock: BorrowedFd<'_>) -> io::Result<()> {
    let descriptors = [lock.as_raw_fd()];
    let mut rest = frame;
    let mut control: &[ControlMessage<'_>] = &[ControlMessage::ScmRights(&descriptors)];
    while !rest.is_empty() {
        let sent =
            sendmsg::<()>(socket.as_fd().as_raw_fd(), &[IoSlice::new(rest)], control, MsgFlags::MSG_NOSIGNAL, None);
        match sent {
            Ok(sent) => {
                rest = &rest[sent..];
                control = &[];
            }
            Err(nix::Error::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
