//! The user's terminal: raw while a process has it, and as it was on every end of ours.
//!
//! Dropping the guard restores it; a panic restores it first of all, since a program built to abort drops nothing.
//! Only a SIGKILL to ourselves leaves it raw. It is never given to a container: bytes are passed on (C-42).

use std::io::{self, IsTerminal};
use std::sync::{Mutex, Once, PoisonError};

use libcontainerd::TerminalSize;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::failure::Failure;

static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// The terminal on stdin, raw until this is dropped.
#[derive(Debug)]
pub(crate) struct RawTerminal(());

impl RawTerminal {
    /// Makes the terminal on stdin raw.
    ///
    /// # Errors
    /// When it cannot be set; it is as it was.
    pub(crate) fn take() -> Result<Self, Failure> {
        let failed = |e: rustix::io::Errno| Failure::Terminal(e.into());
        let before = tcgetattr(io::stdin()).map_err(failed)?;
        restore_on_panic();
        let mut raw = before.clone();
        raw.make_raw();
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        let guard = RawTerminal(());
        tcsetattr(io::stdin(), OptionalActions::Drain, &raw).map_err(failed)?;
        Ok(guard)
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Whether stdin is a terminal.
pub(crate) fn on_stdin() -> bool {
    io::stdin().is_terminal()
}

/// The size of the terminal on stdin, or the usual one.
pub(crate) fn size() -> TerminalSize {
    match tcgetwinsize(io::stdin()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => TerminalSize { columns: size.ws_col, rows: size.ws_row },
        _ => TerminalSize::default(),
    }
}

fn restore() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before {
        // Nobody is left to tell when even this fails: the terminal is gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &before);
    }
}

fn restore_on_panic() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let then = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            then(panic);
        }));
    });
}
