//! The far sides of streams: threads that feed and empty them, and pairs of descriptors that block, as a caller's do.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// No multiple of a page or a buffer.
pub(crate) const TOTAL: usize = (8 << 20) + 13;
const PERIOD: usize = 65_537;

/// Writes [`TOTAL`] bytes and lets go.
pub(crate) fn feed(fed: OwnedFd) -> JoinHandle<()> {
    let mut fed = File::from(blocking(fed));
    std::thread::spawn(move || {
        let pattern = pattern();
        let mut left = TOTAL;
        while left > 0 {
            let part = left.min(PERIOD);
            fed.write_all(&pattern[..part]).unwrap();
            left -= part;
        }
    })
}

/// Reads [`TOTAL`] bytes and compares them.
pub(crate) fn expect(emptied: OwnedFd) -> JoinHandle<()> {
    let mut emptied = File::from(blocking(emptied));
    std::thread::spawn(move || {
        let (pattern, mut got, mut seen) = (pattern(), vec![0; PERIOD], 0);
        while seen < TOTAL {
            let part = (TOTAL - seen).min(PERIOD);
            emptied.read_exact(&mut got[..part]).unwrap();
            assert!(got[..part] == pattern[..part], "differs within {part} bytes after {seen}");
            seen += part;
        }
    })
}

/// A reading and a writing end.
pub(crate) fn pipe() -> (OwnedFd, OwnedFd) {
    rustix::pipe::pipe().unwrap()
}

/// Two ends that read and write.
pub(crate) fn sockets() -> (OwnedFd, OwnedFd) {
    let (one, other) = UnixStream::pair().unwrap();
    (one.into(), other.into())
}

/// Master and slave of a raw terminal.
pub(crate) fn terminal() -> (OwnedFd, OwnedFd) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags).unwrap();
    unlockpt(&master).unwrap();
    let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
    let mut modes = tcgetattr(&slave).unwrap();
    modes.make_raw();
    tcsetattr(&slave, OptionalActions::Now, &modes).unwrap();
    (master, slave)
}

fn blocking(fd: OwnedFd) -> OwnedFd {
    let flags = rustix::fs::fcntl_getfl(&fd).unwrap();
    rustix::fs::fcntl_setfl(&fd, flags - OFlags::NONBLOCK).unwrap();
    fd
}

fn pattern() -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    std::iter::repeat_with(next).take(PERIOD).collect()
}
