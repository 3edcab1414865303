//! Monitors and witnesses whose container's directory is gone: nobody can reach them any more.
//!
//! Ours is a process in our own cgroup for monitors that runs under a monitor's name and holds the lock of a directory
//! below our STATE. That the lock's file is removed is also true of one that is just about to end: it is given time.
//! A monitor follows on its witness and the other way round, so that they are ended until none is left.
//!
//! Keeps: C-31 of SECURITY.md: looked at and killed through the same descriptor.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use libcontainerd_core::ports::runtime::Swept;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::Broom;
use crate::hook;
use crate::layout;

/// How long a monitor without a directory may take to its end.
const END: Duration = Duration::from_secs(3);
/// How often it is looked at meanwhile.
const GLANCE: Duration = Duration::from_millis(20);
/// The cgroup that monitors share, below our parent.
const MONITORS: &str = "monitors";

impl Broom<'_> {
    /// Names, and ends, monitors and witnesses that nobody can reach.
    pub(super) fn sweep_strays(&mut self) {
        let mut strays = self.strays();
        let deadline = Instant::now() + END;
        while !strays.is_empty() && Instant::now() < deadline {
            std::thread::sleep(GLANCE);
            strays = self.strays();
        }
        let first = self.swept.len();
        self.swept.extend(strays.iter().map(|(pid, _)| Swept::new("process", pid.to_string())));
        let deadline = Instant::now() + END;
        while self.removes && !strays.is_empty() && Instant::now() < deadline {
            for (_, process) in &strays {
                // That it has ended already is as good.
                let _ = pidfd_send_signal(process.as_fd(), Signal::KILL);
            }
            std::thread::sleep(GLANCE);
            strays = self.strays();
        }
        if self.removes && !strays.is_empty() {
            for swept in &mut self.swept[first..] {
                swept.failed = Some("it was killed and does not end".to_owned());
            }
        }
    }

    fn strays(&self) -> Vec<(u32, OwnedFd)> {
        let monitors = self.cgroups.get(MONITORS).into_iter().flatten();
        let lists = monitors.filter_map(|path| fs::read_to_string(path.join("cgroup.procs")).ok());
        let pids: Vec<u32> = lists.flat_map(|list| pids(&list)).collect();
        pids.into_iter().filter_map(|pid| self.stray(pid).map(|process| (pid, process))).collect()
    }

    /// The process of that pid, if it is a monitor or witness of ours without a directory.
    fn stray(&self, pid: u32) -> Option<OwnedFd> {
        let number = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        // Opened before it is looked at: what is seen then is what is opened.
        let process = pidfd_open(number, PidfdFlags::empty()).ok()?;
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let is_monitor = arguments.split(|byte| *byte == 0).next() == Some(hook::NAME.as_bytes());
        (is_monitor && self.holds_a_lock_that_is_gone(pid)).then_some(process)
    }

    fn holds_a_lock_that_is_gone(&self, pid: u32) -> bool {
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        let run = self.inner.run.path();
        descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()).any(|target| {
            let below = target.strip_prefix(run).ok().and_then(|below| below.to_str());
            let gone = below.and_then(|below| below.strip_suffix(" (deleted)")?.strip_suffix(layout::LOCK));
            gone.and_then(|id| id.strip_suffix('/')).is_some_and(|id| !id.contains('/'))
        })
    }
}

fn pids(list: &str) -> Vec<u32> {
    list.lines().filter_map(|line| line.parse().ok()).collect()
}
