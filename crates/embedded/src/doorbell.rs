//! Telling those who follow the event log that there is something new in it.
//!
//! Whoever follows has a datagram socket in STATE/watchers, and whoever has written to the log rings at each of them:
//! one byte, without waiting. A socket that nobody listens to any more is taken away by the next who rings. The kernel
//! would tell it as well (inotify), but to close such a watch takes a grace period of 10 ms and more, at the end of every
//! short command.
//!
//! Keeps: C-24 and C-28 of SECURITY.md. Does not know: what is in the log.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use libcontainerd_core::Instance;
use libcontainerd_durable::{Dir, Error as DiskError};
use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};

use crate::layout;

/// The bells of all who follow.
#[derive(Debug)]
pub(crate) struct Doorbells {
    bells: Dir,
}

impl Doorbells {
    /// Finds them below STATE.
    ///
    /// # Errors
    /// When the directory cannot be made or opened.
    pub(crate) fn open(state: &Dir) -> Result<Doorbells, DiskError> {
        Ok(Doorbells { bells: state.ensure(layout::WATCHERS, 0o700)? })
    }

    /// Rings at each of them. Whoever cannot take it has enough to look for already.
    pub(crate) fn ring(&self) {
        let names = self.bells.names().unwrap_or_default();
        if names.is_empty() {
            return;
        }
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let Ok(ringer) = rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None) else { return };
        for name in names {
            let Ok(address) = SocketAddrUnix::new(self.path(&name)) else { continue };
            let rung = rustix::net::sendto(&ringer, &[0], SendFlags::NOSIGNAL | SendFlags::DONTWAIT, &address);
            if rung == Err(Errno::CONNREFUSED) {
                // Its owner was killed.
                let _ = rustix::fs::unlinkat(&self.bells, &name, AtFlags::empty());
            }
        }
    }

    /// The bells of those who were killed before they took them down.
    ///
    /// # Errors
    /// When they cannot be listed or tried.
    pub(crate) fn abandoned(&self) -> io::Result<Vec<PathBuf>> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = || rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None);
        let mut abandoned = Vec::new();
        for name in self.bells.names().map_err(io::Error::other)? {
            let address = SocketAddrUnix::new(self.path(&name))?;
            if rustix::net::connect(&socket()?, &address) == Err(Errno::CONNREFUSED) {
                abandoned.push(self.bells.path().join(name));
            }
        }
        Ok(abandoned)
    }

    /// Takes down a bell that is abandoned.
    ///
    /// # Errors
    /// The kernel's errno.
    pub(crate) fn take_down(&self, bell: &Path) -> io::Result<()> {
        let name = bell.file_name().unwrap_or_default();
        Ok(rustix::fs::unlinkat(&self.bells, name, AtFlags::empty())?)
    }

    /// Hangs up a bell of our own.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub(crate) fn hang(self) -> io::Result<Doorbell> {
        // Any name that nobody else has.
        let name = Instance::random().map_err(io::Error::other)?.to_string();
        let socket = UnixDatagram::bind(self.path(OsStr::new(&name)))?;
        socket.set_nonblocking(true)?;
        rustix::fs::chmodat(&self.bells, &name, Mode::from_raw_mode(0o600), AtFlags::empty())?;
        Ok(Doorbell { socket, name, bells: self.bells })
    }

    /// A path that is short enough for a socket, however deep STATE is.
    fn path(&self, name: &OsStr) -> PathBuf {
        Path::new(&format!("/proc/self/fd/{}", self.bells.as_fd().as_raw_fd())).join(name)
    }
}

/// A bell of our own, taken down when dropped.
#[derive(Debug)]
pub(crate) struct Doorbell {
    socket: UnixDatagram,
    name: String,
    bells: Dir,
}

impl Doorbell {
    /// The socket, to be watched.
    pub(crate) fn socket(&self) -> &UnixDatagram {
        &self.socket
    }

    /// Takes in that it has rung.
    pub(crate) fn silence(&self) {
        let mut byte = [0];
        while self.socket.recv(&mut byte).is_ok() {}
    }
}

impl Drop for Doorbell {
    fn drop(&mut self) {
        let _ = rustix::fs::unlinkat(&self.bells, &self.name, AtFlags::empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn state() -> (tempfile::TempDir, Dir) {
        let place = tempfile::tempdir().unwrap();
        let state = Dir::open_root(&place.path().join("state"), 0o711).unwrap();
        (place, state)
    }

    #[test]
    fn everybody_who_follows_hears_it_and_the_dead_are_taken_away() {
        let (place, state) = state();
        let hang = || Doorbells::open(&state).unwrap().hang().unwrap();
        let (one, other, third) = (hang(), hang(), hang());
        let Doorbell { name, .. } = &third;
        let left = place.path().join("state").join(layout::WATCHERS).join(name);
        assert_eq!(left.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        Doorbells::open(&state).unwrap().ring();
        for bell in [&one, &other] {
            assert_eq!(bell.socket.recv(&mut [0; 2]).unwrap(), 1);
        }
        drop(other);
        std::os::unix::net::UnixDatagram::bind(place.path().join("state/watchers/orphan")).map(drop).unwrap();
        Doorbells::open(&state).unwrap().ring();
        let mut names = state.open(layout::WATCHERS).unwrap().names().unwrap();
        names.sort();
        let mut living = [one.name.clone(), third.name.clone()];
        living.sort();
        assert_eq!(names, living.map(std::ffi::OsString::from));
    }

    #[test]
    fn a_bell_that_nobody_answers_holds_nobody_up() {
        let (_place, state) = state();
        let bell = Doorbells::open(&state).unwrap().hang().unwrap();
        for _ in 0..1000 {
            Doorbells::open(&state).unwrap().ring();
        }
        bell.silence();
        assert_eq!(bell.socket.recv(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
