//! What a container's cgroups have counted: the most memory in use, kills for want of it, waits for the processor.
//!
//! Version 1 spreads it over the hierarchies of memory and cpu and counts waiting in nanoseconds, version 2 has it in
//! one directory and counts microseconds. What a host does not count is none, never zero.

use std::time::Duration;

use super::Cgroup;
use super::directory::Directory;
use super::state::field;

/// What was counted since a container's cgroups were made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Processes that the kernel killed because memory was short.
    pub oom_kills: Option<u64>,
    /// The most memory in use at once, in bytes.
    pub memory_peak: Option<u64>,
    /// Periods of the processor's limit that have passed.
    pub periods: Option<u64>,
    /// Periods in which it was used up.
    pub throttled_periods: Option<u64>,
    /// How long processes waited for the next period.
    pub throttled: Option<Duration>,
}

impl Cgroup {
    /// Reads what has been counted so far; what cannot be read was not counted.
    pub fn counters(&self) -> Counters {
        let directory = |controller| self.part_with(controller).map(|part| &part.directory);
        let unified = self.unified().map(|part| &part.directory);
        let mut counters = Counters::default();
        match (directory("memory"), unified) {
            (Some(memory), _) => {
                counters.oom_kills = count(memory, "memory.oom_control", "oom_kill");
                counters.memory_peak = number(memory, "memory.max_usage_in_bytes");
            }
            (None, Some(all)) => {
                counters.oom_kills = count(all, "memory.events", "oom_kill");
                counters.memory_peak = number(all, "memory.peak");
            }
            (None, None) => {}
        }
        if let Some(cpu) = directory("cpu").or(unified) {
            let text = text(cpu, "cpu.stat");
            counters.periods = field(&text, "nr_periods");
            counters.throttled_periods = field(&text, "nr_throttled");
            counters.throttled = throttled(&text);
        }
        counters
    }
}

fn throttled(text: &str) -> Option<Duration> {
    let nanoseconds = field(text, "throttled_time").map(Duration::from_nanos);
    nanoseconds.or_else(|| field(text, "throttled_usec").map(Duration::from_micros))
}

fn number(directory: &Directory, file: &str) -> Option<u64> {
    text(directory, file).trim().parse().ok()
}

fn count(directory: &Directory, file: &str, name: &str) -> Option<u64> {
    field(&text(directory, file), name)
}

fn text(directory: &Directory, file: &str) -> String {
    directory.read(file).ok().flatten().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_tell_how_long_processes_waited() {
        let first = "nr_periods 10\nnr_throttled 3\nthrottled_time 1500000000\n";
        let second = "usage_usec 7\nnr_periods 10\nnr_throttled 3\nthrottled_usec 1500000\n";
        assert_eq!(throttled(first), Some(Duration::from_millis(1500)));
        assert_eq!(throttled(second), throttled(first));
        assert_eq!(throttled("usage_usec 7\n"), None);
    }
}
