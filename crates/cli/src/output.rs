//! What a program wrote and how it ended, collected while it runs.
//!
//! All streams are served at once, so that no order of reading and writing can lock up; beyond the limit output is
//! read on and thrown away, so that a chatty program ends too.

use std::convert::Infallible;

use libcontainerd_core::ports::process_io::{InputStream, OutputStream};
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
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output")
            .field("exit", &self.exit)
            .field("stdout", &format_args!("[{} bytes]", self.stdout.len()))
            .field("stderr", &format_args!("[{} bytes]", self.stderr.len()))
            .field("truncated", &self.truncated)
            .finish()
    }
}

/// Serves the streams of `child` until it has ended and all it wrote is read.
pub(crate) async fn collect(child: &mut Child, input: Option<Vec<u8>>, limit: usize) -> Result<Output> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let ending = async {
        let (stdout, stderr, exit) = tokio::join!(bounded(stdout, limit), bounded(stderr, limit), child.wait());
        let ((stdout, more_out), (stderr, more_err)) = (stdout?, stderr?);
        Ok(Output { exit: exit?, stdout, stderr, truncated: more_out || more_err })
    };
    tokio::select! {
        output = ending => output,
        never = feed(stdin, input) => match never {},
    }
}

async fn bounded(stream: Option<Box<dyn OutputStream>>, limit: usize) -> Result<(Vec<u8>, bool)> {
    let (mut kept, mut more) = (Vec::new(), false);
    let Some(mut stream) = stream else { return Ok((kept, more)) };
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = stream
            .read(&mut buffer)
            .await
            .map_err(|e| Error::new(ErrorKind::System, "the program's output could not be read").because(e))?;
        if count == 0 {
            return Ok((kept, more));
        }
        let wanted = count.min(limit - kept.len());
        kept.extend_from_slice(&buffer[..wanted]);
        more |= wanted < count;
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
