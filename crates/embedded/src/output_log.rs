//! Where the output of a process is kept: which of its outputs, in which log, under which limits.
//!
//! Known to both sides: a monitor writes the log, and whoever settles a container after its monitors says in it which
//! outputs were broken off, so that nobody follows them for ever.
//!
//! Does not know: where bytes come from, when a log ends.

use std::os::fd::OwnedFd;

use libcontainerd_core::stdio::{Endpoint, Endpoints, Log, Unread, WhenFull};
use libcontainerd_stream::log::{Channel, Limits, Why, Writer};
use rustix::fs::{Mode, OFlags};

use crate::fault::Fault;
use crate::record::History;

/// The outputs that are kept or, with [`Unread::Keep`], may come to be.
pub(crate) fn channels(endpoints: &Endpoints) -> Vec<Channel> {
    let ends = [(Channel::Stdout, &endpoints.stdout), (Channel::Stderr, &endpoints.stderr)];
    let is_kept = |end: &Endpoint| match end {
        Endpoint::Kept(_) => true,
        Endpoint::Fifo(_) => endpoints.unread == Unread::Keep,
        _ => false,
    };
    ends.into_iter().filter(|(_, end)| is_kept(end)).map(|(channel, _)| channel).collect()
}

/// Opens the log for a process that is about to be made.
///
/// # Errors
/// `Log`, also when the disk takes nothing; `Open` when its directory cannot be opened.
pub(crate) fn open(log: &Log, channels: &[Channel]) -> Result<Writer, Fault> {
    let mut writer = Writer::open(directory(log)?, limits(log), channels)?;
    writer.trouble().map_or(Ok(writer), |trouble| Err(Fault::Log(trouble)))
}

/// Opens the log of a process that was made by a monitor that died; `None` when it was removed.
///
/// # Errors
/// `Log`; `Open`.
pub(crate) fn resume(log: &Log, channels: &[Channel]) -> Result<Option<Writer>, Fault> {
    match directory(log) {
        Ok(directory) => Ok(Some(Writer::resume(directory, limits(log), channels)?)),
        Err(Fault::Open { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Says in the logs of a container that nobody supervises any more that what has not ended is broken off.
pub(crate) fn break_off(history: &History) {
    for process in &history.processes {
        if let Err(fault) = break_off_one(&process.made.endpoints) {
            // What is known of the container does not hang on it: who follows this log goes on to wait.
            tracing::warn!(container.id = %history.creating.id, process.id = %process.made.id, error = %fault,
                "that its output is broken off cannot be written down");
        }
    }
}

/// Says so in the log of one process.
///
/// # Errors
/// `Log`; `Open`.
pub(crate) fn break_off_one(endpoints: &Endpoints) -> Result<(), Fault> {
    let channels = channels(endpoints);
    let Some(log) = endpoints.log.as_ref().filter(|_| !channels.is_empty()) else { return Ok(()) };
    let Some(mut writer) = resume(log, &channels)? else { return Ok(()) };
    for channel in channels {
        if !writer.ended(channel) {
            writer.end(channel, Why::Broken)?;
        }
    }
    Ok(())
}

fn limits(log: &Log) -> Limits {
    let keep = log.keep;
    Limits { segment: keep.segment, segments: keep.segments, drop_when_full: keep.when_full == WhenFull::Drop }
}

fn directory(log: &Log) -> Result<OwnedFd, Fault> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(&log.directory, flags, Mode::empty())
        .map_err(|errno| Fault::Open { path: log.directory.clone(), source: errno.into() })
}
