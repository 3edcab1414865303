//! A process of a container and the caller's ends of its streams.
//!
//! As `std::process::Child`: the streams are public and taken by whoever wants them; waiting needs none of them.

use libcontainerd_core::client::{Client, Logs};
use libcontainerd_core::ports::process_io::{InputStream, OutputStream, Streams};
use libcontainerd_core::stdio::TerminalSize;
use libcontainerd_core::{Exit, ProcessRef, Result, Signal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const DISCARD: usize = 64 * 1024;

/// A process, the first of its container or a further one.
#[derive(Debug)]
pub struct Child {
    /// To its stdin or terminal, where it was placed here. Shutting it down closes the process's stdin.
    pub stdin: Option<Box<dyn InputStream>>,
    /// From its stdout or terminal, where it was placed here.
    pub stdout: Option<Box<dyn OutputStream>>,
    /// From its stderr, where it was placed here and there is no terminal.
    pub stderr: Option<Box<dyn OutputStream>>,
    client: Client,
    process: ProcessRef,
}

impl Child {
    pub(crate) fn new(client: Client, process: ProcessRef, streams: Streams) -> Self {
        let Streams { stdin, stdout, stderr, .. } = streams;
        Child { stdin, stdout, stderr, client, process }
    }

    pub(crate) fn without_streams(client: Client, process: ProcessRef) -> Self {
        Child::new(client, process, Streams::default())
    }

    /// Which process.
    pub fn process(&self) -> &ProcessRef {
        &self.process
    }

    /// Its exit, once it has ended; at once when it has.
    ///
    /// # Errors
    /// `NotFound` when nobody knows it any more.
    ///
    /// # Cancellation
    /// Leaves no trace.
    pub async fn wait(&self) -> Result<Exit> {
        self.client.wait(&self.process).await
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` when it has ended.
    pub async fn signal(&self, signal: Signal) -> Result<()> {
        self.client.signal_process(&self.process, signal).await
    }

    /// Kills it.
    ///
    /// # Errors
    /// As [`Child::signal`].
    pub async fn kill(&self) -> Result<()> {
        self.signal(Signal::KILL).await
    }

    /// Sets the size of its terminal.
    ///
    /// # Errors
    /// `WrongState` when it has none.
    pub async fn resize(&self, size: TerminalSize) -> Result<()> {
        self.client.resize(&self.process, size).await
    }

    /// Closes its stdin, wherever that was placed.
    ///
    /// # Errors
    /// As the runtime's; closing twice is none.
    pub async fn close_stdin(&mut self) -> Result<()> {
        match self.stdin.take() {
            Some(mut stdin) => {
                // A process that is gone has no stdin to close.
                let _ = stdin.shutdown().await;
                Ok(())
            }
            None => self.client.close_stdin(&self.process).await,
        }
    }

    /// Its kept output, to be read from any byte on, line by line, or followed.
    pub fn logs(&self) -> Logs {
        self.client.logs(&self.process)
    }

    /// Its exit, while what it still writes is thrown away.
    ///
    /// # Errors
    /// As [`Child::wait`].
    pub async fn wait_and_discard(&mut self) -> Result<Exit> {
        let streams = (discard(self.stdout.as_mut()), discard(self.stderr.as_mut()));
        let (_, _, exit) = tokio::join!(streams.0, streams.1, self.client.wait(&self.process));
        exit
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }
}

async fn discard(stream: Option<&mut Box<dyn OutputStream>>) {
    let Some(stream) = stream else { return };
    let mut buffer = vec![0; DISCARD];
    while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_move_between_threads(_: &impl Send) {}

    #[test]
    fn what_waits_for_a_child_may_move_between_threads() {
        fn waits(child: &Child) -> impl Future<Output = Result<Exit>> {
            child.wait()
        }
        let check = |child: &Child| may_move_between_threads(&waits(child));
        let _: &dyn Fn(&Child) = &check;
    }
}
