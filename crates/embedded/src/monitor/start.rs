//! From a process that was made to its program that runs: what its reports say, and the gate.
//!
//! Init waits at the gate until it is started; an exec is let through as soon as the journal names it. Many may be on
//! their way at once, each told to whoever asked for it.

use std::time::SystemTime;

use libcontainerd_core::{ContainerState, Error, ErrorKind, Run};
use libcontainerd_engine::{Report, Stage};

use super::Monitor;
use super::clients::ClientKey;
use super::process::{Phase, Start, Supervised};
use super::relay::Relay;
use crate::fault::{Fault, start_failure};
use crate::record::Fact;
use crate::sys;
use crate::wire::{Answer, Failure};

impl Monitor<'_> {
    /// Lets init go on to its program; the answer follows once that runs.
    pub(super) fn start_init(&mut self, key: ClientKey) {
        let is_created = self.journal.history().state == ContainerState::Created;
        let init = self.process_mut(0).filter(|_| is_created);
        let Some(init) = init.filter(|init| matches!(init.phase, Phase::AtGate) || init.goes_on_for_nobody()) else {
            return self
                .clients
                .refuse(key, Error::new(ErrorKind::WrongState, "the container is not waiting to be started"));
        };
        init.asker = Some(key);
        if matches!(init.phase, Phase::Released) {
            return;
        }
        // First written down: a successor must know what the end of the report means.
        self.journal.record(Fact::Released);
        if let Some(init) = self.process_mut(0) {
            release(init);
        }
    }

    /// Hears what a starting process has to say.
    pub(super) fn hear_report(&mut self, number: u64) {
        while let Some(process) = self.process_mut(number)
            && let Some(start) = &mut process.start
        {
            match start.next(&process.descriptor) {
                Ok(None) => return,
                Ok(Some(Report::Ready)) => self.is_ready(number),
                Ok(Some(Report::Running)) => return self.is_running(number),
                Ok(Some(Report::Failed(failure))) => {
                    // One that dies at the gate without having been let through has not failed: it ends.
                    if failure.stage == Stage::Died && matches!(process.phase, Phase::AtGate) {
                        process.start = None;
                        return;
                    }
                    return self.fail(number, Fault::Start(start_failure(&failure)));
                }
                Err(error) => return self.fail(number, Fault::Engine(error)),
            }
        }
    }

    /// A process waits at its gate.
    fn is_ready(&mut self, number: u64) {
        let Some(process) = self.process_mut(number) else { return };
        process.phase = Phase::AtGate;
        if let Err(fault) = take_terminal(process) {
            return self.fail(number, fault);
        }
        process.made.descriptors = process.descriptors();
        let (made, pid) = (process.made.clone(), process.made.pid);
        if number == 0 {
            let asker = process.asker.take();
            self.journal.record(Fact::Created(made));
            if let Some(asker) = asker {
                self.clients.answer(asker, &Answer::Created { pid });
            }
        } else {
            self.journal.record(Fact::ExecCreated(made));
            if let Some(process) = self.process_mut(number) {
                release(process);
            }
        }
    }

    /// A process runs its program.
    fn is_running(&mut self, number: u64) {
        let run = Run(self.journal.history().run.0 + 1);
        let Some(process) = self.process_mut(number) else { return };
        process.phase = Phase::Running;
        let (id, pid, asker) = (process.id().clone(), process.made.pid, process.asker.take());
        self.journal.record(if number == 0 { Fact::Started { run } } else { Fact::ExecStarted { process: id } });
        // Only now: until it was written down a successor needed them.
        if let Some(process) = self.process_mut(number) {
            process.start = None;
        }
        if let Some(asker) = asker {
            self.clients.answer(asker, &Answer::Started { pid, at: SystemTime::now() });
        }
    }

    /// A process will not run its program; what is left to do is done once it has ended.
    fn fail(&mut self, number: u64, fault: Fault) {
        let Some(process) = self.process_mut(number) else { return };
        process.phase = Phase::Failed(Failure::from(&Error::from(fault)));
        process.start = None;
        // It is about to end by itself; a child that hangs must not keep its failure back.
        let _ = sys::send_signal(std::os::fd::AsFd::as_fd(&process.descriptor), 9);
    }
}

/// Lets a process go on to its program. What fails here is told by its report.
fn release(process: &mut Supervised) {
    if let Some(start) = &mut process.start {
        let _ = start.open_gate();
        process.phase = Phase::Released;
    }
}

/// Begins to relay the terminal of a process that is ready.
fn take_terminal(process: &mut Supervised) -> Result<(), Fault> {
    let Some(Start::Own(spawned)) = &mut process.start else { return Ok(()) };
    if let Some(master) = spawned.terminal.take() {
        let relay = Relay::new(master, &mut process.streams)?;
        // The size may have been changed since the process was planned.
        if let Some(size) = process.made.endpoints.terminal {
            let _ = relay.resize(size);
        }
        process.relay = Some(relay);
    }
    Ok(())
}
