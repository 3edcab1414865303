//! Bytes from one stream to another by the fastest road that the two have.
//!
//! Streams of this crate are recognised and joined by the kernel (splice) or one buffer; where one side shares a
//! blocking description with other programs, by small turns; streams of others by the core's plain copy.
//!
//! Keeps: a closed sink is an end and no error: `a_closed_sink_ends_a_copy_without_an_error`.

use std::any::Any;
use std::io;

use libcontainerd_core::error::Result as CoreResult;
use libcontainerd_core::ports::process_io::{InputStream, OutputStream, copy_plainly};
use libcontainerd_stream::{Step, Transfer};
use tokio::io::{Interest, ReadBuf};

use crate::channel::Channel;
use crate::ending::Ending;
use crate::hold::Hold;
use crate::{DescriptorReader, DescriptorWriter, Error, FifoReader, FifoWriter};

/// Copies until the end or until the sink is closed, and says how many bytes.
pub(crate) async fn copy(from: &mut dyn OutputStream, to: &mut dyn InputStream) -> CoreResult<u64> {
    if !(is_source(from.as_any()) && is_sink(to.as_any())) {
        return copy_plainly(from, to).await;
    }
    let (mut no_hold, mut no_ending) = (None, Ending::of_its_own());
    let (Some(source), Some((sink, hold))) = (source(from, &mut no_ending), sink(to, &mut no_hold)) else {
        return Ok(0);
    };
    Ok(match sink {
        Some(sink) if source.0.is_patient() && sink.is_patient() => by_kernel(source, sink, hold).await?,
        Some(sink) => by_turns(source, sink, hold).await?,
        // It was shut down.
        None => 0,
    })
}

/// So many bytes go before others have their turn.
const TURN: usize = 1 << 20;
const BUFFER: usize = 64 << 10;

fn is_source(stream: &dyn Any) -> bool {
    stream.is::<FifoReader>() || stream.is::<DescriptorReader>()
}

fn is_sink(stream: &dyn Any) -> bool {
    stream.is::<FifoWriter>() || stream.is::<DescriptorWriter>()
}

type Source<'a> = (&'a Channel, &'a mut Ending);

fn source<'a>(from: &'a mut dyn OutputStream, no_ending: &'a mut Ending) -> Option<Source<'a>> {
    let from = from.as_any();
    if from.is::<FifoReader>() {
        return from.downcast_mut::<FifoReader>().map(FifoReader::parts);
    }
    from.downcast_ref::<DescriptorReader>().map(|from| (from.channel(), no_ending))
}

type Sink<'a> = (Option<&'a Channel>, &'a mut Option<Hold>);

fn sink<'a>(to: &'a mut dyn InputStream, no_hold: &'a mut Option<Hold>) -> Option<Sink<'a>> {
    let to = to.as_any();
    if to.is::<FifoWriter>() {
        return to.downcast_mut::<FifoWriter>().map(FifoWriter::parts);
    }
    to.downcast_ref::<DescriptorWriter>().map(|to| (to.channel(), no_hold))
}

async fn by_kernel((from, ending): Source<'_>, to: &Channel, hold: &mut Option<Hold>) -> Result<u64, Error> {
    let (mut transfer, mut moved) = (Transfer::between(from, to), 0);
    loop {
        let turn = ending.allowed(TURN);
        if turn == 0 {
            return Ok(moved);
        }
        let step = transfer.step(from, to, turn).map_err(|source| Error::Move { source })?;
        match step {
            Step::Moved(bytes) => {
                moved += bytes as u64;
                ending.note(bytes);
                Hold::note(hold, bytes);
                tokio::task::coop::consume_budget().await;
            }
            Step::SourceEmpty => tokio::select! {
                ready = from.ready(Interest::READABLE) => ready.map_err(|source| Error::Watch { source })?,
                () = std::future::poll_fn(|cx| ending.poll_over(from, cx)) => {}
            },
            Step::SinkFull => {
                tokio::select! {
                    ready = to.ready(Interest::WRITABLE) => ready.map_err(|source| Error::Watch { source })?,
                    () = std::future::poll_fn(|cx| Hold::poll_over(hold, cx)) => {}
                }
                Hold::note(hold, 0);
            }
            Step::End => {
                ending.close();
                return Ok(moved);
            }
            Step::SinkClosed => return Ok(moved),
        }
    }
}

async fn by_turns((from, ending): Source<'_>, to: &Channel, hold: &mut Option<Hold>) -> Result<u64, Error> {
    let (mut buffer, mut moved) = (vec![0; BUFFER], 0);
    loop {
        let mut read = ReadBuf::new(&mut buffer);
        std::future::poll_fn(|cx| ending.poll_read(from, cx, &mut read))
            .await
            .map_err(|source| Error::Read { source })?;
        let mut rest = read.filled();
        if rest.is_empty() {
            return Ok(moved);
        }
        while !rest.is_empty() {
            match std::future::poll_fn(|cx| Hold::poll_write(hold, to, cx, rest)).await {
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
