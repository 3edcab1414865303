//! Writing to a closed sink without the signal that comes with it.
//!
//! The kernel sends SIGPIPE to the writing thread and to no other, so it is enough to hold it back in this thread and
//! to take it out of the queue afterwards. Neither the process's disposition nor another thread is touched, which a
//! library may not do: programs that restore the default disposition are none of our business, but must survive.

use nix::libc;
use nix::sys::signal::{SigSet, Signal};

/// Runs `write` so that a SIGPIPE of its making is never delivered.
pub(crate) fn without_sigpipe<T>(write: impl FnOnce() -> T) -> T {
    let pipe_signal = SigSet::from(Signal::SIGPIPE);
    let before = pipe_signal.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK);
    let result = write();
    // Where the caller blocks it, a pending one may be the caller's own and is left.
    if let Ok(before) = before
        && !before.contains(Signal::SIGPIPE)
    {
        take_pending(&pipe_signal);
        let _ = before.thread_set_mask();
    }
    result
}

fn take_pending(signals: &SigSet) {
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the set and the time outlive the call, and a null pointer asks for no details of the signal.
    unsafe { libc::sigtimedwait(signals.as_ref(), std::ptr::null_mut(), &now) };
}

/// Gives SIGPIPE its deadly default back, for the whole process.
#[cfg(test)]
pub(crate) fn make_sigpipe_deadly() {
    // SAFETY: the default disposition runs no code of ours.
    unsafe { nix::sys::signal::signal(Signal::SIGPIPE, nix::sys::signal::SigHandler::SigDfl) }.unwrap();
}
