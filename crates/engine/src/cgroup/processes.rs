//! The processes of a cgroup and of everything below it: listing, killing, waiting for their end.
//!
//! Decision: `cgroup.kill` where the kernel has it; without it the tree is walked again and again,
//! since a process may fork while it is read, each time through pidfds, until nothing is left.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};

use super::directory::Directory;
use crate::error::Error;

/// The file that lists a cgroup's processes.
const PROCESSES: &str = "cgroup.procs";
/// How often a tree is walked before a fork bomb is believed to win.
const WALKS: usize = 1_000;
/// Longest wait for an event before the state is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Lists the processes of a directory and of all below it.
pub(crate) fn list(directory: &Directory) -> Result<Vec<u32>, Error> {
    let mut pids = Vec::new();
    collect(directory, &mut pids)?;
    pids.sort_unstable();
    pids.dedup();
    Ok(pids)
}

fn collect(directory: &Directory, pids: &mut Vec<u32>) -> Result<(), Error> {
    let text = directory.read(PROCESSES)?.unwrap_or_default();
    pids.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
    for name in directory.children()? {
        if let Some(child) = directory.open(&name)? {
            collect(&child, pids)?;
        }
    }
    Ok(())
}

/// Kills every process of a directory and of all below it.
pub(crate) fn kill(directory: &Directory) -> Result<(), Error> {
    match directory.write("cgroup.kill", "1") {
        Ok(()) | Err(Errno::NODEV) => Ok(()),
        Err(Errno::NOENT) => kill_by_walking(directory),
        Err(errno) => Err(directory.failed("kill", "cgroup.kill", errno)),
    }
}

fn kill_by_walking(directory: &Directory) -> Result<(), Error> {
    for _ in 0..WALKS {
        let pids = list(directory)?;
        let alive = pids.iter().filter(|pid| signal(**pid) == Ok(())).count();
        if alive == 0 {
            return Ok(());
        }
        // A frozen process dies once it is thawed with the signal pending.
        let _ = directory.write("freezer.state", "THAWED");
        wait_for_one(&pids, LOOK_AGAIN);
    }
    Err(directory.failed("kill", PROCESSES, Errno::BUSY))
}

fn signal(pid: u32) -> rustix::io::Result<()> {
    rustix::process::pidfd_send_signal(open_process(pid)?, Signal::KILL)
}

fn open_process(pid: u32) -> rustix::io::Result<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    rustix::process::pidfd_open(pid.ok_or(Errno::SRCH)?, PidfdFlags::empty())
}

/// Waits until something changes in a cgroup that should become empty, at most until `deadline`;
/// `false` once that has passed.
pub(crate) fn wait_for_change(directory: &Directory, deadline: Instant) -> bool {
    let Some(left) = deadline.checked_duration_since(Instant::now()) else {
        return false;
    };
    let limit = left.min(LOOK_AGAIN);
    match directory.file("cgroup.events", OFlags::RDONLY) {
        Ok(events) => wait_for_event(&events, limit),
        Err(_) => wait_for_one(&list(directory).unwrap_or_default(), limit),
    }
    true
}

fn wait_for_event(events: &OwnedFd, limit: Duration) {
    // Reading once arms the notification.
    let _ = rustix::io::read(events, &mut [0_u8; 64]);
    let mut ready = [PollFd::new(events, PollFlags::PRI)];
    let _ = rustix::event::poll(&mut ready, timespec(limit).as_ref());
}

/// Waits for the end of one of the processes.
fn wait_for_one(pids: &[u32], limit: Duration) {
    let processes: Vec<_> = pids.iter().take(64).filter_map(|pid| open_process(*pid).ok()).collect();
    if processes.is_empty() {
        // What is left is past its end and about to leave: let it run.
        rustix::thread::sched_yield();
        return;
    }
    let mut ends: Vec<_> =
        processes.iter().map(|process| PollFd::from_borrowed_fd(process.as_fd(), PollFlags::IN)).collect();
    let _ = rustix::event::poll(&mut ends, timespec(limit).as_ref());
}

fn timespec(duration: Duration) -> Option<Timespec> {
    duration.try_into().ok()
}
