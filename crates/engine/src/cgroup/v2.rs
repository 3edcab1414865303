//! A spec's resources as files of cgroup version 2.
//!
//! The spec speaks version 1. Shares become a weight on the line that maps 2..262144 to 1..10000, and
//! memory plus swap becomes swap alone. What has no counterpart is refused.

use oci_spec::runtime::{LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxResources};

use super::limits::{Compare, Limit};
use super::v1;
use crate::error::Error;

/// Turns resources into limits, in the order in which they must be written.
pub(crate) fn limits(resources: &LinuxResources) -> Result<Vec<Limit>, Error> {
    let mut limits = Vec::new();
    if let Some(memory) = resources.memory() {
        limits.extend(memory_limits(memory)?);
    }
    if let Some(cpu) = resources.cpu() {
        limits.extend(cpu_limits(cpu)?);
    }
    if let Some(pids) = resources.pids() {
        limits.push(Limit::new("pids", "pids.max", v1::or_max(pids.limit()), "pids.limit"));
    }
    if let Some(block_io) = resources.block_io() {
        limits.extend(block_io_limits(block_io)?);
    }
    for page in resources.hugepage_limits().iter().flatten() {
        let file = format!("hugetlb.{}.max", page.page_size());
        let limit = Limit::new("hugetlb", file, bytes(page.limit()), "hugepageLimits");
        limits.push(limit.compared(Compare::Bytes));
    }
    limits.extend(v1::rdma_limits(resources));
    if resources.network().is_some() {
        return Err(Error::unsupported("linux.resources.network"));
    }
    limits.extend(unified_limits(resources)?);
    Ok(limits)
}

fn bytes(limit: i64) -> String {
    if limit < 0 { "max".into() } else { limit.to_string() }
}

fn memory_limits(memory: &LinuxMemory) -> Result<Vec<Limit>, Error> {
    let refused = [
        ("kernel", memory.kernel().is_some_and(|limit| limit > 0)),
        ("kernelTCP", memory.kernel_tcp().is_some_and(|limit| limit > 0)),
        ("swappiness", memory.swappiness().is_some()),
        ("disableOOMKiller", memory.disable_oom_killer() == Some(true)),
        ("useHierarchy", memory.use_hierarchy() == Some(false)),
    ];
    if let Some((field, _)) = refused.iter().find(|(_, asked)| *asked) {
        return Err(Error::unsupported(format!("linux.resources.memory.{field}")));
    }
    let limit =
        |file: &str, value: i64, field: &str| Limit::new("memory", file, bytes(value), field).compared(Compare::Bytes);
    let mut limits = Vec::new();
    limits.extend(memory.limit().map(|value| limit("memory.max", value, "memory.limit")));
    limits.extend(memory.reservation().map(|value| limit("memory.low", value, "memory.reservation")));
    if let Some(swap) = memory.swap() {
        limits.push(limit("memory.swap.max", swap_alone(swap, memory.limit())?, "memory.swap"));
    }
    Ok(limits)
}

/// Version 1 limits memory and swap together, version 2 swap by itself.
fn swap_alone(both: i64, memory: Option<i64>) -> Result<i64, Error> {
    const FIELD: &str = "linux.resources.memory.swap";
    match (both, memory) {
        (both, _) if both < 0 => Ok(-1),
        (both, Some(memory)) if memory >= 0 && both >= memory => Ok(both - memory),
        (_, Some(memory)) if memory >= 0 => Err(Error::invalid(FIELD, "it is less than memory.limit")),
        _ => Err(Error::invalid(FIELD, "it needs memory.limit")),
    }
}

fn cpu_limits(cpu: &LinuxCpu) -> Result<Vec<Limit>, Error> {
    if cpu.realtime_runtime().is_some_and(|us| us != 0) || cpu.realtime_period().is_some_and(|us| us != 0) {
        return Err(Error::unsupported("linux.resources.cpu.realtimeRuntime"));
    }
    let mut limits = Vec::new();
    if let Some(shares) = cpu.shares().filter(|shares| *shares > 0) {
        limits.push(Limit::new("cpu", "cpu.weight", weight(shares), "cpu.shares"));
    }
    let (quota, period) = (cpu.quota().filter(|us| *us != 0), cpu.period().filter(|us| *us > 0));
    if quota.is_some() || period.is_some() {
        let value = format!("{} {}", bytes(quota.unwrap_or(-1)), period.unwrap_or(100_000));
        limits.push(Limit::new("cpu", "cpu.max", value, "cpu.quota"));
    }
    if let Some(burst) = cpu.burst().filter(|us| *us > 0) {
        limits.push(Limit::new("cpu", "cpu.max.burst", burst, "cpu.burst"));
    }
    if let Some(idle) = cpu.idle().filter(|idle| *idle != 0) {
        limits.push(Limit::new("cpu", "cpu.idle", idle, "cpu.idle"));
    }
    let sets = [("cpuset.cpus", cpu.cpus(), "cpu.cpus"), ("cpuset.mems", cpu.mems(), "cpu.mems")];
    for (file, list, field) in sets {
        let list = list.iter().filter(|list| !list.is_empty());
        limits.extend(list.map(|list| Limit::new("cpuset", file, list, field).compared(Compare::Set)));
    }
    Ok(limits)
}

fn weight(shares: u64) -> u64 {
    1 + (shares.clamp(2, 262_144) - 2) * 9_999 / 262_142
}

fn block_io_limits(block_io: &LinuxBlockIo) -> Result<Vec<Limit>, Error> {
    let weights = block_io.weight_device().as_ref().is_some_and(|devices| !devices.is_empty());
    if weights || block_io.leaf_weight().is_some_and(|weight| weight > 0) {
        return Err(Error::unsupported("linux.resources.blockIO.weightDevice"));
    }
    let mut limits = Vec::new();
    if let Some(weight) = block_io.weight().filter(|weight| *weight > 0) {
        let limit = Limit::new("io", "io.bfq.weight", weight, "blockIO.weight");
        limits.push(limit.compared(Compare::Not));
    }
    const KEYS: [&str; 4] = ["rbps", "wbps", "riops", "wiops"];
    for (key, (_, field, devices)) in KEYS.iter().zip(v1::throttles(block_io)) {
        limits.extend(devices.iter().flatten().map(|device| {
            let value = format!("{}:{} {key}={}", device.major(), device.minor(), device.rate());
            Limit::new("io", "io.max", value, field).compared(Compare::Not)
        }));
    }
    Ok(limits)
}

/// Files that the spec names itself; only files of controllers, never the core's own.
fn unified_limits(resources: &LinuxResources) -> Result<Vec<Limit>, Error> {
    let files = resources.unified().iter().flatten();
    let mut limits = Vec::new();
    for (file, value) in files {
        if file.contains('/') || !file.contains('.') || file.starts_with("cgroup.") || file.contains('\0') {
            return Err(Error::invalid("linux.resources.unified", "a key is no file of a controller"));
        }
        limits.push(Limit::new("", file, value, "unified").compared(Compare::Not));
    }
    limits.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_map_onto_the_whole_range_of_weights() {
        assert_eq!(weight(0), 1);
        assert_eq!(weight(2), 1);
        assert_eq!(weight(1024), 39);
        assert_eq!(weight(262_144), 10_000);
        assert_eq!(weight(u64::MAX), 10_000);
    }

    #[test]
    fn memory_plus_swap_becomes_swap_alone() {
        assert_eq!(swap_alone(300, Some(100)).unwrap(), 200);
        assert_eq!(swap_alone(-1, Some(100)).unwrap(), -1);
        assert!(matches!(swap_alone(50, Some(100)), Err(Error::Invalid { .. })));
        assert!(matches!(swap_alone(50, None), Err(Error::Invalid { .. })));
    }

    #[test]
    fn a_quota_is_written_with_its_period() {
        let resources: LinuxResources =
            serde_json::from_str(r#"{"cpu":{"quota":50000,"period":100000},"pids":{"limit":0}}"#).unwrap();
        let limits = limits(&resources).unwrap();
        let written: Vec<_> = limits.iter().map(|limit| (limit.file.as_str(), limit.value.as_str())).collect();
        assert_eq!(written, [("cpu.max", "50000 100000"), ("pids.max", "max")]);
    }

    #[test]
    fn what_version_two_lacks_is_refused_by_name() {
        for (json, name) in [
            (r#"{"memory":{"swappiness":10}}"#, "linux.resources.memory.swappiness"),
            (r#"{"network":{"classID":1}}"#, "linux.resources.network"),
            (r#"{"cpu":{"realtimeRuntime":9}}"#, "linux.resources.cpu.realtimeRuntime"),
        ] {
            let resources: LinuxResources = serde_json::from_str(json).unwrap();
            let refused = limits(&resources);
            assert!(matches!(refused, Err(Error::Unsupported { field, .. }) if field == name), "{name}");
        }
    }

    #[test]
    fn unified_keys_cannot_leave_the_directory_or_touch_the_core() {
        for key in ["../memory.max", "cgroup.procs", "memory", "a/b.c"] {
            let json = format!(r#"{{"unified":{{"{key}":"1"}}}}"#);
            let resources: LinuxResources = serde_json::from_str(&json).unwrap();
            assert!(matches!(limits(&resources), Err(Error::Invalid { .. })), "{key}");
        }
    }
}
