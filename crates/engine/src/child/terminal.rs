//! The container's own terminal: a pair from its own devpts, the master sent to the caller.
//!
//! Decision: no name is ever looked up for the slave. The master comes from the `ptmx` of a file system
//! that says it is devpts, the slave from the master (`TIOCGPTPEER`), and `/dev/console` is a clone of
//! the slave's mount, moved by descriptor (C-4).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, OpenTreeFlags};
use rustix::process::Uid;
use rustix::pty::OpenptFlags;

use super::fault::{Step, ToStep};
use super::{send_descriptor, target};
use crate::plan::{Blueprint, TerminalPlan};
use crate::report::Stage;
use crate::sys;

const DEVPTS_MAGIC: i64 = 0x1cd1;

/// Makes the terminal that the plan asks for and sends its master away; gives the slave.
pub(super) fn make<'plan>(blueprint: &'plan Blueprint, root: BorrowedFd<'_>) -> Step<'plan, Option<OwnedFd>> {
    let Some(terminal) = &blueprint.terminal else {
        return Ok(None);
    };
    let (master, slave) = open_pair(root).about(Stage::Terminal, c"/dev/pts/ptmx")?;
    dress(terminal, &master, &slave).at(Stage::Terminal)?;
    if let Some(console) = &terminal.console {
        let place = target::find_or_make(root, console).about(Stage::Terminal, &console.path)?;
        bind(&slave, &place).about(Stage::Terminal, &console.path)?;
    }
    send_descriptor(blueprint.gate.as_fd(), &[0], master.as_fd()).at(Stage::Terminal)?;
    Ok(Some(slave))
}

/// Makes the terminal the session's own and the three standard streams.
pub(super) fn enter(slave: BorrowedFd<'_>) -> Step<'static, ()> {
    rustix::process::ioctl_tiocsctty(slave).at(Stage::Terminal)?;
    for target in 0..3 {
        sys::duplicate_onto(slave, target).at(Stage::Terminal)?;
    }
    Ok(())
}

fn open_pair(root: BorrowedFd<'_>) -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    // Handle first: opening a device of unknown origin could do anything.
    let handle = target::open(root, c"dev/pts", OFlags::PATH | OFlags::DIRECTORY, false)?;
    check_devpts(&handle)?;
    let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let master = rustix::fs::openat(&handle, c"ptmx", flags, Mode::empty())?;
    check_devpts(&master)?;
    rustix::pty::unlockpt(&master)?;
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags)?;
    check_devpts(&slave)?;
    Ok((master, slave))
}

fn check_devpts(descriptor: &OwnedFd) -> rustix::io::Result<()> {
    if rustix::fs::fstatfs(descriptor)?.f_type as i64 == DEVPTS_MAGIC { Ok(()) } else { Err(Errno::NOTTY) }
}

fn dress(terminal: &TerminalPlan, master: &OwnedFd, slave: &OwnedFd) -> rustix::io::Result<()> {
    rustix::termios::tcsetwinsize(master, terminal.size)?;
    rustix::fs::fchown(slave, Some(Uid::from_raw(terminal.owner)), None)
}

fn bind(slave: &OwnedFd, place: &OwnedFd) -> rustix::io::Result<()> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    let clone = rustix::mount::open_tree(slave, c"", flags)?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(&clone, c"", place, c"", flags)
}
