//! What a monitor and its witness share: descriptors and values that both have known since before they were two.
//!
//! They have one descriptor table between them. Whatever is in here is open in it for as long as one of the two lives,
//! and no successor closes it. Neither ever drops it: the processes end without destructors.

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::path::PathBuf;

use libcontainerd_core::process::User;
use libcontainerd_core::{ContainerId, Instance};
use libcontainerd_durable::Dir;
use oci_spec::runtime::Spec;
use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::pipe::PipeFlags;

use crate::diary::Diary;
use crate::fault::Fault;
use crate::layout;
use crate::sys::Ended;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 128;

/// What monitor and witness share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What is supervised.
    pub(crate) container: Container,
    /// STATE.
    pub(crate) state: Dir,
    /// The container's own directory.
    pub(crate) run: Dir,
    /// Held as long as one of the two lives.
    pub(crate) lock: OwnedFd,
    /// Their log.
    pub(crate) diary: Diary,
    /// Where clients come.
    pub(crate) listener: OwnedFd,
    /// How processes ended that the witness has reaped.
    pub(crate) statuses: Statuses,
}

/// What is supervised, as far as the journal does not say it.
#[derive(Debug)]
pub(crate) struct Container {
    /// Its name.
    pub(crate) id: ContainerId,
    /// Which creation.
    pub(crate) instance: Instance,
    /// DATA.
    pub(crate) data: PathBuf,
    /// What it is.
    pub(crate) spec: Spec,
    /// Who its processes run as, instead of the spec's user.
    pub(crate) user: Option<User>,
}

/// A pipe from the witness to whoever is the monitor, which outlives both.
#[derive(Debug)]
pub(crate) struct Statuses {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Shared {
    /// The numbers that stay open whatever happens.
    pub(crate) fn numbers(&self) -> [RawFd; 7] {
        [
            self.state.as_fd().as_raw_fd(),
            self.run.as_fd().as_raw_fd(),
            self.lock.as_raw_fd(),
            self.diary.number(),
            self.listener.as_raw_fd(),
            self.statuses.reader.as_raw_fd(),
            self.statuses.writer.as_raw_fd(),
        ]
    }
}

impl Statuses {
    const RECORD: usize = 40;

    /// Makes the pipe.
    ///
    /// # Errors
    /// The kernel's errno.
    pub(crate) fn new() -> rustix::io::Result<Statuses> {
        let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        Ok(Statuses { reader, writer })
    }

    /// Passes on how a process ended; `false` when the pipe is full.
    pub(crate) fn put(&self, ended: &Ended) -> bool {
        let status = u64::from(ended.status as u32) | u64::from(ended.signal) << 32;
        let fields = [u64::from(ended.pid), status, ended.user, ended.system, ended.max_resident];
        let mut record = [0; Self::RECORD];
        for (to, from) in record.chunks_exact_mut(8).zip(fields) {
            to.copy_from_slice(&from.to_le_bytes());
        }
        // So short a write into a pipe is whole or not at all.
        rustix::io::write(&self.writer, &record).is_ok()
    }

    /// Takes the next one, if there is one.
    pub(crate) fn take(&self) -> Option<Ended> {
        let mut record = [0; Self::RECORD];
        match rustix::io::retry_on_intr(|| rustix::io::read(&self.reader, &mut record)) {
            Ok(Self::RECORD) => {}
            _ => return None,
        }
        let mut fields = record.chunks_exact(8).map(|bytes| bytes.iter().rfold(0, |n, b| n << 8 | u64::from(*b)));
        let mut field = || fields.next().unwrap_or(0);
        let (pid, status, user, system, max_resident) = (field(), field(), field(), field(), field());
        let signal = status >> 32 != 0;
        Some(Ended { pid: pid as u32, status: status as u32 as i32, signal, user, system, max_resident })
    }

    /// The end to read from, to wait at.
    pub(crate) fn reader(&self) -> &OwnedFd {
        &self.reader
    }

    /// The end to write into, to wait at.
    pub(crate) fn writer(&self) -> &OwnedFd {
        &self.writer
    }
}

/// Makes the socket at which clients come: 0600 in a directory that is 0700.
///
/// It is bound through the directory's descriptor, so that the length of no path matters.
///
/// # Errors
/// `System`.
pub(crate) fn listen(run: &Dir) -> Result<OwnedFd, Fault> {
    let failed = |act| Fault::system::<Errno>(act);
    run.remove_file(layout::SOCKET).map_err(Fault::disk("remove the old socket"))?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .map_err(failed("make the socket"))?;
    let path = format!("/proc/self/fd/{}/{}", run.as_fd().as_raw_fd(), layout::SOCKET);
    let address = SocketAddrUnix::new(path).map_err(failed("name the socket"))?;
    rustix::net::bind(&socket, &address).map_err(failed("bind the socket"))?;
    rustix::fs::chmodat(run, layout::SOCKET, Mode::from_raw_mode(0o600), AtFlags::empty())
        .map_err(failed("set the socket's mode"))?;
    rustix::net::listen(&socket, BACKLOG).map_err(failed("listen at the socket"))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_process_ended_comes_out_of_the_pipe_as_it_went_in() {
        let statuses = Statuses::new().unwrap();
        let ended = Ended { pid: 7, status: 137, signal: true, user: 1 << 40, system: 3, max_resident: 4 };
        assert!(statuses.put(&ended) && statuses.put(&Ended { status: -1, signal: false, ..ended }));
        assert_eq!(statuses.take(), Some(ended));
        assert_eq!(statuses.take().unwrap().status, -1);
        assert_eq!(statuses.take(), None);
    }

    #[test]
    fn c28_the_socket_does_not_care_how_long_its_path_is_and_is_ours_alone() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let long = root.path().join("x".repeat(200));
        std::fs::create_dir(&long).unwrap();
        let _socket = listen(&Dir::open_path(&long).unwrap()).unwrap();
        let mode = std::fs::metadata(long.join(layout::SOCKET)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }
}
