//! What clients ask for, one method a request that is not told elsewhere.

use libcontainerd_core::stdio::TerminalSize;
use libcontainerd_core::{ContainerState, Error, ErrorKind, Instance, ProcessId};

use super::Monitor;
use super::chores::Chore;
use super::clients::ClientKey;
use crate::record::Fact;
use crate::wire::{self, Answer, Request};

impl Monitor<'_> {
    /// Does what a client asks for, and answers now or later.
    pub(super) fn serve(&mut self, key: ClientKey, request: Request) {
        let done = match request {
            Request::Hello => {
                let (monitor, witness) = (std::process::id(), self.witness.pid);
                return self.clients.answer(key, &Answer::Here { monitor, witness, v: wire::VERSION });
            }
            Request::Start => return self.start_init(key),
            Request::Exec { process, what, endpoints } => return self.exec(key, process, &what, endpoints),
            Request::Delete { instance } => return self.ask_to_delete(key, instance),
            Request::Signal { process, signal, scope } => self.signal(&process, signal, scope),
            Request::Resize { process, size } => self.resize(&process, size),
            Request::CloseStdin { process } => self.close_stdin(&process),
            Request::Create(_) | Request::Adopt(_) => {
                Err(Error::new(ErrorKind::WrongState, "this monitor has a container already"))
            }
        };
        match done {
            Ok(()) => self.clients.answer(key, &Answer::Done),
            Err(error) => self.clients.refuse(key, error),
        }
    }

    /// Number of a process that lives; `None` for one that has ended.
    pub(super) fn living(&self, process: &ProcessId) -> Result<Option<u64>, Error> {
        if let Some(living) = self.processes.iter().find(|other| other.id() == process) {
            return Ok(Some(living.number()));
        }
        match self.journal.history().process(process) {
            Some(_) => Ok(None),
            None => Err(Error::new(ErrorKind::NotFound, "the container has no process of that name").of(process)),
        }
    }

    fn resize(&mut self, process: &ProcessId, size: TerminalSize) -> Result<(), Error> {
        let Some(number) = self.living(process)? else { return Ok(()) };
        let Some(process) = self.process_mut(number) else { return Ok(()) };
        if !process.has_terminal() {
            return Err(Error::new(ErrorKind::WrongState, "the process has no terminal").of(process.id()));
        }
        process.resize(size).map_err(|errno| {
            Error::new(ErrorKind::System, "the terminal cannot be resized").because(std::io::Error::from(errno))
        })
    }

    fn close_stdin(&mut self, process: &ProcessId) -> Result<(), Error> {
        let Some(number) = self.living(process)? else { return Ok(()) };
        let is_open = self.process_mut(number).is_some_and(|process| process.streams.stdin.is_some());
        if !is_open {
            return Ok(());
        }
        self.journal.record(Fact::StdinClosed { process: process.clone() });
        if let Some(process) = self.process_mut(number) {
            process.streams.stdin = None;
            if let Some(relay) = &mut process.relay {
                relay.close_input();
            }
        }
        Ok(())
    }

    fn ask_to_delete(&mut self, key: ClientKey, instance: Option<Instance>) {
        let history = self.journal.history();
        if instance.is_some_and(|instance| instance != history.creating.instance) {
            let text = "another container has that name by now";
            return self.clients.refuse(key, Error::new(ErrorKind::NotFound, text));
        }
        match history.state {
            ContainerState::Stopped => self.chores.push(Chore::Delete(key)),
            ContainerState::Created if self.deleting.is_none() => {
                self.deleting = Some(key);
                self.kill_everyone();
            }
            _ => {
                let text = "the container runs; stop it first, or remove it with force";
                self.clients.refuse(key, Error::new(ErrorKind::WrongState, text));
            }
        }
    }
}
