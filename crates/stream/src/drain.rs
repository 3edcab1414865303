//! Bytes that nobody will read, and questions about what is left and who is there.
//!
//! All look before they read, so that a descriptor without `O_NONBLOCK` does not block them either.
//!
//! Keeps: a writer that never rests cannot hold the caller: `a_source_that_never_runs_dry_holds_nobody`.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};

use crate::{Error, Result};

/// The most that one call of [`discard`] throws away, in bytes.
pub const AT_ONCE: u64 = 16 << 20;

const CHUNK: usize = 64 << 10;

/// What [`discard`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discarded {
    /// How many bytes were thrown away.
    pub bytes: u64,
    /// Whether the end was reached: no writer is left.
    pub ended: bool,
}

/// Reads what is there and throws it away, at most [`AT_ONCE`] bytes.
///
/// Once it returned with less than that, the source was empty for a moment or has ended.
///
/// # Errors
/// `Examine`, `Read`.
pub fn discard(source: impl AsFd) -> Result<Discarded> {
    let source = source.as_fd();
    let mut chunk = [0; CHUNK];
    let mut bytes = 0;
    while bytes < AT_ONCE && is_readable(source)? {
        match retry_on_intr(|| rustix::io::read(source, &mut chunk[..])) {
            Ok(0) => return Ok(Discarded { bytes, ended: true }),
            Ok(n) => bytes += n as u64,
            Err(Errno::AGAIN) => break,
            // A terminal whose other side was closed.
            Err(Errno::IO) => return Ok(Discarded { bytes, ended: true }),
            Err(errno) => {
                return Err(Error::Read { source: errno.into() });
            }
        }
    }
    Ok(Discarded { bytes, ended: false })
}

/// Tells whether there is nothing to read at this moment; an ended source is empty too.
///
/// # Errors
/// `Examine`.
pub fn is_empty(source: impl AsFd) -> Result<bool> {
    let source = source.as_fd();
    match rustix::io::ioctl_fionread(source) {
        Ok(bytes) => Ok(bytes == 0),
        Err(Errno::NOTTY | Errno::INVAL) => is_readable(source).map(|readable| !readable),
        Err(errno) => Err(Error::Examine { source: errno.into() }),
    }
}

/// Tells whether a read would return at once, be it with bytes, with the end or with an error.
///
/// # Errors
/// `Examine`.
pub fn is_readable(source: impl AsFd) -> Result<bool> {
    let ready = readiness(source.as_fd(), PollFlags::IN)?;
    Ok(ready.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR))
}

/// Tells whether a write would return at once, be it with success or with an error.
///
/// # Errors
/// `Examine`.
pub fn is_writable(sink: impl AsFd) -> Result<bool> {
    let ready = readiness(sink.as_fd(), PollFlags::OUT)?;
    Ok(ready.intersects(PollFlags::OUT | PollFlags::HUP | PollFlags::ERR))
}

/// Tells whether writers have come to this read end and are all gone; what they wrote may still be there.
///
/// # Errors
/// `Examine`.
pub fn has_lost_its_writers(reader: impl AsFd) -> Result<bool> {
    Ok(readiness(reader.as_fd(), PollFlags::IN)?.contains(PollFlags::HUP))
}

/// Tells whether somebody has the read end of this write end.
///
/// # Errors
/// `Examine`.
pub fn has_a_reader(writer: impl AsFd) -> Result<bool> {
    Ok(!readiness(writer.as_fd(), PollFlags::OUT)?.contains(PollFlags::ERR))
}

/// Asks for the present readiness, without waiting.
fn readiness(fd: BorrowedFd<'_>, wanted: PollFlags) -> Result<PollFlags> {
    let mut asked = [PollFd::from_borrowed_fd(fd, wanted)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    retry_on_intr(|| poll(&mut asked, Some(&now))).map_err(|errno| Error::Examine { source: errno.into() })?;
    Ok(asked[0].revents())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_is_there_is_thrown_away_and_the_end_is_told() {
        // A pipe that blocks: the second call would hang if it read without looking.
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        rustix::io::write(&writer, &[1; 5000]).unwrap();
        let present = Discarded { bytes: 5000, ended: false };
        assert_eq!(discard(&reader).unwrap(), present);
        let nothing = Discarded { bytes: 0, ended: false };
        assert_eq!(discard(&reader).unwrap(), nothing);
        drop(writer);
        let ended = Discarded { bytes: 0, ended: true };
        assert_eq!(discard(&reader).unwrap(), ended);
    }

    #[test]
    fn a_source_that_never_runs_dry_holds_nobody() {
        let zeros = std::fs::File::open("/dev/zero").unwrap();
        let bounded = Discarded { bytes: AT_ONCE, ended: false };
        assert_eq!(discard(zeros).unwrap(), bounded);
    }

    #[test]
    fn both_ends_know_whether_the_other_is_gone() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        assert!(has_a_reader(&writer).unwrap() && !has_lost_its_writers(&reader).unwrap());
        rustix::io::write(&writer, b"last").unwrap();
        drop(writer);
        assert!(has_lost_its_writers(&reader).unwrap() && !is_empty(&reader).unwrap());
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        drop(reader);
        assert!(!has_a_reader(&writer).unwrap());
    }

    #[test]
    fn pipes_sockets_and_devices_know_whether_they_are_empty() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let (receiver, mut sender) = UnixStream::pair().unwrap();
        assert!(is_empty(&reader).unwrap() && is_empty(&receiver).unwrap());
        rustix::io::write(&writer, b"1").unwrap();
        sender.write_all(b"1").unwrap();
        assert!(!is_empty(&reader).unwrap() && !is_empty(&receiver).unwrap());
        assert!(!is_empty(std::fs::File::open("/dev/zero").unwrap()).unwrap());
    }
}
