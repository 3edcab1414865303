//! Attach: the streams of a process that somebody has started.
//!
//! A live stream is opened for this one reader. Output that is kept is followed instead, so that any number attach to
//! it, from any offset, and take nothing from each other.

use std::sync::Arc;

use super::delete::stdio_of;
use super::logs::LogReader;
use super::tasks::within;
use super::{Client, Shared};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{Instance, ProcessRef};
use crate::ports::process_io::{IoRequest, OutputKind, OutputStream, ReadFrom, ReadLog, Streams};
use crate::stdio::Place;

impl Client {
    /// Opens the streams of a process, whoever started it, for the caller and not for the backend; kept output from
    /// now on.
    ///
    /// Shutting the stdin stream down closes the process's stdin, as [`Client::close_stdin`].
    ///
    /// # Errors
    /// `NotFound`, also when its streams are gone with it; `WrongState` when another one reads them.
    pub async fn attach(&self, process: &ProcessRef) -> Result<Streams> {
        self.attach_from(process, ReadFrom::Now).await
    }

    /// The same, with kept output from there. Live streams begin with what nobody has read.
    ///
    /// Bytes that are not kept any more are passed over: [`Client::logs`] says which.
    ///
    /// # Errors
    /// As [`Client::attach`].
    pub async fn attach_from(&self, process: &ProcessRef, from: ReadFrom) -> Result<Streams> {
        let attached = self.shared.attach(process, from, true);
        within("attach", &process.container, attached).await.map_err(|e| e.of(&process.process))
    }

    /// The same without stdin, which stays whoever's it is.
    ///
    /// # Errors
    /// As [`Client::attach`]; where all output is kept nobody is in the way.
    pub async fn attach_output(&self, process: &ProcessRef, from: ReadFrom) -> Result<Streams> {
        let attached = self.shared.attach(process, from, false);
        within("attach", &process.container, attached).await.map_err(|e| e.of(&process.process))
    }
}

impl Shared {
    async fn attach(self: &Arc<Self>, process: &ProcessRef, from: ReadFrom, stdin: bool) -> Result<Streams> {
        let (container, status) = self.opened(&process.container).await?;
        let found = status.process(&process.process);
        let found = found.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such process, or no longer"))?;
        let stdio = stdio_of(&status, &process.process);
        let ours = container.streams(&process.process);
        let mut request = ours.unwrap_or_else(|| IoRequest::new(process.clone(), status.bundle.clone(), stdio));
        if !stdin {
            request.stdio.stdin = Place::Null;
        }
        request.owner = Some(found.stream_owner);
        request.instance = Some(status.instance);
        let mut streams = self.io.open(&request, container.closer(&process.process)).await?;
        if request.stdio.stdout == Place::Kept {
            streams.stdout = Some(self.kept(process, status.instance, from, OutputKind::Stdout).await?);
        }
        if request.stdio.stderr == Place::Kept {
            streams.stderr = Some(self.kept(process, status.instance, from, OutputKind::Stderr).await?);
        }
        Ok(streams)
    }

    async fn kept(
        &self,
        process: &ProcessRef,
        instance: Instance,
        from: ReadFrom,
        kind: OutputKind,
    ) -> Result<Box<dyn OutputStream>> {
        let read = ReadLog { from, follow: true, only: Some(kind) };
        let source = self.io.log(process, instance, read).await?;
        Ok(Box::new(LogReader::new(source)))
    }
}
