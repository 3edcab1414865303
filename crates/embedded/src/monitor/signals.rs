//! Signals: by descriptor to one process, by cgroup to many.
//!
//! A pid is looked at only to open a descriptor, and what was opened is checked before it is used: so no stranger that
//! got a pid meanwhile is ever hit. SIGKILL to many is one write, against which no fork bomb can run.
//!
//! Keeps: C-31 and C-52 of SECURITY.md.

use std::collections::HashSet;
use std::os::fd::{AsFd, OwnedFd};

use libcontainerd_core::{Error, ErrorKind, ProcessId, Signal};
use libcontainerd_engine as engine;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::Monitor;
use super::exec::leaf_name;
use crate::fault::Fault;
use crate::sys;
use crate::wire::Scope;

impl Monitor<'_> {
    /// Sends a signal.
    pub(super) fn signal(&mut self, process: &ProcessId, signal: Signal, scope: Scope) -> Result<(), Error> {
        let Some(number) = self.living(process)? else {
            return Err(Error::new(ErrorKind::WrongState, "the process has ended").of(process));
        };
        match scope {
            Scope::Process => self.signal_one(number, signal),
            // With its init goes all of a container that has a pid namespace.
            Scope::Tree if number == 0 && signal == Signal::KILL => self.signal_one(number, signal),
            Scope::Tree => self.signal_leaf(number, signal),
            Scope::Everyone => self.signal_everyone(signal),
        }
    }

    /// Kills every process of the container.
    pub(super) fn kill_everyone(&mut self) {
        if self.signal_everyone(Signal::KILL).is_err() {
            let _ = self.signal_one(0, Signal::KILL);
        }
    }

    fn signal_one(&mut self, number: u64, signal: Signal) -> Result<(), Error> {
        let Some(process) = self.process_mut(number) else { return Ok(()) };
        match sys::send_signal(process.descriptor.as_fd(), signal.number()) {
            Ok(()) => Ok(()),
            Err(Errno::SRCH) => Err(Error::new(ErrorKind::WrongState, "the process has ended").of(process.id())),
            Err(errno) => {
                Err(Error::new(ErrorKind::System, "the signal cannot be sent").because(std::io::Error::from(errno)))
            }
        }
    }

    fn signal_leaf(&mut self, number: u64, signal: Signal) -> Result<(), Error> {
        let name = leaf_name(number);
        if let Some(cgroup) = &self.cgroup {
            if signal == Signal::KILL {
                cgroup.kill_leaf(&name).map_err(Fault::Cgroup)?;
            } else {
                let own = self.processes.iter().find(|process| process.number() == number);
                let own = own.map(|process| process.made.pid);
                signal_all(signal, own, || cgroup.leaf_pids(&name))?;
            }
        }
        // Itself in any case: a host without the unified hierarchy has no cgroup for it alone.
        self.signal_one(number, signal)
    }

    fn signal_everyone(&self, signal: Signal) -> Result<(), Error> {
        let Some(cgroup) = &self.cgroup else { return Ok(()) };
        if signal == Signal::KILL {
            return Ok(cgroup.kill().map_err(Fault::Cgroup)?);
        }
        signal_all(signal, None, || cgroup.pids())
    }
}

/// Sends a signal to all that are listed, both before and after they were opened, but one.
fn signal_all(
    signal: Signal,
    but: Option<u32>,
    list: impl Fn() -> Result<Vec<u32>, engine::Error>,
) -> Result<(), Error> {
    let first = list().map_err(Fault::Cgroup)?;
    let opened: Vec<(u32, OwnedFd)> = first.into_iter().filter_map(|pid| Some((pid, open(pid)?))).collect();
    let still: HashSet<u32> = list().map_err(Fault::Cgroup)?.into_iter().collect();
    for (pid, process) in opened {
        if still.contains(&pid) && Some(pid) != but {
            // That it has ended meanwhile is as good.
            let _ = sys::send_signal(process.as_fd(), signal.number());
        }
    }
    Ok(())
}

fn open(pid: u32) -> Option<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}
