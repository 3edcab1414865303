//! What a program wrote and how it ended, collected while it runs.
//!
//! All streams are served at once, so that no order of reading and writing can lock up; beyond the limit output is
//! read on and thrown away, so that a chatty program ends too.

use std::convert::Infallible;

use libcontainerd_core::ports::process_io::{EndOfOutput, InputStream, OutputStream};
use libcontainerd_core::{Error, ErrorKind, Exit, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::child::Child;

/// How much of each stream is kept unless told otherwise, in bytes.
pub(crate) const DEFAULT_LIMIT: usize = 16 << 20;

const BUFFER: usize = 64 * 1024;

/// What a program wrote and how it ended.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// How it ended: a value, also when it failed.
    pub exit: Exit,
    /// What it wrote to stdout, up to the limit.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr, up to the limit.
    pub stderr: Vec<u8>,
    /// Whether it wrote more to one of them.
    pub truncated: bool,
    /// Whether somebody whom it left behind had one of them still open when the drain was over.
    pub left_open: bool,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output")
            .field("exit", &self.exit)
            .field("stdout", &format_args!("[{} bytes]", self.stdout.len()))
            .field("stderr", &format_args!("[{} bytes]", self.stderr.len()))
            .field("truncated", &self.truncated)
            .field("left_open", &self.left_open)
            .finish()
    }
}

/// Serves the streams of `child` until it has ended and all it wrote is read.
pub(crate) async fn collect(child: &mut Child, input: Option<Vec<u8>>, limit: usize) -> Result<Output> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let ending = async {
        let (stdout, stderr, exit) = tokio::join!(bounded(stdout, limit), bounded(stderr, limit), child.wait());
        let (stdout, stderr) = (stdout?, stderr?);
        Ok(Output {
            exit: exit?,
            truncated: stdout.more || stderr.more,
            left_open: stdout.left_open || stderr.left_open,
            stdout: stdout.kept,
            stderr: stderr.kept,
        })
    };
    tokio::select! {
        output = ending => output,
        never = feed(stdin, input) => match never {},
    }
}

/// What came of one stream.
#[derive(Default)]
struct Bounded {
    kept: Vec<u8>,
    more: bool,
    left_open: bool,
}

async fn bounded(stream: Option<Box<dyn OutputStream>>, limit: usize) -> Result<Bounded> {
    let mut of = Bounded::default();
    let Some(mut stream) = stream else { return Ok(of) };
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = stream
            .read(&mut buffer)
            .await
            .map_err(|e| Error::new(ErrorKind::System, "the program's output could not be read").because(e))?;
        if count == 0 {
            of.left_open = stream.end() == Some(EndOfOutput::Drained);
            return Ok(of);
        }
        let wanted = count.min(limit - of.kept.len());
        of.kept.extend_from_slice(&buffer[..wanted]);
        of.more |= wanted < count;
    }
}

/// Never ends by itself: a program may go on long after it has read everything, or end without reading it.
async fn feed(stdin: Option<Box<dyn InputStream>>, input: Option<Vec<u8>>) -> Infallible {
    if let Some(mut stdin) = stdin {
        let written = stdin.write_all(&input.unwrap_or_default()).await;
        if let Err(error) = written.and(stdin.shutdown().await) {
            tracing::debug!(%error, "the program closed its stdin before all was written");
        }
    }
    std::future::pending().await
}
