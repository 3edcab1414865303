//! Further processes in a running container.
//!
//! What an exec does not say is as in the container's own spec. Each has a cgroup of its own beside init's, so that it
//! can be killed with all that it started; a failed one leaves nothing, not even an entry that lasts.

use std::os::fd::{AsFd, AsRawFd};
use std::str::FromStr;

use libcontainerd_core::process::NewProcess;
use libcontainerd_core::stdio::Endpoints;
use libcontainerd_core::{ContainerState, Error, ErrorKind, ProcessId};
use libcontainerd_engine::identity::UserRequest;
use libcontainerd_engine::{ExecRequest, Plan, Spawned};
use oci_spec::runtime::{Capabilities, Capability, LinuxCapabilities, Process};

use super::caller::Caller;
use super::clients::ClientKey;
use super::init::{named, open_root, stdio};
use super::keeping::Keeper;
use super::process::Supervised;
use super::streams::{Ends, Streams};
use super::{Monitor, account, deadline};
use crate::fault::Fault;

impl Monitor<'_> {
    /// Begins to start a further process; the answer follows once its program runs.
    pub(super) fn exec(&mut self, key: ClientKey, process: ProcessId, what: &NewProcess, endpoints: Endpoints) {
        // Asked for again, after the monitor that was asked first has died: it must not run twice.
        let begun = self.processes.iter_mut().find(|other| *other.id() == process && other.goes_on_for_nobody());
        if let Some(begun) = begun {
            begun.asker = Some(key);
            return;
        }
        let number = self.next_exec;
        let begun = self.may_exec(&process).and_then(|()| {
            self.next_exec += 1;
            Ok(self.try_exec(key, number, process, what, endpoints)?)
        });
        if let Err(error) = begun {
            self.remove_leaf(number);
            self.clients.refuse(key, error);
        }
    }

    fn may_exec(&self, process: &ProcessId) -> Result<(), Error> {
        if self.processes.iter().any(|other| other.id() == process) {
            return Err(Error::new(ErrorKind::AlreadyExists, "a process of that name runs already"));
        }
        match self.journal.history().state {
            ContainerState::Running => Ok(()),
            ContainerState::Paused => Err(Error::new(ErrorKind::WrongState, "the container is paused")),
            _ => Err(Error::new(ErrorKind::WrongState, "the container is not running")),
        }
    }

    fn try_exec(
        &mut self,
        key: ClientKey,
        number: u64,
        id: ProcessId,
        what: &NewProcess,
        endpoints: Endpoints,
    ) -> Result<(), Fault> {
        let process = self.process_of(what, endpoints.terminal.is_some())?;
        let user = what.user.as_ref().or(self.shared.container.user.as_ref());
        let request = named(user)?;
        let init = self.journal.history().init().map_or(0, |init| init.made.pid);
        let owner = account::uid(&process, request.as_ref(), || open_root(format!("/proc/{init}/root").as_ref()))?;
        let (mut streams, ends) = Streams::open(&endpoints, owner, Caller::at(self.clients.connection(key)))?;
        let mut keeper = Keeper::open(&endpoints, &mut streams)?;
        let spawned = self.spawn_exec(number, &process, request.as_ref(), ends, &endpoints);
        // Whoever follows its log must not wait for what never ran.
        let spawned = spawned.inspect_err(|_| keeper.iter_mut().for_each(|log| log.finish(&self.shared.diary)))?;
        let mut made = Supervised::plan(id, number, owner, &process, endpoints);
        made.bounds = deadline::bounds(what);
        let process = Supervised::new(made, spawned, (streams, keeper), key)?;
        // What is in the pipe about this pid is about an earlier process that had it.
        self.hear_witness();
        self.processes.push(process);
        Ok(())
    }

    fn spawn_exec(
        &self,
        number: u64,
        process: &Process,
        user: Option<&UserRequest>,
        ends: Option<Ends>,
        endpoints: &Endpoints,
    ) -> Result<Spawned, Fault> {
        let init = self.processes.iter().find(|process| process.number() == 0).ok_or(Fault::NoProcess)?;
        let cgroup = self.cgroup.as_ref().ok_or(Fault::NoProcess)?;
        let leaf = cgroup.leaf(&leaf_name(number)).map_err(Fault::Engine)?;
        let request = ExecRequest {
            spec: &self.shared.container.spec,
            process,
            user,
            init: init.descriptor.as_fd(),
            init_pid: init.made.pid,
            stdio: stdio(ends.as_ref(), endpoints),
            leaf: &leaf,
            cgroup,
        };
        debug_assert!(init.descriptor.as_raw_fd() > 2);
        Plan::exec(&self.host, request).and_then(Plan::spawn).map_err(Fault::Engine)
    }

    /// What to run, filled up from the container's own process.
    fn process_of(&self, what: &NewProcess, terminal: bool) -> Result<Process, Fault> {
        let mut process = self.shared.container.spec.process().clone().ok_or(Fault::NoProcess)?;
        let mut environment = match &what.env {
            Some(environment) => environment.0.clone(),
            None => process.env().clone().unwrap_or_default(),
        };
        what.extra_env.0.iter().for_each(|variable| set_variable(&mut environment, variable));
        process.set_args(Some(what.args.clone())).set_env(Some(environment)).set_terminal(Some(terminal));
        if let Some(directory) = &what.cwd {
            process.set_cwd(directory.clone());
        }
        if let Some(names) = &what.capabilities {
            process.set_capabilities(Some(capabilities(names)?));
        }
        if let Some(setting) = what.no_new_privileges {
            process.set_no_new_privileges(Some(setting));
        }
        account::take_on(&mut process, what.user.as_ref())?;
        Ok(process)
    }

    /// Removes the cgroup of an exec if nothing is in it; `false` when something is.
    pub(super) fn remove_leaf(&self, number: u64) -> bool {
        let name = leaf_name(number);
        let Some(cgroup) = &self.cgroup else { return true };
        let is_empty = cgroup.leaf_pids(&name).is_ok_and(|pids| pids.is_empty());
        is_empty && cgroup.remove_leaf(&name).is_ok()
    }
}

/// The name of a process's cgroup in its container's.
pub(super) fn leaf_name(number: u64) -> String {
    if number == 0 { "init".to_owned() } else { format!("exec-{number}") }
}

/// Sets a variable in the place of one of the same name.
fn set_variable(environment: &mut Vec<String>, variable: &str) {
    let name = |text: &str| text.split('=').next().unwrap_or_default().to_owned();
    let new = name(variable);
    match environment.iter_mut().find(|old| name(old) == new) {
        Some(old) => variable.clone_into(old),
        None => environment.push(variable.to_owned()),
    }
}

/// Exactly these: bounding, effective and permitted.
fn capabilities(names: &[String]) -> Result<LinuxCapabilities, Fault> {
    let set: Capabilities = names
        .iter()
        .map(|name| {
            let bare = name.strip_prefix("CAP_").unwrap_or(name);
            Capability::from_str(bare).map_err(|_| Fault::Capability(name.clone()))
        })
        .collect::<Result<_, _>>()?;
    let mut capabilities = LinuxCapabilities::default();
    capabilities.set_bounding(Some(set.clone())).set_effective(Some(set.clone())).set_permitted(Some(set));
    capabilities.set_inheritable(None).set_ambient(None);
    Ok(capabilities)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_takes_the_place_of_its_namesake_only() {
        let mut environment = vec!["A=1".to_owned(), "AB=2".to_owned()];
        set_variable(&mut environment, "A=3=4");
        set_variable(&mut environment, "C=");
        assert_eq!(environment, ["A=3=4", "AB=2", "C="]);
    }

    #[test]
    fn capabilities_are_exactly_those_named_and_none_is_inherited() {
        let sets = capabilities(&["CAP_CHOWN".into(), "KILL".into()]).unwrap();
        assert_eq!(sets.bounding().as_ref().unwrap().len(), 2);
        assert!(sets.inheritable().is_none() && sets.ambient().is_none());
        assert!(matches!(capabilities(&["CAP_LEVITATE".into()]), Err(Fault::Capability(_))));
    }
}
