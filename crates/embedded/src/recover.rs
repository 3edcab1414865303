//! Settling a container that nobody supervises any more, and removing what is left of one.
//!
//! For whoever holds the container's lock: a successor in the monitor's place, or the next client. What is true is
//! found out, written down, told, and only then is anything removed. Only a live container is left for a new monitor to
//! adopt. Nothing is invented: how a process ended that nobody has seen is unknown, unless the kernel still tells.
//!
//! Keeps: promise 7 of ARCHITECTURE.md: `a_container_whose_monitor_and_witness_died_is_settled`.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use libcontainerd_core::status::Evidence;
use libcontainerd_core::{ContainerId, ContainerState, Error, Exit, ExitStatus, How, Run};
use libcontainerd_durable::{Dir, tree};
use libcontainerd_engine::{Cgroup, CgroupPlace, Host};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::diary::Diary;
use crate::fault::Fault;
use crate::journal::ContainerJournal;
use crate::monitor::exits::{counters, status_of};
use crate::record::{Creating, Fact, History, ProcessHistory};
use crate::{belongings, identity, layout, lease, ledger, output_log, own_directory};

/// What is to be done with a container that was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It runs: a new monitor is to adopt it.
    Adopt,
    /// It has stopped; its journal tells all.
    Stopped,
    /// There is no container of that name any more.
    Removed,
}

/// How long a process is waited for that must be about to end.
const LAST_BREATH: Duration = Duration::from_secs(2);

/// Finds out what has become of a container without monitor and witness, whose lock the caller holds.
///
/// # Errors
/// When the journal cannot be read or understood, or something cannot be removed.
pub(crate) fn settle(state: &Dir, data: &Path, id: &ContainerId) -> Result<Settled, Error> {
    let Some(run) = open_run(state, id)? else { return Ok(Settled::Removed) };
    let mut journal = match ContainerJournal::take_over(state, &run, None) {
        Ok(journal) => journal,
        Err(Fault::NoJournal) => {
            remove_directory(state, &run, id)?;
            return Ok(Settled::Removed);
        }
        Err(fault) => return Err(fault.into()),
    };
    let history = journal.history();
    let Some(init) = history.init().filter(|_| !history.deleted) else {
        remove_all((state, &run), data, &history.creating, None)?;
        return Ok(Settled::Removed);
    };
    let fate = if history.stopped() { None } else { Some(fate_of(init, history)?) };
    if matches!(fate, Some(Fate::Alive)) {
        return Ok(Settled::Adopt);
    }
    // As long as execs are known that never ran.
    output_log::break_off(history);
    if let Some(fate) = fate {
        record_end(&mut journal, &fate);
        // Told before anything is removed.
        journal.flush(None);
    }
    clean(&mut journal)?;
    journal.flush(None);
    remove_if_lapsed(state, data, &run, journal)
}

/// Removes a container that has stopped, if that needs nobody to ask for it.
fn remove_if_lapsed(state: &Dir, data: &Path, run: &Dir, mut journal: ContainerJournal) -> Result<Settled, Error> {
    if !lease::has_lapsed(journal.history()) {
        return Ok(Settled::Stopped);
    }
    if !journal.history().removes_itself() {
        journal.record(Fact::OwnerGone);
    }
    finish(state, data, run, journal)?;
    Ok(Settled::Removed)
}

/// Removes a container that has stopped, without monitor and witness, whose lock the caller holds.
///
/// # Errors
/// When something cannot be removed; a later call goes on from there.
pub(crate) fn remove(state: &Dir, data: &Path, id: &ContainerId) -> Result<(), Error> {
    let Some(run) = open_run(state, id)? else { return Ok(()) };
    let journal = match ContainerJournal::take_over(state, &run, None) {
        Ok(journal) => journal,
        Err(Fault::NoJournal) => return Ok(remove_directory(state, &run, id)?),
        Err(fault) => return Err(fault.into()),
    };
    Ok(finish(state, data, &run, journal)?)
}

/// Removes everything that was made for a container: cgroups, layer, and its directory last. `place` is STATE and that
/// directory, as it is held; `cgroup` is it, if it is
/// open already.
///
/// # Errors
/// The act that failed; what was removed by then is gone.
pub(crate) fn remove_all(
    place: (&Dir, &Dir),
    data: &Path,
    creating: &Creating,
    cgroup: Option<Cgroup>,
) -> Result<(), Fault> {
    let cgroup = match cgroup {
        Some(cgroup) => Some(cgroup),
        None => open_cgroup(creating)?,
    };
    if let Some(cgroup) = cgroup {
        remove_cgroup(&cgroup)?;
    }
    remove_files(place, data, creating)
}

/// Removes everything that was made for a container but its cgroups, which are gone already.
///
/// # Errors
/// `Disk`; what was removed by then is gone.
pub(crate) fn remove_files((state, run): (&Dir, &Dir), data: &Path, creating: &Creating) -> Result<(), Fault> {
    remove_layer(data, &creating.instance.to_string())?;
    remove_directory(state, run, &creating.id)
}

/// Kills what is left in a container's cgroup and removes it.
///
/// # Errors
/// `Cgroup`.
pub(crate) fn remove_cgroup(cgroup: &Cgroup) -> Result<(), Fault> {
    if !cgroup.pids().map_err(Fault::Cgroup)?.is_empty() {
        cgroup.kill().map_err(Fault::Cgroup)?;
    }
    cgroup.remove().map_err(Fault::Cgroup)
}

/// Removes a container's own directory, whose lock the caller holds.
///
/// # Errors
/// `Disk`.
pub(crate) fn remove_directory(state: &Dir, run: &Dir, id: &ContainerId) -> Result<(), Fault> {
    match state.open(layout::RUN) {
        Ok(all) => own_directory::remove(&all, run, id).map_err(Fault::disk("remove the container's directory")),
        Err(error) if error.is_not_found() => Ok(()),
        Err(source) => Err(Fault::Disk { act: "open the containers' directory", source }),
    }
}

/// Whether a container's init lives, supervised or not. Looks only.
pub(crate) fn is_alive(history: &History) -> bool {
    let Some(init) = history.init().filter(|_| !history.stopped() && !history.deleted) else { return false };
    // What cannot be learned is no death.
    let is_now = identity::boot().map_or(true, |boot| boot == history.creating.boot);
    let found = || identity::stat(init.made.pid).ok().filter(|stat| stat.start_time == init.made.start_time);
    is_now && found().is_some_and(|stat| !stat.zombie)
}

/// The exit of a process that nobody of ours has reaped.
pub(crate) fn lost_exit(history: &History, status: ExitStatus, how: How) -> Exit {
    let mut exit = Exit::new(status, how, SystemTime::now());
    exit.run = history.run.max(Run::FIRST);
    exit
}

/// Removes a container that has stopped: what goes with it, then its record is told, its directory last.
fn finish(state: &Dir, data: &Path, run: &Dir, mut journal: ContainerJournal) -> Result<(), Fault> {
    if !journal.history().deleted {
        if journal.history().removes_itself() {
            belongings::remove(state, journal.history())?;
        }
        if let Err(fault) = ledger::remember(state.path(), data, journal.history()) {
            note(run, format_args!("the container will not be remembered: {}", Error::from(fault)));
        }
        journal.record(Fact::Deleted);
        journal.flush(None);
    }
    let history = journal.history();
    if history.cleaned {
        return remove_files((state, run), data, &history.creating);
    }
    remove_all((state, run), data, &history.creating, None)
}

fn note(run: &Dir, what: std::fmt::Arguments<'_>) {
    if let Ok(diary) = Diary::open(run) {
        diary.note(what);
    }
}

/// Removes the cgroups of a container that has stopped, unless that is done.
fn clean(journal: &mut ContainerJournal) -> Result<(), Fault> {
    if journal.history().cleaned {
        return Ok(());
    }
    if let Some(cgroup) = open_cgroup(&journal.history().creating)? {
        remove_cgroup(&cgroup)?;
    }
    journal.record(Fact::Cleaned);
    Ok(())
}

/// What has become of a container's init.
enum Fate {
    Alive,
    /// It is a zombie, whose parent is none of ours and does not look after it.
    Zombie(i32),
    Gone,
}

fn fate_of(init: &ProcessHistory, history: &History) -> Result<Fate, Fault> {
    if identity::boot().map_err(Fault::system("learn which boot this is"))? != history.creating.boot {
        return Ok(Fate::Gone);
    }
    let deadline = Instant::now() + LAST_BREATH;
    loop {
        let found = identity::stat(init.made.pid).ok().filter(|stat| stat.start_time == init.made.start_time);
        let lives_on = history.state != ContainerState::Created || Instant::now() > deadline;
        match found {
            None => return Ok(Fate::Gone),
            Some(stat) if stat.zombie => return Ok(Fate::Zombie(stat.wait_status)),
            Some(_) if lives_on => return Ok(Fate::Alive),
            // Nobody holds its gate any more: it is about to end.
            Some(_) => await_end(init),
        }
    }
}

fn await_end(init: &ProcessHistory) {
    if let Ok(Some(process)) = identity::open(init.made.pid, init.made.start_time) {
        let _ = crate::sys::send_signal(std::os::fd::AsFd::as_fd(&process), 9);
        let mut end = [PollFd::new(&process, PollFlags::IN)];
        let _ = poll(&mut end, Some(&Timespec { tv_sec: 1, tv_nsec: 0 }));
    }
}

/// Writes down the ends of all processes, init's last.
fn record_end(journal: &mut ContainerJournal, fate: &Fate) {
    let history = journal.history();
    let others: Vec<ProcessHistory> = (history.processes.iter())
        .filter(|process| !process.made.id.is_init() && process.exit.is_none())
        .cloned()
        .collect();
    for process in others {
        let fact = if process.started {
            let how = How::Inferred(Evidence::ContainerGone);
            let exit = lost_exit(journal.history(), ExitStatus::Unknown, how);
            Fact::Exited { process: process.made.id, exit }
        } else {
            Fact::ExecFailed { process: process.made.id }
        };
        journal.record(fact);
    }
    let (status, how) = match fate {
        Fate::Zombie(status) => (status_of(*status), How::Inferred(Evidence::ProcessDescriptor)),
        _ => (ExitStatus::Unknown, How::Unknown),
    };
    let mut exit = lost_exit(journal.history(), status, how);
    exit.counters = open_cgroup(&journal.history().creating).ok().flatten().as_ref().map(counters);
    journal.record(Fact::Exited { process: libcontainerd_core::ProcessId::init(), exit });
}

fn open_run(state: &Dir, id: &ContainerId) -> Result<Option<Dir>, Fault> {
    match state.open(layout::RUN).and_then(|containers| containers.open(id.as_str())) {
        Ok(run) => Ok(Some(run)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(source) => Err(Fault::Disk { act: "open the container's directory", source }),
    }
}

fn open_cgroup(creating: &Creating) -> Result<Option<Cgroup>, Fault> {
    let host = Host::probe().map_err(Fault::Cgroup)?;
    let place = CgroupPlace { parent: creating.cgroup_parent.clone(), name: creating.cgroup_name.clone() };
    Cgroup::open(&host, &place).map_err(Fault::Cgroup)
}

fn remove_layer(data: &Path, instance: &str) -> Result<(), Fault> {
    match Dir::open_path(data).and_then(|data| data.open(layout::OVERLAY)) {
        Ok(layers) => tree::remove(&layers, instance).map_err(Fault::disk("remove the layer of changes")),
        Err(error) if error.is_not_found() => Ok(()),
        Err(source) => Err(Fault::Disk { act: "open the directory of layers", source }),
    }
}

#[cfg(test)]
mod tests;
