//! The streams of one process: the ends that it gets, and those that keep them open whoever comes and goes.
//!
//! A FIFO is opened for reading and writing first, which never waits, and from that descriptor, not by name again, the
//! ends are opened: the process's own ones block, ours do not. While the process lives we hold both ends of its output,
//! so that it never meets a closed pipe and no reader an early end, and a writing end of its input, until that is
//! closed. With a terminal the process has none of them: a relay stands between. What is a descriptor of the caller's is
//! the process's alone.
//!
//! Keeps: promises 3 and 4 of ARCHITECTURE.md.

use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use libcontainerd_core::stdio::{Endpoint, Endpoints};
use libcontainerd_durable::Dir;
use libcontainerd_stream::{fifo, pipe_size};
use rustix::fs::{Mode, OFlags, Uid};

use super::caller::{Caller, Use};
use crate::fault::Fault;
use crate::record::Descriptors;
use crate::sys;

/// Our ends of one process's streams.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// Keeps the input open: the end that is written.
    pub(super) stdin: Option<OwnedFd>,
    /// The end that a relay reads, with a terminal.
    pub(super) stdin_source: Option<OwnedFd>,
    /// Its output.
    pub(super) stdout: Kept,
    /// Its complaints.
    pub(super) stderr: Kept,
}

/// Both ends of a FIFO that a process writes into.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Keeps what nobody has read yet.
    pub(super) reader: Option<OwnedFd>,
    /// Keeps readers from an early end. The process's own end, or what a relay writes into.
    pub(super) writer: Option<OwnedFd>,
}

/// The ends that a process gets, unless it has a terminal.
#[derive(Debug)]
pub(super) struct Ends {
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

impl Ends {
    /// As the engine takes them.
    pub(super) fn as_stdio(&self) -> libcontainerd_engine::Stdio<'_> {
        use std::os::fd::AsFd;
        libcontainerd_engine::Stdio::Descriptors {
            stdin: self.stdin.as_fd(),
            stdout: self.stdout.as_fd(),
            stderr: self.stderr.as_fd(),
        }
    }
}

impl Streams {
    /// Opens everything for a process of user `owner`, to whom the FIFOs belong from now on.
    ///
    /// # Errors
    /// `Stream`, `Open`, `Place`, `NotNull`, or what `caller` fails with: what was opened by then is closed.
    pub(super) fn open(
        endpoints: &Endpoints,
        owner: u32,
        caller: Caller<'_>,
    ) -> Result<(Streams, Option<Ends>), Fault> {
        if endpoints.terminal.is_some() {
            return Ok((Streams::relayed(endpoints, owner)?, None));
        }
        let mut streams = Streams::default();
        let stdin = streams.open_stdin(&endpoints.stdin, owner, caller)?;
        let stdout = streams.stdout.open(&endpoints.stdout, owner, caller)?;
        let stderr = streams.stderr.open(&endpoints.stderr, owner, caller)?;
        Ok((streams, Some(Ends { stdin, stdout, stderr })))
    }

    /// Takes over what a dead monitor of ours had open for a process that lives, by the numbers it wrote down; what is
    /// not there any more is opened by name.
    pub(super) fn resume(endpoints: &Endpoints, owner: u32, numbers: &Descriptors, stdin_closed: bool) -> Streams {
        let terminal = endpoints.terminal.is_some();
        let by_name = |endpoint| open_fifo(endpoint, owner).ok().flatten();
        let mut streams = Streams::default();
        if !stdin_closed {
            streams.stdin = inherit(numbers.stdin).or_else(|| by_name(&endpoints.stdin));
        }
        if terminal {
            let source = || reopen(streams.stdin.as_ref()?, OFlags::RDONLY | OFlags::NONBLOCK).ok();
            streams.stdin_source = inherit(numbers.stdin_source).or_else(source);
        }
        streams.stdout = Kept::resume(&endpoints.stdout, owner, numbers.stdout, numbers.stdout_sink);
        streams.stderr = Kept::resume(&endpoints.stderr, owner, numbers.stderr, numbers.stderr_sink);
        streams
    }

    /// Lets go of what a process that has ended cannot use any more; returns what readers may still read.
    pub(super) fn let_go(self) -> Vec<OwnedFd> {
        [self.stdout.reader, self.stderr.reader].into_iter().flatten().collect()
    }

    /// Adds the numbers to those that a successor finds.
    pub(super) fn write_down(&self, numbers: &mut Descriptors) {
        let number = |descriptor: &Option<OwnedFd>| descriptor.as_ref().map(AsRawFd::as_raw_fd);
        numbers.stdin = number(&self.stdin);
        numbers.stdin_source = number(&self.stdin_source);
        numbers.stdout = number(&self.stdout.reader);
        numbers.stdout_sink = number(&self.stdout.writer);
        numbers.stderr = number(&self.stderr.reader);
        numbers.stderr_sink = number(&self.stderr.writer);
    }

    fn open_stdin(&mut self, endpoint: &Endpoint, owner: u32, caller: Caller<'_>) -> Result<OwnedFd, Fault> {
        if let Endpoint::Descriptor(number) = endpoint {
            return caller.take(*number, Use::Reads);
        }
        let Some(both) = open_fifo(endpoint, owner)? else { return null() };
        self.stdin = Some(reopen(&both, OFlags::WRONLY | OFlags::NONBLOCK)?);
        reopen(&both, OFlags::RDONLY)
    }

    fn relayed(endpoints: &Endpoints, owner: u32) -> Result<Streams, Fault> {
        for endpoint in [&endpoints.stdin, &endpoints.stdout] {
            if let Endpoint::Descriptor(number) = endpoint {
                let why = "cannot stand in for a terminal: place a stream there";
                return Err(Fault::Unfit { number: *number, why });
            }
        }
        let mut streams = Streams::default();
        if let Some(both) = open_fifo(&endpoints.stdin, owner)? {
            streams.stdin_source = Some(reopen(&both, OFlags::RDONLY | OFlags::NONBLOCK)?);
            streams.stdin = Some(reopen(&both, OFlags::WRONLY | OFlags::NONBLOCK)?);
        }
        if let Some(both) = open_fifo(&endpoints.stdout, owner)? {
            streams.stdout.reader = Some(reopen(&both, OFlags::RDONLY | OFlags::NONBLOCK)?);
            streams.stdout.writer = Some(reopen(&both, OFlags::WRONLY | OFlags::NONBLOCK)?);
        }
        Ok(streams)
    }
}

impl Kept {
    /// Opens both ends, and returns the process's own.
    fn open(&mut self, endpoint: &Endpoint, owner: u32, caller: Caller<'_>) -> Result<OwnedFd, Fault> {
        if let Endpoint::Descriptor(number) = endpoint {
            return caller.take(*number, Use::Writes);
        }
        let Some(both) = open_fifo(endpoint, owner)? else { return null() };
        self.reader = Some(reopen(&both, OFlags::RDONLY | OFlags::NONBLOCK)?);
        let writer = reopen(&both, OFlags::WRONLY)?;
        let own = writer.try_clone().map_err(Fault::system("duplicate a stream"))?;
        self.writer = Some(writer);
        Ok(own)
    }

    fn resume(endpoint: &Endpoint, owner: u32, reader: Option<RawFd>, writer: Option<RawFd>) -> Kept {
        let (mut reader, mut writer) = (inherit(reader), inherit(writer));
        if (reader.is_none() || writer.is_none())
            && let Ok(Some(both)) = open_fifo(endpoint, owner)
        {
            reader = reader.or_else(|| reopen(&both, OFlags::RDONLY | OFlags::NONBLOCK).ok());
            writer = writer.or_else(|| reopen(&both, OFlags::WRONLY | OFlags::NONBLOCK).ok());
        }
        Kept { reader, writer }
    }
}

/// Takes over what a dead monitor held for the readers of a process that has ended, if it is what it was: its number may
/// have been used for something else since, so it must be the very FIFO that has the stream's name.
pub(super) fn inherit_remains(endpoint: &Endpoint, number: Option<RawFd>) -> Option<OwnedFd> {
    let (Endpoint::Fifo(path) | Endpoint::Kept(path)) = endpoint else { return None };
    let named = std::fs::symlink_metadata(path).ok().filter(|found| found.file_type().is_fifo())?;
    let held = inherit(number)?;
    let stat = rustix::fs::fstat(&held).ok()?;
    if (stat.st_dev, stat.st_ino) == (named.dev(), named.ino()) {
        return Some(held);
    }
    // Somebody else's number by now: who owns it will find it.
    std::mem::forget(held);
    None
}

/// Opens /dev/null, and sees to it that it is that.
pub(super) fn null() -> Result<OwnedFd, Fault> {
    let path = Path::new("/dev/null");
    let open = |source| Fault::Open { path: path.to_owned(), source };
    let null = File::options().read(true).write(true).open(path).map_err(open)?;
    let found = null.metadata().map_err(open)?;
    if found.file_type().is_char_device() && found.rdev() == rustix::fs::makedev(1, 3) {
        Ok(null.into())
    } else {
        Err(Fault::NotNull)
    }
}

/// A number of a dead monitor, if a FIFO is open there.
fn inherit(number: Option<RawFd>) -> Option<OwnedFd> {
    let held = sys::claim(number?)?;
    let is_fifo = rustix::fs::fstat(&held)
        .is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Fifo);
    if is_fifo {
        return Some(held);
    }
    std::mem::forget(held);
    None
}

/// Opens both ends of a FIFO as one, makes it large, and gives it to its user; `None` for a stream that goes nowhere.
fn open_fifo(endpoint: &Endpoint, owner: u32) -> Result<Option<OwnedFd>, Fault> {
    let path = match endpoint {
        Endpoint::Null => return Ok(None),
        Endpoint::Fifo(path) | Endpoint::Kept(path) => path,
        _ => return Err(Fault::Place),
    };
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err(Fault::Place);
    };
    let directory = Dir::open_path(parent).map_err(Fault::disk("open the directory of a stream"))?;
    let owners = [rustix::process::geteuid().as_raw(), owner];
    let both = fifo::open_keeper(std::os::fd::AsFd::as_fd(&directory), name, &owners)?;
    pipe_size::grow(&both, pipe_size::WANTED);
    let failed = |source: rustix::io::Errno| Fault::Open { path: path.clone(), source: source.into() };
    rustix::fs::fchown(&both, Some(Uid::from_raw(owner)), None).map_err(failed)?;
    rustix::fs::fchmod(&both, Mode::from_raw_mode(0o600)).map_err(failed)?;
    Ok(Some(both))
}

/// Opens the very FIFO that a descriptor holds once more, with other rights.
fn reopen(held: &OwnedFd, flags: OFlags) -> Result<OwnedFd, Fault> {
    let path = format!("/proc/self/fd/{}", held.as_raw_fd());
    rustix::fs::open(&path, flags | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| Fault::Open { path: path.into(), source: errno.into() })
}

/// Whether nothing is in it that somebody could still read.
pub(super) fn is_drained(reader: BorrowedFd<'_>) -> bool {
    libcontainerd_stream::drain::is_empty(reader).unwrap_or(true)
}

#[cfg(test)]
mod tests;
