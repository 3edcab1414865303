//! The port `ProcessIo` over named FIFOs.
//!
//! `prepare` makes the FIFOs, `open` opens the program's ends of them under the lock of their one reader, `remove`
//! removes them and the lock. All system calls here return at once; the waiting is in the streams.
//!
//! Keeps: C-27: FIFOs are made new, and opened only when they are FIFOs of an expected owner.
//! Does not know: who makes and removes the directory.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use libcontainerd_core::ProcessRef;
use libcontainerd_core::error::{Error as CoreError, ErrorKind, Result as CoreResult};
use libcontainerd_core::id::Instance;
use libcontainerd_core::ports::process_io::{
    InputStream, IoRequest, LogSource, OutputStream, ProcessIo, ProcessLink, ReadLog, Streams,
};
use libcontainerd_core::ports::runtime::{Sweep, Swept};
use libcontainerd_core::stdio::{Endpoint, Endpoints, Log, Place, Unread};
use libcontainerd_stream::{self as stream, fifo};

use crate::ending::Ending;
use crate::hold::Holds;
use crate::kept::Kept;
use crate::names::{self, Fifos};
use crate::reader_lock::ReaderLock;
use crate::{Error, FifoReader, FifoWriter, copy, discard, error, placed};

/// The streams of processes as FIFOs `PROCESS-stdin`, `PROCESS-stdout` and `PROCESS-stderr` in a directory.
#[derive(Debug, Clone)]
pub struct FifoProcessIo {
    reader: Arc<str>,
    holds: Arc<Holds>,
    kept: Option<Kept>,
}

impl FifoProcessIo {
    /// Streams that are read in the name of `reader`: what a second one is told when it is refused.
    pub fn new(reader: impl Into<Arc<str>>) -> Self {
        Self { reader: reader.into(), holds: Arc::default(), kept: None }
    }

    /// The same, with kept output below `directory` (absolute), which is made when it is needed.
    #[must_use]
    pub fn keeping(mut self, directory: impl Into<PathBuf>) -> Self {
        self.kept = Some(Kept::new(directory.into()));
        self
    }

    fn kept(&self) -> Result<&Kept, Error> {
        self.kept.as_ref().ok_or(Error::KeepsNone)
    }

    /// The directory of what is, or may come to be, kept.
    fn log_of(&self, request: &IoRequest, directory: BorrowedFd<'_>) -> Result<Option<Log>, Error> {
        if !request.stdio.keeps() {
            return Ok(None);
        }
        // First, so that whoever finds nothing but the directory knows what else there is.
        let kept = self.kept()?;
        names::write_instance(directory, request)?;
        kept.prepare(request).map(Some).inspect_err(|_| {
            // An exec's is its container's too.
            if request.process.process.is_init() {
                names::remove_instance(directory);
            }
        })
    }

    /// Lets go of what was written to an earlier stdin of that name.
    fn let_go(&self, request: &IoRequest) {
        self.holds.end(&request.directory.join(names::stdin(&request.process.process)));
    }
}

impl Default for FifoProcessIo {
    /// In the name of the running program.
    fn default() -> Self {
        let program = std::env::current_exe().ok();
        let name = program.as_deref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy());
        Self::new(name.as_deref().unwrap_or("another program"))
    }
}

#[async_trait]
impl ProcessIo for FifoProcessIo {
    async fn prepare(&self, request: &IoRequest) -> CoreResult<Endpoints> {
        placed::check(&request.stdio)?;
        let (directory, fifos) = (names::open_directory(request)?, Fifos::made(request));
        let log = self.log_of(request, directory.as_fd())?;
        make_all(directory.as_fd(), &fifos, request.owner).inspect_err(|_| {
            if let (Some(kept), Some(log)) = (&self.kept, &log) {
                kept.undo(log);
                if request.process.process.is_init() {
                    names::remove_instance(directory.as_fd());
                }
            }
        })?;
        // Another program may have removed an earlier FIFO of this name.
        self.let_go(request);
        Ok(endpoints(request, fifos).kept_in(log))
    }

    async fn open(&self, request: &IoRequest, link: Arc<dyn ProcessLink>) -> CoreResult<Streams> {
        let directory = names::open_directory(request)?;
        let Fifos { stdin, stdout, stderr } = Fifos::live(request);
        if stdin.is_none() && stdout.is_none() && stderr.is_none() {
            return Ok(Streams::default());
        }
        let ends = Ends { directory, request, owners: names::owners(request), holds: &self.holds };
        let name = names::reader_lock(&request.process.process);
        let lock = match request.stdio.unread {
            Unread::Discard => ReaderLock::take_patiently(ends.directory.as_fd(), &name, &self.reader).await?,
            _ => ReaderLock::take(ends.directory.as_fd(), &name, &self.reader)?,
        };
        let lock = Arc::new(lock);
        let (stdout, stderr) = (ends.read(stdout, &link, &lock)?, ends.read(stderr, &link, &lock)?);
        Ok(Streams::new(ends.write(stdin, link, &lock)?, stdout, stderr))
    }

    async fn discard(&self, request: &IoRequest, limit: Duration) -> CoreResult<()> {
        Ok(discard::discard(request, &self.reader, limit).await?)
    }

    async fn remove(&self, request: &IoRequest) -> CoreResult<()> {
        self.let_go(request);
        let Some(directory) = error::unless_missing(names::open_directory(request))? else {
            return Ok(());
        };
        for name in names::all(&request.process.process) {
            fifo::remove(directory.as_fd(), &name).map_err(|source| Error::Remove { source })?;
        }
        match names::read_instance(directory.as_fd()) {
            Some(instance) if request.instance.is_none() && request.process.process.is_init() => {
                self.forget(instance).await
            }
            _ => Ok(()),
        }
    }

    async fn log(&self, process: &ProcessRef, instance: Instance, read: ReadLog) -> CoreResult<Box<dyn LogSource>> {
        Ok(Box::new(self.kept()?.open(&process.process, instance, read)?))
    }

    async fn forget(&self, instance: Instance) -> CoreResult<()> {
        match self.kept.clone() {
            Some(kept) if kept.has(instance) => aside(move || kept.forget(instance)).await,
            _ => Ok(()),
        }
    }

    async fn sweep(&self, living: &[Instance], how: Sweep) -> CoreResult<Vec<Swept>> {
        let (Some(kept), living) = (self.kept.clone(), living.to_vec()) else { return Ok(Vec::new()) };
        aside(move || kept.sweep(&living, how)).await
    }

    async fn copy(&self, from: &mut dyn OutputStream, to: &mut dyn InputStream) -> CoreResult<u64> {
        copy::copy(from, to).await
    }
}

/// Does what the disk may take long for, where nobody waits behind it.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> CoreResult<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(CoreError::new(ErrorKind::Internal, "work on kept output was given up").because(error)),
    }
}

/// The runtime's ends of what was made.
fn endpoints(request: &IoRequest, fifos: Fifos) -> Endpoints {
    let end = |place: Place, name: Option<String>| match (place, name) {
        (Place::Kept, Some(name)) => Endpoint::Kept(request.directory.join(name)),
        (_, Some(name)) => Endpoint::Fifo(request.directory.join(name)),
        (Place::Descriptor(number), None) => Endpoint::Descriptor(number),
        (_, None) => Endpoint::Null,
    };
    let (stdio, Fifos { stdin, stdout, stderr }) = (&request.stdio, fifos);
    let stderr_place = if stdio.terminal.is_some() { Place::Null } else { stdio.stderr };
    let ends = (end(stdio.stdin, stdin), end(stdio.stdout, stdout), end(stderr_place, stderr));
    let lock = request.directory.join(names::reader_lock(&request.process.process));
    Endpoints::new(ends.0, ends.1, ends.2, stdio).read_under(lock)
}

/// Makes all of them or, where one cannot be made, none.
fn make_all(directory: BorrowedFd<'_>, fifos: &Fifos, owner: Option<u32>) -> Result<(), Error> {
    let owner = owner.map(|uid| (uid, rustix::process::getegid().as_raw()));
    let mut made = Vec::new();
    for name in fifos.each() {
        if let Err(source) = fifo::make(directory, name, 0o600, owner) {
            for name in made {
                // The first error is the one to tell.
                let _ = fifo::remove(directory, name);
            }
            return Err(Error::Make { source });
        }
        made.push(name);
    }
    Ok(())
}

/// Where and whose the FIFOs are that are opened.
struct Ends<'a> {
    directory: OwnedFd,
    request: &'a IoRequest,
    owners: Vec<u32>,
    holds: &'a Arc<Holds>,
}

impl Ends<'_> {
    fn read(
        &self,
        name: Option<String>,
        link: &Arc<dyn ProcessLink>,
        lock: &Arc<ReaderLock>,
    ) -> Result<Option<Box<dyn OutputStream>>, Error> {
        let Some(name) = name else {
            return Ok(None);
        };
        let fifo = self.opened(&name, fifo::open_reader)?;
        if self.request.owner.is_some() {
            // The process was made, so its keeper has been here, and may have gone. The kernel reports an end only to
            // a reader that has seen a writer go: this one comes and goes at once.
            drop(self.opened(&name, fifo::open_writer)?);
        }
        let ending = Ending::new(self.request.stdio.drain, Arc::clone(link));
        Ok(Some(Box::new(FifoReader::new(fifo, ending, lock.clone())?)))
    }

    fn write(
        &self,
        name: Option<String>,
        link: Arc<dyn ProcessLink>,
        lock: &Arc<ReaderLock>,
    ) -> Result<Option<Box<dyn InputStream>>, Error> {
        let Some(name) = name else {
            return Ok(None);
        };
        let fifo = self.opened(&name, fifo::open_writer)?;
        let path = self.request.directory.join(&name);
        let hold = self.holds.begin(path, fifo.as_fd(), || self.opened(&name, fifo::open_reader))?;
        Ok(Some(Box::new(FifoWriter::new(fifo, hold, link, lock.clone())?)))
    }

    fn opened(&self, name: &str, open: Opening) -> Result<OwnedFd, Error> {
        open(self.directory.as_fd(), name, &self.owners).map_err(|source| Error::Open { source })
    }
}

type Opening = fn(BorrowedFd<'_>, &str, &[u32]) -> stream::Result<OwnedFd>;
