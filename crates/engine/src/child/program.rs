//! The program: found by the plan's candidates with the process's rights, and executed.
//!
//! Decision: a program is looked for before the gate, so that 126 and 127 are known before *ready*;
//! what only the kernel can say (format, interpreter) comes with exec.

use std::convert::Infallible;
use std::ffi::CStr;
use std::os::fd::AsFd;

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::fault::{Fault, Step};
use crate::plan::ProcessPlan;
use crate::report::Stage;
use crate::sys;

/// Which of the candidates is the program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program(usize);

/// Looks for the program: the first candidate that is a file and may be executed.
pub(super) fn find(process: &ProcessPlan) -> Step<'_, Program> {
    let mut worst = Errno::NOENT;
    for (index, candidate) in process.candidates.iter().enumerate() {
        match examine(candidate) {
            Ok(()) => return Ok(Program(index)),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(errno) => worst = errno,
        }
    }
    Err(Fault { stage: Stage::Resolve, errno: worst, path: Some(&process.name) })
}

/// Looks at one candidate. A magic link is refused, since `/proc/self/exe` is a file of the host (C-1).
fn examine(candidate: &CStr) -> rustix::io::Result<()> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let file = rustix::fs::openat2(CWD, candidate, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS)?;
    if FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != FileType::RegularFile {
        return Err(Errno::ACCESS);
    }
    sys::may_execute(file.as_fd())
}

/// Executes the program; returns only why not.
pub(super) fn execute(process: &ProcessPlan, program: Program) -> Step<'_, Infallible> {
    let path = process.candidates.get(program.0).unwrap_or(&process.name);
    let errno = sys::execute(path, &process.arguments, &process.environment);
    // The program was there a moment ago: what is missing is what it names.
    let stage = match errno {
        Errno::NOENT => Stage::Interpreter,
        _ => Stage::Exec,
    };
    Err(Fault { stage, errno, path: Some(path) })
}
