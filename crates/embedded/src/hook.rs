//! The way into a monitor: the first thing that a program which embeds us does.
//!
//! A program that is started under the name [`NAME`] is a monitor and nothing else; the client side starts its own image
//! that way. Before `main` goes on there is one thread, no open file and no state, which is what a monitor needs.

use std::sync::atomic::{AtomicBool, Ordering};

/// The first argument of a process that is to be a monitor.
pub(crate) const NAME: &str = "lctr-monitor";

/// Whether this program's main begins with the hook, so that the program can be a monitor.
static CALLED: AtomicBool = AtomicBool::new(false);

/// Becomes a container's monitor, and never returns, if that is what this process was started for; else does nothing.
///
/// Call it at the very beginning of `main`, before any thread is started and any file is opened.
pub fn monitor_hook() {
    CALLED.store(true, Ordering::Relaxed);
    if std::env::args_os().next().is_some_and(|name| name == NAME) {
        crate::birth::be_born();
    }
}

/// Whether the hook was called in this process.
pub(crate) fn was_called() -> bool {
    CALLED.load(Ordering::Relaxed)
}
