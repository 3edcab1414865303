//! Whether a container's time has come: the program that it is bound to is gone, or it has ended and removes itself.
//!
//! A program is known by pid and start time, within one boot of the kernel; whoever has its pid later is a stranger.
//!
//! Keeps: C-31 of SECURITY.md: `c31_a_stranger_with_the_pid_of_an_owner_is_none`.

use libcontainerd_core::ports::runtime::Lease;
use libcontainerd_core::{Error, ErrorKind};
use libcontainerd_stream::drain;

use crate::identity;
use crate::record::{Creating, History, Owner};

/// The program of a lease, for longer than its pid is its own.
///
/// # Errors
/// `InvalidArgument` when it does not live.
pub(crate) fn owner(lease: Lease) -> Result<Owner, Error> {
    let found = identity::stat(lease.owner).ok().map(|stat| Owner { pid: lease.owner, start_time: stat.start_time });
    found.filter(|owner| !is_gone(owner)).ok_or_else(|| {
        let text = format!("process {}, whose life the container is to be bound to, is not running", lease.owner);
        Error::new(ErrorKind::InvalidArgument, text)
    })
}

/// Whether nobody needs to ask any more for the removal of a container once it has ended.
pub(crate) fn has_lapsed(history: &History) -> bool {
    history.removes_itself() || owner_is_gone(&history.creating)
}

/// Whether the program that a container is bound to is gone.
pub(crate) fn owner_is_gone(creating: &Creating) -> bool {
    let Some(owner) = &creating.lifetime.owner else { return false };
    // What cannot be learned is no death.
    identity::boot().is_ok_and(|boot| boot != creating.boot) || is_gone(owner)
}

fn is_gone(owner: &Owner) -> bool {
    match identity::open(owner.pid, owner.start_time) {
        Ok(Some(process)) => drain::is_readable(&process).unwrap_or(false),
        Ok(None) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c31_a_stranger_with_the_pid_of_an_owner_is_none() {
        let own = owner(Lease::on(std::process::id())).unwrap();
        assert!(!is_gone(&own));
        assert!(is_gone(&Owner { start_time: own.start_time + 1, ..own }));
    }

    #[test]
    fn a_program_that_has_ended_owns_nothing_reaped_or_not() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        while !identity::stat(pid).unwrap().zombie {
            std::thread::yield_now();
        }
        assert_eq!(owner(Lease::on(pid)).unwrap_err().kind(), ErrorKind::InvalidArgument);
        child.wait().unwrap();
        assert_eq!(owner(Lease::on(pid)).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}
