//! Streams that a builder was told to put somewhere else: into kept output, or to descriptors of the caller.
//!
//! Wishes are noted as they come and laid over the chosen streams at the end, so that their order does not matter.
//! The descriptors are owned here, and go on with the started process until whoever runs it has its own of them.

use std::fmt;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use libcontainerd_core::stdio::{Keep, Place, Stdio};

/// Wishes about single streams.
#[derive(Debug, Default)]
pub(crate) struct Placing {
    /// Output is kept so, where nothing else was wished.
    pub(crate) keep: Option<Keep>,
    /// What it reads.
    pub(crate) stdin: Option<OwnedFd>,
    /// What it writes to.
    pub(crate) stdout: Option<OwnedFd>,
    /// What it complains to.
    pub(crate) stderr: Option<OwnedFd>,
}

impl Placing {
    /// The wishes laid over `stdio`.
    pub(crate) fn over(&self, mut stdio: Stdio) -> Stdio {
        if let Some(keep) = self.keep {
            stdio.keep = keep;
            stdio.stdout = Place::Kept;
            stdio.stderr = if stdio.terminal.is_some() { Place::Null } else { Place::Kept };
        }
        let place = |fd: &OwnedFd| Place::Descriptor(fd.as_raw_fd());
        stdio.stdin = self.stdin.as_ref().map_or(stdio.stdin, place);
        stdio.stdout = self.stdout.as_ref().map_or(stdio.stdout, place);
        stdio.stderr = self.stderr.as_ref().map_or(stdio.stderr, place);
        stdio
    }

    /// The descriptors, to be held until the process is started.
    pub(crate) fn held(self) -> Held {
        let all = [self.stdin, self.stdout, self.stderr];
        Held { descriptors: Mutex::new(all.into_iter().flatten().collect()) }
    }
}

/// Descriptors of the caller that a process is to be started with.
#[derive(Default)]
pub(crate) struct Held {
    descriptors: Mutex<Vec<OwnedFd>>,
}

impl Held {
    /// Closes them: who reads the other side of a pipe waits for that.
    pub(crate) fn close(&self) {
        self.descriptors.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use libcontainerd_core::stdio::TerminalSize;

    use super::*;

    #[test]
    fn what_was_wished_for_one_stream_goes_before_what_was_wished_for_all() {
        let (_reader, writer) = std::io::pipe().unwrap();
        let writer = OwnedFd::from(writer);
        let number = writer.as_raw_fd();
        let placing = Placing { keep: Some(Keep::unbounded()), stderr: Some(writer), ..Placing::default() };
        let stdio = placing.over(Stdio::piped());
        assert_eq!((stdio.stdin, stdio.stdout), (Place::Stream, Place::Kept));
        assert_eq!((stdio.stderr, stdio.keep), (Place::Descriptor(number), Keep::unbounded()));
    }

    #[test]
    fn a_terminal_that_is_kept_has_no_stderr() {
        let placing = Placing { keep: Some(Keep::default()), ..Placing::default() };
        let stdio = placing.over(Stdio::terminal(TerminalSize::default()));
        assert_eq!((stdio.stdout, stdio.stderr), (Place::Kept, Place::Null));
    }

    #[test]
    fn held_descriptors_are_closed_when_told() {
        use std::io::Read;
        let (mut reader, writer) = std::io::pipe().unwrap();
        let held = Placing { stdout: Some(OwnedFd::from(writer)), ..Placing::default() }.held();
        held.close();
        assert_eq!(reader.read(&mut [0; 1]).unwrap(), 0);
    }
}
