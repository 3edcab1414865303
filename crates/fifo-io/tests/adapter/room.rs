//! A directory with the streams of one process, and the runtime's side of them.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use libcontainerd_core::id::ProcessRef;
use libcontainerd_core::ports::process_io::{IoRequest, ProcessIo, ProcessLink, Streams};
use libcontainerd_core::stdio::Stdio;
use libcontainerd_fifo_io::FifoProcessIo;
use libcontainerd_stream::fifo;
use tempfile::TempDir;
use tokio::sync::watch;

/// Counts how often stdin was closed.
#[derive(Debug, Default)]
pub(crate) struct Closings {
    told: AtomicUsize,
    ended: watch::Sender<bool>,
}

impl Closings {
    pub(crate) fn told(&self) -> usize {
        self.told.load(Ordering::SeqCst)
    }

    /// The process has ended.
    pub(crate) fn end(&self) {
        self.ended.send_replace(true);
    }
}

#[async_trait]
impl ProcessLink for Closings {
    fn close(&self) {
        self.told.fetch_add(1, Ordering::SeqCst);
    }

    async fn ended(&self) {
        self.ended.subscribe().wait_for(|ended| *ended).await.unwrap();
    }
}

/// A bundle's directory in which the process `init` has its streams.
pub(crate) struct Room {
    pub(crate) directory: TempDir,
    pub(crate) request: IoRequest,
    pub(crate) io: FifoProcessIo,
    pub(crate) closings: Arc<Closings>,
}

impl Room {
    /// With nothing in it.
    pub(crate) fn bare(stdio: Stdio) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let process = ProcessRef::new("web".parse().unwrap(), "init".parse().unwrap());
        let request = IoRequest::new(process, directory.path().into(), stdio);
        Self { directory, request, io: FifoProcessIo::new("tester"), closings: Arc::default() }
    }

    /// With its streams made.
    pub(crate) async fn prepared(stdio: Stdio) -> Self {
        let room = Self::bare(stdio);
        room.io.prepare(&room.request).await.unwrap();
        room
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What is in the directory, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = self.directory.path().read_dir().unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) async fn open(&self) -> libcontainerd_core::Result<Streams> {
        self.io.open(&self.request, self.closings.clone()).await
    }

    /// Both ends of a FIFO, as the runtime's keeper has them; non-blocking.
    pub(crate) fn keep(&self, stream: &str) -> OwnedFd {
        fifo::open_keeper(self.at().as_fd(), &format!("init-{stream}"), &[us()]).unwrap()
    }

    /// The runtime's end to write output to; non-blocking.
    pub(crate) fn output(&self, stream: &str) -> OwnedFd {
        fifo::open_writer(self.at().as_fd(), &format!("init-{stream}"), &[us()]).unwrap()
    }

    /// The runtime's end to read stdin from; non-blocking.
    pub(crate) fn input(&self) -> OwnedFd {
        fifo::open_reader(self.at().as_fd(), "init-stdin", &[us()]).unwrap()
    }

    fn at(&self) -> File {
        File::open(self.directory.path()).unwrap()
    }
}

pub(crate) fn us() -> u32 {
    rustix::process::geteuid().as_raw()
}
