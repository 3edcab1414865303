//! A command in a terminal: a pty whose other side is the test, typing and looking.
//!
//! The command leads a session of its own with the terminal as its controlling one, by `setsid`, so that keys become
//! signals and a new size is told, as in a real one.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::process::{Child, Command};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

use crate::heard::Heard;

/// A command that runs in a terminal.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    /// Our side.
    master: File,
    screen: Heard,
}

impl Terminal {
    /// Starts a command in a terminal of this size.
    #[must_use]
    pub fn start(command: &Command, columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pty");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("the pty can be used");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(&name, flags, Mode::empty()).expect("its other side can be opened");
        resize(&master, columns, rows);
        let child = in_session(command, &slave).spawn().expect("the command can be run");
        let master = File::from(master);
        let screen = Heard::listen(master.try_clone().expect("a descriptor"));
        Terminal { child, master, screen }
    }

    /// Waits until the screen shows `word`, and gives what it showed since the last word that was waited for.
    #[track_caller]
    pub fn shows(&self, word: &str) -> String {
        self.screen.next(word)
    }

    /// Types.
    pub fn types(&mut self, keys: &[u8]) {
        self.master.write_all(keys).expect("the terminal can be written");
    }

    /// Gives the terminal another size.
    pub fn gets_size(&self, columns: u16, rows: u16) {
        resize(&self.master, columns, rows);
    }

    /// The settings of the terminal, to be compared; they outlive the command.
    pub fn settings(&self) -> String {
        // Asked on our side, the kernel tells those of the other.
        let Termios { input_modes, output_modes, control_modes, local_modes, .. } =
            tcgetattr(&self.master).expect("the terminal has settings");
        format!("{input_modes:?} {output_modes:?} {control_modes:?} {local_modes:?}")
    }

    /// Sends the command a signal.
    pub fn gets(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it was not waited for");
    }

    /// Waits for the end of the command, and gives its exit code and all that was shown.
    #[track_caller]
    pub fn ends(&mut self) -> (Option<i32>, String) {
        // The terminal ends with the last who has it. Whoever does not end is found out here.
        let shown = String::from_utf8_lossy(&self.screen.all()).into_owned();
        (self.child.wait().expect("it can be waited for").code(), shown)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended, unless the test fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(master: impl std::os::fd::AsFd, columns: u16, rows: u16) {
    let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(master, size).expect("the terminal can be resized");
}

/// The same command as the leader of a session with this terminal. `setsid` becomes it, under the same pid.
fn in_session(command: &Command, slave: &OwnedFd) -> Command {
    let mut session = Command::new("setsid");
    session.arg("--ctty").arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => session.env(key, value),
            None => session.env_remove(key),
        };
    }
    let side = || slave.try_clone().expect("a descriptor");
    session.stdin(side()).stdout(side()).stderr(side());
    session
}
