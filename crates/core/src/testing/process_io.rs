//! Streams of processes in memory: the port `ProcessIo` over named pipes.
//!
//! The runtime's end of a stream is an endpoint by name; the program's end is a reader or writer of the same pipe.
//! A reader claims its pipe and gives it back when dropped: a second one meanwhile is refused, a later one finds
//! everything that is still held. What is kept the runtime reads itself, into a log from which any number read.
//!
//! Imitates FIFOs with their keeper; not: file modes and owners, descriptors, a fast road between two streams.

use std::any::Any;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::kept::{self, Shelf};
use super::pipe::{Pipe, Pipes};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{Instance, ProcessRef};
use crate::ports::process_io::{
    InputStream, IoRequest, LogSource, OutputKind, OutputStream, ProcessIo, ProcessLink, ReadLog, Streams,
};
use crate::ports::runtime::{Sweep, Swept};
use crate::stdio::{Endpoint, Endpoints, Log, Place, Unread};

/// The streams of one machine in memory.
#[derive(Debug)]
pub struct MemoryProcessIo {
    pipes: Pipes,
    shelf: Shelf,
}

impl MemoryProcessIo {
    pub(super) fn new(pipes: Pipes, shelf: Shelf) -> Self {
        MemoryProcessIo { pipes, shelf }
    }

    /// Where the output of a request is kept, if any of it is.
    fn log_of(&self, request: &IoRequest) -> Result<Option<Log>> {
        if !request.stdio.keeps() {
            return Ok(None);
        }
        let unnamed = || Error::new(ErrorKind::InvalidArgument, "kept output belongs to a creation of a container");
        let instance = request.instance.ok_or_else(unnamed)?;
        Ok(Some(Log::new(kept::place(instance, &request.process.process), request.stdio.keep)))
    }

    fn reader(&self, name: Option<String>) -> Result<Option<Reader>> {
        let Some(name) = name else { return Ok(None) };
        let pipe = self.pipes.open(&name).ok_or_else(|| gone(&name))?;
        if !pipe.claim() {
            let message = format!("{name} is being read by another reader, in this program");
            return Err(Error::new(ErrorKind::WrongState, message));
        }
        Ok(Some(Reader { pipe }))
    }

    fn writer(&self, name: Option<String>, closer: Arc<dyn ProcessLink>) -> Result<Option<Writer>> {
        let Some(name) = name else { return Ok(None) };
        let pipe = self.pipes.open(&name).ok_or_else(|| gone(&name))?;
        pipe.add_writer();
        Ok(Some(Writer { pipe: Some(pipe), closer }))
    }
}

fn gone(name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no stream {name}"))
}

/// The places of a request's streams: stdin, stdout, stderr.
fn places(request: &IoRequest) -> [Place; 3] {
    let stdio = &request.stdio;
    let stderr = if stdio.terminal.is_some() { Place::Null } else { stdio.stderr };
    [stdio.stdin, stdio.stdout, stderr]
}

/// The names of the pipes that a request has at places that `wanted` accepts: stdin, stdout, stderr.
fn names(request: &IoRequest, wanted: impl Fn(Place) -> bool) -> [Option<String>; 3] {
    let [stdin, stdout, stderr] = places(request);
    let name = |place: Place, stream: &str| {
        let path = request.directory.join(format!("{}-{stream}", request.process.process));
        wanted(place).then(|| path.to_string_lossy().into_owned())
    };
    [name(stdin, "stdin"), name(stdout, "stdout"), name(stderr, "stderr")]
}

fn live(place: Place) -> bool {
    place == Place::Stream
}

fn piped(place: Place) -> bool {
    matches!(place, Place::Stream | Place::Kept)
}

/// The outputs of a request that are kept, or may come to be.
fn kept_kinds(request: &IoRequest) -> Vec<OutputKind> {
    let [_, stdout, stderr] = places(request);
    let spills = request.stdio.unread == Unread::Keep;
    let kept = |place: Place| place == Place::Kept || (spills && place == Place::Stream);
    let both = [(OutputKind::Stdout, stdout), (OutputKind::Stderr, stderr)];
    both.into_iter().filter(|(_, place)| kept(*place)).map(|(kind, _)| kind).collect()
}

#[async_trait]
impl ProcessIo for MemoryProcessIo {
    async fn prepare(&self, request: &IoRequest) -> Result<Endpoints> {
        if places(request).iter().any(|place| matches!(place, Place::Descriptor(_))) {
            return Err(Error::new(ErrorKind::Unsupported, "a machine in memory has no descriptors"));
        }
        let log = self.log_of(request)?;
        let names = names(request, piped);
        let mut made: Vec<&String> = Vec::new();
        for name in names.iter().flatten() {
            if !self.pipes.make(name) {
                made.iter().for_each(|name| self.pipes.unlink(name));
                return Err(Error::new(ErrorKind::AlreadyExists, format!("the stream {name} is there already")));
            }
            made.push(name);
        }
        if let Some(log) = &log {
            self.shelf.make(&log.directory, log.keep, &kept_kinds(request));
        }
        let places = places(request);
        let end = |at: usize| match (&names[at], places[at]) {
            (None, _) => Endpoint::Null,
            (Some(name), Place::Kept) => Endpoint::Kept(name.into()),
            (Some(name), _) => Endpoint::Memory(name.clone()),
        };
        Ok(Endpoints::new(end(0), end(1), end(2), &request.stdio).kept_in(log))
    }

    async fn open(&self, request: &IoRequest, closer: Arc<dyn ProcessLink>) -> Result<Streams> {
        let [stdin, stdout, stderr] = names(request, live);
        let stdout = self.reader(stdout)?;
        let stderr = self.reader(stderr)?;
        let stdin = self.writer(stdin, closer)?;
        Ok(Streams::new(
            stdin.map(|s| Box::new(s) as _),
            stdout.map(|s| Box::new(s) as _),
            stderr.map(|s| Box::new(s) as _),
        ))
    }

    async fn discard(&self, request: &IoRequest, limit: Duration) -> Result<()> {
        let [_, stdout, stderr] = names(request, live);
        let (stdout, stderr) = (self.reader(stdout)?, self.reader(stderr)?);
        let swallow = async { tokio::join!(discard(stdout), discard(stderr)) };
        // What is not there at the limit is not waited for: the caller goes on either way.
        let _ = tokio::time::timeout(limit, swallow).await;
        Ok(())
    }

    async fn remove(&self, request: &IoRequest) -> Result<()> {
        names(request, |_| true).iter().flatten().for_each(|name| self.pipes.unlink(name));
        Ok(())
    }

    async fn log(&self, process: &ProcessRef, instance: Instance, read: ReadLog) -> Result<Box<dyn LogSource>> {
        let log = self.shelf.open(&kept::place(instance, &process.process));
        let log = log.ok_or_else(|| Error::new(ErrorKind::NotFound, "no output of it is kept"));
        log.map(|log| log.read(read)).map_err(|e| e.on(&process.container).of(&process.process))
    }

    async fn forget(&self, instance: Instance) -> Result<()> {
        self.shelf.forget(instance);
        Ok(())
    }

    async fn sweep(&self, living: &[Instance], how: Sweep) -> Result<Vec<Swept>> {
        let orphans = self.shelf.orphans(living);
        if how == Sweep::Remove {
            orphans.iter().for_each(|at| self.shelf.remove(at));
        }
        Ok(orphans.iter().map(|at| Swept::new("directory", at.to_string_lossy())).collect())
    }
}

async fn discard(reader: Option<Reader>) {
    let Some(mut reader) = reader else { return };
    let mut buffer = vec![0; 64 * 1024];
    while matches!(reader.read(&mut buffer).await, Ok(count) if count > 0) {}
}

struct Reader {
    pipe: Arc<Pipe>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("memory reader")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.pipe.unclaim();
    }
}

impl AsyncRead for Reader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.pipe.poll_read(cx, buffer).map(Ok)
    }
}

impl OutputStream for Reader {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

struct Writer {
    /// Until it was shut down.
    pipe: Option<Arc<Pipe>>,
    closer: Arc<dyn ProcessLink>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("memory writer")
    }
}

impl Writer {
    fn let_go(&mut self) {
        if let Some(pipe) = self.pipe.take() {
            pipe.remove_writer();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl AsyncWrite for Writer {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &self.pipe {
            Some(pipe) => pipe.poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.let_go();
        self.closer.close();
        Poll::Ready(Ok(()))
    }
}

impl InputStream for Writer {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
