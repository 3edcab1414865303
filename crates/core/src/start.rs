//! Why a program did not start: the stage that failed, the errno and the path it was about.
//!
//! Exit codes 126 (cannot be run) and 127 (not found) are decided from these, never from text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where, between the request and the program's first instruction, a start failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StartStage {
    /// The program was looked up in the container's PATH or by its path.
    Resolve,
    /// The interpreter that the program names (`#!` or the dynamic loader) was looked up.
    Interpreter,
    /// The kernel was asked to run the program.
    Exec,
    /// The working directory was entered.
    WorkingDirectory,
    /// User, groups or capabilities were taken on.
    Identity,
    /// Cgroups were made or joined, or a limit written.
    Cgroup,
    /// Namespaces were made or joined.
    Namespaces,
    /// The root file system was assembled.
    RootFs,
    /// A mount, device node or masked path was put in place.
    Mount,
    /// The terminal was made.
    Terminal,
    /// The system call filter was loaded.
    Seccomp,
    /// Hostname, sysctl, rlimit or another setting of the process was applied.
    Setup,
    /// A hook of the spec ran.
    Hook,
}

/// A program that did not start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StartFailure {
    /// The stage that failed.
    pub stage: StartStage,
    /// The system's error number, 0 when the failure was not a system call's.
    pub errno: i32,
    /// What it was about: a program, interpreter, directory, mount target or limit, as the container sees it.
    pub subject: String,
}

impl StartFailure {
    /// A failure at `stage` with `errno`, about `subject`.
    pub fn new(stage: StartStage, errno: i32, subject: impl Into<String>) -> Self {
        StartFailure { stage, errno, subject: subject.into() }
    }

    /// The exit code that shells know for it: 127 when the program or its interpreter is not there, 126 when it is
    /// there and cannot be run, `None` when the fault is not the program's.
    pub fn exit_code(&self) -> Option<u8> {
        const ENOENT: i32 = 2;
        const ENOTDIR: i32 = 20;
        match self.stage {
            StartStage::Resolve | StartStage::Interpreter | StartStage::Exec => {
                Some(if self.errno == ENOENT || self.errno == ENOTDIR { 127 } else { 126 })
            }
            _ => None,
        }
    }
}

impl fmt::Display for StartFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.stage {
            StartStage::Resolve => "the program cannot be found or run",
            StartStage::Interpreter => "the program is there, but the interpreter that it needs is not",
            StartStage::Exec => "the kernel refused to run the program",
            StartStage::WorkingDirectory => "the working directory cannot be entered",
            StartStage::Identity => "the user, groups or capabilities cannot be taken on",
            StartStage::Cgroup => "the cgroup or a limit of it cannot be set",
            StartStage::Namespaces => "the namespaces cannot be made or joined",
            StartStage::RootFs => "the root file system cannot be assembled",
            StartStage::Mount => "a mount, device or masked path cannot be put in place",
            StartStage::Terminal => "the terminal cannot be made",
            StartStage::Seccomp => "the system call filter cannot be loaded",
            StartStage::Setup => "a setting of the process cannot be applied",
            StartStage::Hook => "a hook failed",
        };
        write!(f, "{what}")?;
        if !self.subject.is_empty() {
            write!(f, ": {}", self.subject)?;
        }
        if self.errno != 0 {
            write!(f, ": {}", std::io::Error::from_raw_os_error(self.errno))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_126_and_127_come_from_stage_and_errno() {
        let code = |stage, errno| StartFailure::new(stage, errno, "x").exit_code();
        assert_eq!(code(StartStage::Resolve, 2), Some(127));
        assert_eq!(code(StartStage::Resolve, 13), Some(126));
        assert_eq!(code(StartStage::Interpreter, 2), Some(127));
        assert_eq!(code(StartStage::Exec, 8), Some(126));
        assert_eq!(code(StartStage::Mount, 2), None);
    }
}
