//! Descriptors of the program that asked, for the process that it asked for.
//!
//! Requests name a descriptor by its number in the caller's table, and its duplicate is taken from there, through a
//! descriptor of the very process that is connected. It is the process's own from then on: nothing of it stays here,
//! and no successor needs it. What could be used against the host is refused: a terminal, which could be typed into
//! from inside, a directory, from which one could climb out, and what no program reads or writes.
//!
//! Keeps: C-42 of SECURITY.md: a terminal of the host is never handed in.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::{PeerCredentials, PeerPidfd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::fault::Fault;

/// The program at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'c> {
    connection: Option<BorrowedFd<'c>>,
}

/// What a process does with a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Reads,
    Writes,
}

impl<'c> Caller<'c> {
    /// The one who is connected there; with `None` he is gone.
    pub(super) fn at(connection: Option<BorrowedFd<'c>>) -> Self {
        Caller { connection }
    }

    /// Takes a duplicate of his descriptor of that number.
    ///
    /// # Errors
    /// `Caller` when he cannot be reached; `Descriptor` when it cannot be taken; `Unfit` when it is none to give away.
    pub(super) fn take(self, number: i32, to: Use) -> Result<OwnedFd, Fault> {
        let program = self.process().map_err(|errno| Fault::Caller(errno.into()))?;
        let taken = pidfd_getfd(&program, number, PidfdGetfdFlags::empty())
            .map_err(|errno| Fault::Descriptor { number, source: errno.into() })?;
        match unfitness(taken.as_fd(), to) {
            None => Ok(taken),
            Some(why) => Err(Fault::Unfit { number, why }),
        }
    }

    /// The process itself, and not another that has its pid by now.
    fn process(self) -> Result<OwnedFd, Errno> {
        let connection = self.connection.ok_or(Errno::NOTCONN)?;
        if let Ok(process) = getsockopt(&connection, PeerPidfd) {
            return Ok(process);
        }
        // Before Linux 6.5 there is only its pid.
        let pid = getsockopt(&connection, PeerCredentials).map_err(|_| Errno::NOTCONN)?.pid();
        let process = pidfd_open(Pid::from_raw(pid).ok_or(Errno::SRCH)?, PidfdFlags::empty())?;
        // It has not let go of the connection since: so it lived while its pid was looked up.
        if is_closed(connection)? { Err(Errno::NOTCONN) } else { Ok(process) }
    }
}

fn is_closed(connection: BorrowedFd<'_>) -> Result<bool, Errno> {
    let mut asked = [PollFd::from_borrowed_fd(connection, PollFlags::RDHUP)];
    poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
    Ok(asked[0].revents().intersects(PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR))
}

/// Why a descriptor is not given to a container's process; `None` for one that is.
fn unfitness(descriptor: BorrowedFd<'_>, to: Use) -> Option<&'static str> {
    use FileType::{CharacterDevice, Fifo, RegularFile, Socket};
    let (Ok(stat), Ok(flags)) = (rustix::fs::fstat(descriptor), rustix::fs::fcntl_getfl(descriptor)) else {
        return Some("cannot be examined");
    };
    if rustix::termios::isatty(descriptor) {
        return Some("is a terminal, which could be typed into from inside: ask for a terminal of the container's own");
    }
    let is_stream = matches!(FileType::from_raw_mode(stat.st_mode), CharacterDevice | Fifo | RegularFile | Socket);
    let access = flags & OFlags::RWMODE;
    match to {
        _ if !is_stream || flags.contains(OFlags::PATH) => Some("is no pipe, file or socket"),
        Use::Reads if access == OFlags::WRONLY => Some("is not open for reading"),
        Use::Writes if access == OFlags::RDONLY => Some("is not open for writing"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    fn take(connection: &UnixStream, number: i32, to: Use) -> Result<OwnedFd, Fault> {
        Caller::at(Some(connection.as_fd())).take(number, to)
    }

    #[test]
    fn a_descriptor_of_the_peer_is_the_same_open_file() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let taken = take(&ours, writer.as_raw_fd(), Use::Writes).unwrap();
        rustix::io::write(&taken, b"through").unwrap();
        let mut bytes = [0; 7];
        rustix::io::read(&reader, &mut bytes).unwrap();
        assert_eq!(&bytes, b"through");
    }

    #[test]
    fn c42_terminals_directories_and_wrong_directions_are_refused() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let (reader, _writer) = rustix::pipe::pipe().unwrap();
        let master = rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY).unwrap();
        let directory = File::open("/").unwrap();
        let refused = |number, to| match take(&ours, number, to) {
            Err(Fault::Unfit { why, .. }) => why,
            other => panic!("{other:?}"),
        };
        assert!(refused(master.as_raw_fd(), Use::Writes).contains("terminal"));
        assert!(refused(directory.as_raw_fd(), Use::Reads).contains("no pipe"));
        assert!(refused(reader.as_raw_fd(), Use::Writes).contains("for writing"));
        assert!(matches!(take(&ours, 99_999, Use::Reads), Err(Fault::Descriptor { .. })));
    }

    #[test]
    fn of_a_caller_who_is_gone_nothing_is_taken() {
        assert!(matches!(Caller::at(None).take(0, Use::Reads), Err(Fault::Caller(_))));
    }
}
