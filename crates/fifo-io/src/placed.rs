//! Descriptors of the calling program that are given to a process as they are.
//!
//! They are looked at before anything is made, so that a wrong number is told in words: the runtime that meets it later
//! knows no caller. A terminal is refused, because a program that has it can type into it.
//!
//! Keeps: C-42: `a_terminal_of_the_caller_is_never_handed_in`.

use std::os::fd::RawFd;

use libcontainerd_core::stdio::{Place, Stdio};
use rustix::fs::OFlags;

use crate::{Error, sys};

/// Checks the descriptors among the places, and that stdin is at a place for it.
pub(crate) fn check(stdio: &Stdio) -> Result<(), Error> {
    if stdio.stdin == Place::Kept {
        return Err(Error::KeptStdin);
    }
    for (place, refused) in
        [(stdio.stdin, OFlags::WRONLY), (stdio.stdout, OFlags::RDONLY), (stdio.stderr, OFlags::RDONLY)]
    {
        if let Place::Descriptor(number) = place {
            check_one(number, refused)?;
        }
    }
    Ok(())
}

fn check_one(number: RawFd, refused: OFlags) -> Result<(), Error> {
    let failed = |source| Error::Descriptor { number, source };
    let descriptor = sys::duplicate(number).map_err(failed)?;
    if rustix::termios::isatty(&descriptor) {
        return Err(Error::TerminalHandedIn { number });
    }
    let flags = rustix::fs::fcntl_getfl(&descriptor).map_err(|errno| failed(errno.into()))?;
    if flags.contains(OFlags::PATH) || flags & OFlags::RWMODE == refused {
        return Err(Error::WrongWay { number });
    }
    Ok(())
}
