//! The names of a process's streams below their directory: the only place that knows them.
//!
//! A process has three FIFOs, or two with a terminal, of which only those are made that the caller has placed as
//! streams or wants kept. Beside them stands the lock of their one reader.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

use libcontainerd_core::id::{Instance, ProcessId};
use libcontainerd_core::ports::process_io::IoRequest;
use libcontainerd_core::stdio::Place;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use crate::Error;

/// The names of those FIFOs of a process that exist by the caller's wish.
#[derive(Debug)]
pub(crate) struct Fifos {
    pub(crate) stdin: Option<String>,
    pub(crate) stdout: Option<String>,
    pub(crate) stderr: Option<String>,
}

impl Fifos {
    /// Those that are made: of streams to the program, and of output that the runtime keeps.
    pub(crate) fn made(request: &IoRequest) -> Self {
        Self::at(request, &[Place::Stream, Place::Kept])
    }

    /// Those that the program has the other end of.
    pub(crate) fn live(request: &IoRequest) -> Self {
        Self::at(request, &[Place::Stream])
    }

    fn at(request: &IoRequest, places: &[Place]) -> Self {
        let stdio = &request.stdio;
        let named = |place: Place, suffix| places.contains(&place).then(|| name(&request.process.process, suffix));
        // A terminal has one way out.
        let stderr = if stdio.terminal.is_some() { Place::Null } else { stdio.stderr };
        Self { stdin: named(stdio.stdin, STDIN), stdout: named(stdio.stdout, STDOUT), stderr: named(stderr, STDERR) }
    }

    pub(crate) fn each(&self) -> impl Iterator<Item = &str> {
        [&self.stdin, &self.stdout, &self.stderr].into_iter().flatten().map(String::as_str)
    }
}

/// All names that a process may have used, however it was placed.
pub(crate) fn all(process: &ProcessId) -> [String; 4] {
    [STDIN, STDOUT, STDERR, READER].map(|suffix| name(process, suffix))
}

/// The name of a stdin, whether there is one or not.
pub(crate) fn stdin(process: &ProcessId) -> String {
    name(process, STDIN)
}

/// The name of the reader's lock.
pub(crate) fn reader_lock(process: &ProcessId) -> String {
    name(process, READER)
}

/// Writes down in the directory whose output is kept elsewhere; what is there already says the same.
pub(crate) fn write_instance(directory: BorrowedFd<'_>, request: &IoRequest) -> Result<(), Error> {
    let Some(instance) = request.instance else { return Ok(()) };
    let failed = |source| Error::WriteInstance { path: request.directory.join(INSTANCE), source };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(directory, INSTANCE, flags, Mode::from_raw_mode(0o600)) {
        Ok(file) => {
            let written = File::from(file).write_all(instance.to_string().as_bytes());
            written.map_err(|error| {
                remove_instance(directory);
                failed(error)
            })
        }
        Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(failed(errno.into())),
    }
}

/// Takes that back; what cannot be taken back goes with the directory.
pub(crate) fn remove_instance(directory: BorrowedFd<'_>) {
    let _ = rustix::fs::unlinkat(directory, INSTANCE, AtFlags::empty());
}

/// Reads that back; nothing where it is not there, not ours, or no instance.
pub(crate) fn read_instance(directory: BorrowedFd<'_>) -> Option<Instance> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(directory, INSTANCE, flags, Mode::empty()).ok()?);
    let found = file.metadata().ok()?;
    if !found.is_file() || found.uid() != rustix::process::geteuid().as_raw() {
        return None;
    }
    let mut text = String::new();
    file.take(64).read_to_string(&mut text).ok()?;
    text.parse().ok()
}

/// Opens the directory, as a place to look names up in and nothing more.
pub(crate) fn open_directory(request: &IoRequest) -> Result<OwnedFd, Error> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(&request.directory, flags, Mode::empty())
        .map_err(|errno| Error::OpenDirectory { path: request.directory.clone(), source: errno.into() })
}

/// Who may own a stream: we, or whom the runtime has given it to.
pub(crate) fn owners(request: &IoRequest) -> Vec<u32> {
    std::iter::once(rustix::process::geteuid().as_raw()).chain(request.owner).collect()
}

/// No process's stream: those have a dash in their names.
const INSTANCE: &str = "instance";
const STDIN: &str = "stdin";
const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";
const READER: &str = "reader";

fn name(process: &ProcessId, suffix: &str) -> String {
    format!("{process}-{suffix}")
}
