//! All that is known of how a container ended, in one object.
//!
//! Figures that the host does not count are left out; times are seconds, memory is bytes.

use libcontainerd::core::status::{Counters, ResourceUsage};
use libcontainerd::{Autopsy, Exit};
use serde::Serialize;

use super::ExitView;

/// How a container ended, and all that may tell why.
#[derive(Debug, Serialize)]
pub(crate) struct AutopsyView {
    #[serde(flatten)]
    exit: ExitView,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroup: Option<CgroupView>,
    /// The last 4 KiB of stderr as text, where it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_stderr: Option<String>,
    /// The same of a terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_output: Option<String>,
}

impl AutopsyView {
    /// An autopsy of a process that had a terminal or not.
    pub(crate) fn new(autopsy: &Autopsy, terminal: bool) -> Self {
        AutopsyView::of(&autopsy.exit, autopsy.last_output.as_deref(), terminal)
    }

    /// The same, of its parts.
    pub(super) fn of(exit: &Exit, last: Option<&[u8]>, terminal: bool) -> Self {
        let words = last.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let (last_stderr, last_output) = if terminal { (None, words) } else { (words, None) };
        AutopsyView {
            exit: ExitView::new(exit),
            usage: exit.usage.as_ref().map(UsageView::new),
            cgroup: exit.counters.as_ref().map(CgroupView::new),
            last_stderr,
            last_output,
        }
    }
}

/// What the process used.
#[derive(Debug, Serialize)]
struct UsageView {
    user_seconds: f64,
    system_seconds: f64,
    max_resident_bytes: u64,
}

impl UsageView {
    fn new(usage: &ResourceUsage) -> Self {
        UsageView {
            user_seconds: usage.user.as_secs_f64(),
            system_seconds: usage.system.as_secs_f64(),
            max_resident_bytes: usage.max_resident,
        }
    }
}

/// What the container's cgroups had counted.
#[derive(Debug, Serialize)]
struct CgroupView {
    #[serde(skip_serializing_if = "Option::is_none")]
    oom_kills: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_peak_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_periods: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_throttled_periods: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_throttled_seconds: Option<f64>,
}

impl CgroupView {
    fn new(counters: &Counters) -> Self {
        CgroupView {
            oom_kills: counters.oom_kills,
            memory_peak_bytes: counters.memory_peak,
            cpu_periods: counters.periods,
            cpu_throttled_periods: counters.throttled_periods,
            cpu_throttled_seconds: counters.throttled.map(|time| time.as_secs_f64()),
        }
    }
}
