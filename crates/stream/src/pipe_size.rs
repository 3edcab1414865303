//! The capacity of pipes, which decides their throughput more than anything else does.
//!
//! A pipe holds 64 KiB unless asked for more; the host limits the single pipe (`pipe-max-size`) and the sum of a user's
//! pipes (`pipe-user-pages-soft`). A refusal is no error: a smaller pipe is slower, not wrong, so the wish is halved
//! until it is granted.

use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::pipe::{fcntl_getpipe_size, fcntl_setpipe_size};

/// The capacity worth asking for, in bytes: the default ceiling for unprivileged processes.
pub const WANTED: usize = 1 << 20;

/// Grows the pipe towards `wanted` bytes, never shrinking it, and returns the bytes that it holds afterwards.
///
/// What is not a pipe holds 0.
pub fn grow(pipe: impl AsFd, wanted: usize) -> usize {
    let pipe = pipe.as_fd();
    let Ok(present) = fcntl_getpipe_size(pipe) else {
        return 0;
    };
    let mut wish = wanted;
    while wish > present {
        match fcntl_setpipe_size(pipe, wish) {
            Ok(got) => return got,
            Err(Errno::PERM | Errno::BUSY | Errno::NOMEM | Errno::INVAL) => wish /= 2,
            Err(_) => break,
        }
    }
    present
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_pipe_grows_to_what_was_asked_for() {
        let (reader, _writer) = rustix::pipe::pipe().unwrap();
        assert_eq!(grow(&reader, 256 << 10), 256 << 10);
        assert_eq!(fcntl_getpipe_size(&reader).unwrap(), 256 << 10);
    }

    #[test]
    fn a_pipe_is_never_shrunk() {
        let (reader, _writer) = rustix::pipe::pipe().unwrap();
        grow(&reader, 256 << 10);
        assert_eq!(grow(&reader, 4096), 256 << 10);
    }

    #[test]
    fn a_wish_beyond_what_the_kernel_can_hold_is_halved_until_granted() {
        let (reader, _writer) = rustix::pipe::pipe().unwrap();
        let got = grow(&reader, usize::MAX);
        assert!(got > 64 << 10, "{got}");
    }

    #[test]
    fn what_is_not_a_pipe_holds_nothing() {
        assert_eq!(grow(File::open("/dev/null").unwrap(), WANTED), 0);
    }
}
