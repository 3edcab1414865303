//! A process that was made and tells how its start goes.
//!
//! The report's pipe says *ready* or *failed*; its end after the gate was opened says *running*, and
//! before that it says that the process died.
//! Decision: the gate is a socket, so that a dead process costs no SIGPIPE, and so that the terminal's
//! master can come back through it.

use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use crate::error::Error;
use crate::plan::{self, Message};
use crate::report::{self, REPORT_MAX, Report, Stage, StartFailure};

/// A process that was made: a child of the caller, which reaps it.
#[derive(Debug)]
pub struct Spawned {
    /// Its number in the caller's pid namespace.
    pub pid: u32,
    /// The process itself.
    pub pidfd: OwnedFd,
    /// Where its reports come from; does not block, readable when [`Spawned::next_report`] has one.
    pub report: OwnedFd,
    /// The gate; closing it makes the process end in silence.
    pub gate: OwnedFd,
    /// The master of its terminal, if it asked for one; there once [`Report::Ready`] was seen.
    pub terminal: Option<OwnedFd>,
    has_terminal: bool,
    gate_is_open: bool,
    unread: Vec<u8>,
    last: Option<Report>,
}

impl Spawned {
    pub(crate) fn new(pid: u32, pidfd: OwnedFd, report: OwnedFd, gate: OwnedFd, has_terminal: bool) -> Self {
        Self {
            pid,
            pidfd,
            report,
            gate,
            terminal: None,
            has_terminal,
            gate_is_open: false,
            unread: Vec::new(),
            last: None,
        }
    }

    /// Takes the next report, `None` where there is none yet. After the last one ([`Report::Running`]
    /// or [`Report::Failed`]) it is given again and again.
    ///
    /// # Errors
    /// [`Error::Report`] where the pipe cannot be read; [`Error::Garbled`] where it has nonsense.
    pub fn next_report(&mut self) -> Result<Option<Report>, Error> {
        if let Some(last) = &self.last {
            return Ok(Some(last.clone()));
        }
        if self.unread.is_empty() {
            let mut buffer = [0; REPORT_MAX];
            match rustix::io::read(&self.report, &mut buffer) {
                Ok(0) => return Ok(Some(self.conclude())),
                Ok(length) => self.unread.extend(buffer.iter().take(length)),
                Err(Errno::AGAIN | Errno::INTR) => return Ok(None),
                Err(errno) => return Err(failed("read the report", errno)),
            }
        }
        let (report, length) = report::decode(&self.unread).ok_or(Error::Garbled)?;
        self.unread.drain(..length);
        match report {
            Report::Ready => self.receive_terminal()?,
            Report::Running | Report::Failed(_) => self.last = Some(report.clone()),
        }
        Ok(Some(report))
    }

    /// Waits for the next report.
    ///
    /// # Errors
    /// As [`Spawned::next_report`].
    pub fn wait_report(&mut self) -> Result<Report, Error> {
        loop {
            if let Some(report) = self.next_report()? {
                return Ok(report);
            }
            let mut ready = [PollFd::new(&self.report, PollFlags::IN)];
            match rustix::event::poll(&mut ready, None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(failed("await the report", errno)),
            }
        }
    }

    /// Lets the process execute its program. A process that is gone already is no error: the report
    /// tells.
    ///
    /// # Errors
    /// [`Error::Report`] where the gate cannot be written.
    pub fn open_gate(&mut self) -> Result<(), Error> {
        if self.gate_is_open {
            return Ok(());
        }
        match rustix::net::send(&self.gate, &[1], SendFlags::NOSIGNAL) {
            Ok(_) => {
                self.gate_is_open = true;
                Ok(())
            }
            Err(Errno::PIPE | Errno::CONNRESET) => Ok(()),
            Err(errno) => Err(failed("open the gate", errno)),
        }
    }

    /// What the end of the pipe means.
    fn conclude(&mut self) -> Report {
        let last = if self.gate_is_open { Report::Running } else { Report::Failed(StartFailure::new(Stage::Died, 0)) };
        self.last.insert(last).clone()
    }

    fn receive_terminal(&mut self) -> Result<(), Error> {
        if self.has_terminal && self.terminal.is_none() {
            let message = plan::receive(self.gate.as_fd(), RecvFlags::DONTWAIT);
            if let Some(Message::Terminal(master)) = message.map_err(|errno| failed("receive the terminal", errno))? {
                self.terminal = Some(master);
            }
        }
        Ok(())
    }
}

fn failed(act: &'static str, errno: Errno) -> Error {
    Error::Report { act, source: errno.into() }
}
