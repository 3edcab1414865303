//! Why a step of the child failed, without a byte of memory of its own.

use std::ffi::CStr;

use rustix::io::Errno;

use crate::report::Stage;

/// A failed step; the path belongs to the plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault<'plan> {
    pub(crate) stage: Stage,
    pub(crate) errno: Errno,
    pub(crate) path: Option<&'plan CStr>,
}

/// The outcome of a step.
pub(crate) type Step<'plan, T> = Result<T, Fault<'plan>>;

/// Turns a kernel's answer into the outcome of a step.
pub(crate) trait ToStep<T> {
    /// Says at which stage it failed.
    fn at<'plan>(self, stage: Stage) -> Step<'plan, T>;

    /// Says at which stage and about which path.
    fn about(self, stage: Stage, path: &CStr) -> Step<'_, T>;
}

impl<T> ToStep<T> for rustix::io::Result<T> {
    fn at<'plan>(self, stage: Stage) -> Step<'plan, T> {
        self.map_err(|errno| Fault { stage, errno, path: None })
    }

    fn about(self, stage: Stage, path: &CStr) -> Step<'_, T> {
        self.map_err(|errno| Fault { stage, errno, path: Some(path) })
    }
}
