//! What the child tells while it starts: ready, running, or why not.
//!
//! A report is one write of at most `PIPE_BUF` bytes into a pipe, so it is never torn: a tag, and
//! for a failure the stage, the errno and the path. *Running* is not written at all: it is the end
//! of the pipe, whose last writer `execve` closes.
//! Decision: exit codes follow from stage and errno alone; no text is ever looked at.

use std::fmt;
use std::path::PathBuf;

/// A step of the start of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Stage {
    /// Closing descriptors and other first steps.
    Prepare = 1,
    /// Joining the container's cgroups.
    Cgroup,
    /// Making or joining namespaces.
    Namespaces,
    /// Preparing, overlaying or entering the root file system.
    Root,
    /// Mounting what the spec lists.
    Mount,
    /// Making device nodes and links below `/dev`.
    Device,
    /// Hiding masked paths and closing read-only ones.
    Mask,
    /// Setting the host or domain name.
    Hostname,
    /// Bringing the loopback interface up.
    Network,
    /// Writing sysctls.
    Sysctl,
    /// Making the terminal.
    Terminal,
    /// Placing standard input, output and error.
    Stdio,
    /// Joining a session keyring.
    Keyring,
    /// Setting resource limits.
    Rlimits,
    /// Setting `oom_score_adj`, scheduling and other process attributes.
    Process,
    /// Becoming the user and its groups.
    User,
    /// Setting capability sets.
    Capabilities,
    /// Entering the working directory.
    WorkingDirectory,
    /// Finding the program.
    Resolve,
    /// Applying the security label.
    Label,
    /// Loading the seccomp filter.
    Seccomp,
    /// Running a hook.
    Hook,
    /// The program is there, its interpreter or dynamic loader is not.
    Interpreter,
    /// Executing the program.
    Exec,
    /// The process died before it could say anything.
    Died,
}

/// Why a process did not start.
#[derive(Clone, PartialEq, Eq)]
pub struct StartFailure {
    /// The step that failed.
    pub stage: Stage,
    /// The kernel's answer; 0 where there is none.
    pub errno: i32,
    /// The path that the step was about, as the container sees it.
    pub path: Option<PathBuf>,
}

/// A step of a starting process that the caller hears of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Everything is set up; the process waits at the gate.
    Ready,
    /// The program is being executed.
    Running,
    /// The process did not start and has ended.
    Failed(StartFailure),
}

const ENOENT: i32 = nix::libc::ENOENT;
const TAG_READY: u8 = 1;
const TAG_FAILED: u8 = 2;

/// Bytes of a failure before its path: tag, stage, errno, length of the path.
pub(crate) const FAILURE_HEAD: usize = 8;
/// Longest report in bytes; no longer than the kernel's `PIPE_BUF`.
pub(crate) const REPORT_MAX: usize = 4096;
/// The report *ready* as it is written.
pub(crate) const READY: [u8; 1] = [TAG_READY];

impl Stage {
    /// The stage's name as people read it.
    pub fn name(self) -> &'static str {
        NAMES[self as usize]
    }

    fn from_wire(byte: u8) -> Option<Self> {
        ALL.get(usize::from(byte).checked_sub(1)?).copied()
    }
}

impl StartFailure {
    /// The exit code that shells and container engines give for it: 127 where the program was not
    /// found, 126 where it cannot be executed, `None` where the start failed for another reason.
    pub fn exit_code(&self) -> Option<u8> {
        match (self.stage, self.errno) {
            (Stage::Resolve | Stage::Interpreter | Stage::WorkingDirectory, ENOENT) => Some(127),
            (Stage::Resolve | Stage::Interpreter | Stage::WorkingDirectory | Stage::Exec, _) => Some(126),
            _ => None,
        }
    }

    pub(crate) fn new(stage: Stage, errno: i32) -> Self {
        Self { stage, errno, path: None }
    }
}

impl fmt::Debug for StartFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StartFailure({self})")
    }
}

impl fmt::Display for StartFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "start failed at {}", self.stage.name())
            .and_then(|()| match &self.path {
                Some(path) => write!(f, " ({})", path.display().to_string().escape_debug()),
                None => Ok(()),
            })
            .and_then(|()| match self.errno {
                0 => Ok(()),
                errno => write!(f, ": {}", nix::errno::Errno::from_raw(errno).desc()),
            })
    }
}

impl std::error::Error for StartFailure {}

/// Writes a failure's wire form into `buffer` and returns its length; the path is cut to fit.
pub(crate) fn encode_failure(buffer: &mut [u8; REPORT_MAX], stage: Stage, errno: i32, path: &[u8]) -> usize {
    let length = path.len().min(REPORT_MAX - FAILURE_HEAD);
    let [low, high] = (length as u16).to_le_bytes();
    let [a, b, c, d] = errno.to_le_bytes();
    let head = [TAG_FAILED, stage as u8, a, b, c, d, low, high];
    for (to, from) in buffer.iter_mut().zip(head.iter().chain(path)) {
        *to = *from;
    }
    FAILURE_HEAD + length
}

/// Takes one report off the front of `bytes`: what it is and its length; `None` where it is garbled.
pub(crate) fn decode(bytes: &[u8]) -> Option<(Report, usize)> {
    match *bytes {
        [TAG_READY, ..] => Some((Report::Ready, 1)),
        [TAG_FAILED, stage, a, b, c, d, low, high, ref rest @ ..] => {
            let length = usize::from(u16::from_le_bytes([low, high]));
            let path = rest.get(..length)?;
            let failure = StartFailure {
                stage: Stage::from_wire(stage)?,
                errno: i32::from_le_bytes([a, b, c, d]),
                path: (length > 0).then(|| path_of(path)),
            };
            Some((Report::Failed(failure), FAILURE_HEAD + length))
        }
        _ => None,
    }
}

fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

const ALL: [Stage; 25] = [
    Stage::Prepare,
    Stage::Cgroup,
    Stage::Namespaces,
    Stage::Root,
    Stage::Mount,
    Stage::Device,
    Stage::Mask,
    Stage::Hostname,
    Stage::Network,
    Stage::Sysctl,
    Stage::Terminal,
    Stage::Stdio,
    Stage::Keyring,
    Stage::Rlimits,
    Stage::Process,
    Stage::User,
    Stage::Capabilities,
    Stage::WorkingDirectory,
    Stage::Resolve,
    Stage::Label,
    Stage::Seccomp,
    Stage::Hook,
    Stage::Interpreter,
    Stage::Exec,
    Stage::Died,
];

const NAMES: [&str; 26] = [
    "",
    "preparation",
    "cgroup",
    "namespaces",
    "root",
    "mount",
    "device",
    "mask",
    "hostname",
    "network",
    "sysctl",
    "terminal",
    "stdio",
    "keyring",
    "rlimits",
    "process",
    "user",
    "capabilities",
    "working directory",
    "program lookup",
    "label",
    "seccomp",
    "hook",
    "interpreter",
    "exec",
    "sudden death",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_survives_the_pipe() {
        for stage in ALL {
            let mut buffer = [0; REPORT_MAX];
            let length = encode_failure(&mut buffer, stage, 13, b"/bin/x");
            let (report, used) = decode(&buffer[..length]).unwrap();
            assert_eq!(used, length);
            let failure = StartFailure { stage, errno: 13, path: Some("/bin/x".into()) };
            assert_eq!(report, Report::Failed(failure));
        }
    }

    #[test]
    fn an_overlong_path_is_cut_and_not_torn() {
        let mut buffer = [0; REPORT_MAX];
        let length = encode_failure(&mut buffer, Stage::Mount, 2, &[b'x'; 9000]);
        assert_eq!(length, REPORT_MAX);
        assert!(matches!(decode(&buffer), Some((Report::Failed(_), REPORT_MAX))));
    }

    #[test]
    fn a_truncated_or_unknown_report_is_garbled() {
        assert_eq!(decode(&[]), None);
        assert_eq!(decode(&[9]), None);
        assert_eq!(decode(&[TAG_FAILED, 1, 0, 0]), None);
        assert_eq!(decode(&[TAG_FAILED, 200, 0, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn exit_codes_follow_from_stage_and_errno() {
        let code = |stage, errno| StartFailure::new(stage, errno).exit_code();
        assert_eq!(code(Stage::Resolve, ENOENT), Some(127));
        assert_eq!(code(Stage::Resolve, nix::libc::EACCES), Some(126));
        assert_eq!(code(Stage::Interpreter, ENOENT), Some(127));
        assert_eq!(code(Stage::Exec, nix::libc::ENOEXEC), Some(126));
        assert_eq!(code(Stage::Mount, ENOENT), None);
    }

    #[test]
    fn the_text_escapes_control_bytes_of_a_hostile_path() {
        let mut failure = StartFailure::new(Stage::Resolve, ENOENT);
        failure.path = Some("/bin/\u{1b}]0;x".into());
        assert!(!failure.to_string().contains('\u{1b}'));
    }
}
