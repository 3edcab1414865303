//! Bytes from one stream to another by the fastest road that the two have.
//!
//! Streams of this crate are recognised and joined by the kernel (splice) or one buffer; where one side shares a
//! blocking description with other programs, by small turns; streams of others by the core's plain copy.
//!
//! Keeps: a closed sink ends a copy without an error.

use std::io;

use libcontainerd_core::error::{Error as CoreError, ErrorKind, Result as CoreResult};
use libcontainerd_core::ports::process_io::{InputStream, OutputStream, copy_plainly};
use libcontainerd_stream::{Step, Transfer};
use tokio::io::{Interest, ReadBuf};

use crate::channel::Channel;
use crate::{DescriptorReader, DescriptorWriter, Error, FifoReader, FifoWriter};

/// Copies until the end or until the sink is closed, and says how many bytes.
pub(crate) async fn copy(from: &mut dyn OutputStream, to: &mut dyn InputStream) -> CoreResult<u64> {
    if !is_ours(from, to) {
        return copy_plainly(from, to).await;
    }
    let Some(source) = source(from) else {
        return Err(CoreError::new(ErrorKind::Internal, "a source that was ours is not"));
    };
    match sink(to).await {
        Ok(Some(sink)) => Ok(between(source, sink).await?),
        Ok(None) => Ok(0),
        Err(source) => Err(Error::Watch { source }.into()),
    }
}

/// So many bytes go before others have their turn.
const TURN: usize = 1 << 20;
const BUFFER: usize = 64 << 10;

fn is_ours(from: &mut dyn OutputStream, to: &mut dyn InputStream) -> bool {
    let (from, to) = (from.as_any(), to.as_any());
    (from.is::<FifoReader>() || from.is::<DescriptorReader>()) && (to.is::<FifoWriter>() || to.is::<DescriptorWriter>())
}

fn source(from: &mut dyn OutputStream) -> Option<&Channel> {
    let from = &*from.as_any();
    let fifo = from.downcast_ref::<FifoReader>().map(FifoReader::channel);
    fifo.or_else(|| from.downcast_ref::<DescriptorReader>().map(DescriptorReader::channel))
}

/// The sink's channel, once it has one: a stdin waits for its runtime, and has none after it was closed.
async fn sink(to: &mut dyn InputStream) -> io::Result<Option<&Channel>> {
    if to.as_any().is::<FifoWriter>() {
        return match to.as_any().downcast_mut::<FifoWriter>() {
            Some(fifo) => fifo.channel().await.map(Some),
            None => Ok(None),
        };
    }
    Ok(to.as_any().downcast_ref::<DescriptorWriter>().and_then(DescriptorWriter::channel))
}

async fn between(from: &Channel, to: &Channel) -> Result<u64, Error> {
    if from.is_patient() && to.is_patient() { by_kernel(from, to).await } else { by_turns(from, to).await }
}

async fn by_kernel(from: &Channel, to: &Channel) -> Result<u64, Error> {
    let (mut transfer, mut moved) = (Transfer::between(from, to), 0);
    loop {
        let step = transfer.step(from, to, TURN).map_err(|source| Error::Move { source })?;
        match step {
            Step::Moved(bytes) => {
                moved += bytes as u64;
                tokio::task::coop::consume_budget().await;
            }
            Step::SourceEmpty => from.ready(Interest::READABLE).await.map_err(|source| Error::Watch { source })?,
            Step::SinkFull => to.ready(Interest::WRITABLE).await.map_err(|source| Error::Watch { source })?,
            Step::End | Step::SinkClosed => return Ok(moved),
        }
    }
}

async fn by_turns(from: &Channel, to: &Channel) -> Result<u64, Error> {
    let (mut buffer, mut moved) = (vec![0; BUFFER], 0);
    loop {
        let mut read = ReadBuf::new(&mut buffer);
        std::future::poll_fn(|cx| from.poll_read(cx, &mut read)).await.map_err(|source| Error::Read { source })?;
        let mut rest = read.filled();
        if rest.is_empty() {
            return Ok(moved);
        }
        while !rest.is_empty() {
            match std::future::poll_fn(|cx| to.poll_write(cx, rest)).await {
                Ok(written) => {
                    moved += written as u64;
                    rest = &rest[written..];
                }
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(moved),
                Err(source) => return Err(Error::Write { source }),
            }
        }
    }
}
