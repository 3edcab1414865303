//! The exit code of `lctr`: the program's own, or one that says whose fault it was.
//!
//! 125 is ours, 126 a program that cannot be run, 127 one that is not there, 128 + n an end by signal n. Which of
//! them comes from stage and errno of the start, never from text.

use libcontainerd::Exit;

use crate::failure::Failure;

/// Something of ours failed.
pub(crate) const OURS: u8 = 125;

/// The reader of our output left, as a pipeline tells it: 128 + SIGPIPE.
pub(crate) const READER_GONE: u8 = 141;

/// Three interrupts before there was anything to interrupt: 128 + SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

const USAGE: u8 = 2;

/// The code of a process's end.
pub(crate) fn of_exit(exit: &Exit) -> u8 {
    exit.status.shell_code()
}

/// The code of a failure.
pub(crate) fn of(failure: &Failure) -> u8 {
    match failure {
        Failure::Supervisor(error) => error.start_failure().and_then(|start| start.exit_code()).unwrap_or(OURS),
        Failure::OneContainer => USAGE,
        failure if failure.is_reader_gone() => READER_GONE,
        _ => OURS,
    }
}

/// The code of a command line that is none, by its verb.
pub(crate) fn of_usage(verb: Option<&str>) -> u8 {
    match verb {
        Some("run" | "exec" | "create") => OURS,
        _ => USAGE,
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use libcontainerd::core::start::{StartFailure, StartStage};
    use libcontainerd::{Error, ErrorKind, ExitStatus, Signal};

    use super::*;

    fn start(stage: StartStage, errno: i32) -> u8 {
        of(&Error::start_failed(StartFailure::new(stage, errno, "/bin/x")).into())
    }

    #[test]
    fn a_start_that_failed_tells_126_from_127_and_both_from_our_fault() {
        assert_eq!(start(StartStage::Resolve, 2), 127);
        assert_eq!(start(StartStage::Exec, 13), 126);
        assert_eq!(start(StartStage::Mount, 2), OURS);
        assert_eq!(of(&Error::new(ErrorKind::System, "x").into()), OURS);
    }

    #[test]
    fn the_programs_end_is_passed_on_as_shells_do() {
        let code = |status| of_exit(&Exit::new(status, libcontainerd::core::How::Waited, SystemTime::UNIX_EPOCH));
        assert_eq!(code(ExitStatus::Code(7)), 7);
        assert_eq!(code(ExitStatus::Signal(Signal::KILL)), 137);
        assert_eq!(code(ExitStatus::Unknown), 255);
    }
}
