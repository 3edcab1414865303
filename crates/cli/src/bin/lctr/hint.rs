//! What to do about a failure, in one line, where there is something better than to read it again.
//!
//! Decided by kind, operation, stage and errno; never by text.

use std::error::Error as _;

use libcontainerd::core::start::{StartFailure, StartStage};
use libcontainerd::{Error, ErrorKind};

use crate::failure::Failure;

const ENOENT: i32 = 2;
const ENOEXEC: i32 = 8;
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;

const OTHER_DIRECTORIES: &str = "choose directories that can be made and written with --root and --data";

/// What the user may do.
pub(crate) fn of(failure: &Failure) -> Option<String> {
    let text = match failure {
        Failure::Supervisor(error) => of_error(error)?,
        Failure::Terminal(_) => "check that stdin is a terminal of yours, or leave -t out",
        Failure::NotKept(process) if process.process.is_init() => {
            "`run -d` and `create` keep output, `run` does with --log-driver kept"
        }
        Failure::NotKept(_) => "`exec -d` keeps output under the name that it prints",
        Failure::Executor(_) | Failure::Signals(_) => "check the limits of open files (ulimit -n) and of memory",
        _ => return None,
    };
    Some(text.to_owned())
}

fn of_error(error: &Error) -> Option<&'static str> {
    if let Some(start) = error.start_failure() {
        return of_start(start);
    }
    match error.kind() {
        ErrorKind::NotFound if error.process().is_some_and(|process| !process.is_init()) => {
            Some("`lctr inspect CONTAINER` lists its processes")
        }
        ErrorKind::NotFound if error.container().is_some() => Some("`lctr ps -a` lists the containers there are"),
        ErrorKind::NotFound if errno(error) == Some(ENOENT) => Some(OTHER_DIRECTORIES),
        ErrorKind::AlreadyExists => Some("choose another --name, or remove the one there is with `lctr rm`"),
        ErrorKind::WrongState => of_state(error.operation()),
        ErrorKind::PermissionDenied => Some(of_permission()),
        ErrorKind::ResourceExhausted => of_shortage(errno(error)),
        ErrorKind::Unavailable => {
            Some("`lctr ps -a` tells what is still there, `lctr rm -f` removes it whatever its state")
        }
        ErrorKind::Gap => {
            Some("the events asked for are no longer kept: look with `lctr ps -a`, then follow without --cursor")
        }
        ErrorKind::InvalidArgument if errno(error) == Some(ENOENT) => Some("check the path"),
        ErrorKind::System if errno(error) == Some(ENOSPC) => of_shortage(Some(ENOSPC)),
        ErrorKind::System if errno(error) == Some(EROFS) => Some(OTHER_DIRECTORIES),
        ErrorKind::Internal => Some("this is a mistake of ours: please report it, with what --log-level debug says"),
        _ => None,
    }
}

fn of_start(start: &StartFailure) -> Option<&'static str> {
    match (start.stage, start.errno) {
        (StartStage::Resolve | StartStage::Exec, ENOENT) => {
            Some("check the program's path inside the root file system, and the PATH given with -e")
        }
        (StartStage::Interpreter, _) => {
            Some("put the interpreter, or the loader that it was linked for, into the root file system")
        }
        (StartStage::Exec, ENOEXEC) => Some("it is for another architecture, or a script without a `#!` line"),
        (StartStage::Resolve | StartStage::Exec, _) => {
            Some("check that it is a file and may be executed (chmod +x), and that its file system allows it")
        }
        (StartStage::WorkingDirectory, _) => Some("choose a directory that the container has with -w"),
        (StartStage::Identity, _) => {
            Some("choose a user that the root file system's /etc/passwd has, or numbers, with -u")
        }
        (StartStage::Cgroup, _) => Some("check -m, --cpus and --pids-limit, and that the host has cgroups mounted"),
        (StartStage::Mount, _) => Some("check -v and the directories of the root file system that are mounted on"),
        (StartStage::Setup, 0) => {
            Some("where its memory is limited it may need more than -m gives; Docker asks for 6m at least")
        }
        (StartStage::RootFs, _) => Some("check --rootfs; DIR:ro needs nothing of the host but the directory"),
        _ => None,
    }
}

fn of_state(operation: &str) -> Option<&'static str> {
    match operation {
        "delete" | "rm" => Some("stop it first with `lctr stop`, or remove it with `lctr rm -f`"),
        "start" => Some("a container is started once: `lctr ps -a` tells its state"),
        "attach" => Some("one program reads a stream at a time: end the other, or look with `lctr inspect`"),
        _ => Some("`lctr ps -a` tells its state"),
    }
}

fn of_permission() -> &'static str {
    if rustix::process::geteuid().is_root() {
        "check owner and mode of the directories given by --root and --data: they must be root's alone"
    } else {
        "run it as root, for example with sudo"
    }
}

fn of_shortage(errno: Option<i32>) -> Option<&'static str> {
    match errno {
        Some(ENOSPC) => Some("make room on the disk, or choose another with --root and --data"),
        Some(EMFILE) => Some("raise the limit of open files: ulimit -n"),
        Some(ENFILE) => Some("raise the host's limit of open files: sysctl fs.file-max"),
        // What the monitor ran out of stands in its words.
        _ => Some("make room on the disk that --root and --data are on, or raise the limits of open files and memory"),
    }
}

/// The system's error number at the bottom of the chain.
fn errno(error: &Error) -> Option<i32> {
    let mut cause = error.source();
    let mut found = None;
    while let Some(error) = cause {
        let raw = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error);
        let errno = error.downcast_ref::<rustix::io::Errno>().map(|errno| errno.raw_os_error());
        found = raw.or(errno).or(found);
        cause = error.source();
    }
    found
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn hint(error: Error) -> String {
        of(&error.into()).unwrap_or_default()
    }

    #[test]
    fn hints_are_chosen_by_stage_and_errno() {
        let start = |stage, errno| hint(Error::start_failed(StartFailure::new(stage, errno, "/bin/x")));
        assert!(start(StartStage::Resolve, ENOENT).contains("PATH"));
        assert!(start(StartStage::Resolve, 13).contains("chmod"));
        assert!(start(StartStage::Exec, ENOEXEC).contains("architecture"));
        assert!(start(StartStage::Identity, 0).contains("-u"));
    }

    #[test]
    fn a_full_disk_is_found_at_the_bottom_of_the_chain() {
        let full = || io::Error::from_raw_os_error(ENOSPC);
        assert!(hint(Error::new(ErrorKind::ResourceExhausted, "x").because(full())).contains("make room"));
        assert!(hint(Error::new(ErrorKind::System, "x").because(full())).contains("make room"));
        assert_eq!(hint(Error::new(ErrorKind::System, "x")), "");
    }

    #[test]
    fn the_operation_decides_what_a_wrong_state_needs() {
        assert!(hint(Error::new(ErrorKind::WrongState, "it runs").during("delete")).contains("rm -f"));
        let unknown = Error::new(ErrorKind::NotFound, "x").on(&"web".parse().unwrap());
        assert!(hint(unknown).contains("ps -a"));
    }
}
