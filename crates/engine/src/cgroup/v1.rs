//! A spec's resources as files of cgroup version 1.
//!
//! Decision: what a kernel no longer enforces (kernel memory) is refused rather than ignored.

use oci_spec::runtime::{LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxResources, LinuxThrottleDevice};

use super::limits::{Compare, Limit};
use crate::error::Error;

/// Turns resources into limits, in the order in which they must be written.
pub(crate) fn limits(resources: &LinuxResources) -> Result<Vec<Limit>, Error> {
    let mut limits = Vec::new();
    if let Some(memory) = resources.memory() {
        limits.extend(memory_limits(memory)?);
    }
    if let Some(cpu) = resources.cpu() {
        limits.extend(cpu_limits(cpu));
    }
    if let Some(pids) = resources.pids() {
        limits.push(Limit::new("pids", "pids.max", or_max(pids.limit()), "pids.limit"));
    }
    if let Some(block_io) = resources.block_io() {
        limits.extend(block_io_limits(block_io)?);
    }
    limits.extend(other_limits(resources));
    if resources.unified().as_ref().is_some_and(|unified| !unified.is_empty()) {
        return Err(Error::unsupported("linux.resources.unified"));
    }
    Ok(limits)
}

/// A number of processes, where zero and less mean no limit.
pub(crate) fn or_max(limit: i64) -> String {
    if limit > 0 { limit.to_string() } else { "max".into() }
}

fn memory_limits(memory: &LinuxMemory) -> Result<Vec<Limit>, Error> {
    let mut limits = Vec::new();
    let mut bytes = |file: &str, value: Option<i64>, field: &str| {
        let limit = |value| Limit::new("memory", file, value, field).compared(Compare::Bytes);
        limits.extend(value.map(limit));
    };
    bytes("memory.limit_in_bytes", memory.limit(), "memory.limit");
    bytes("memory.soft_limit_in_bytes", memory.reservation(), "memory.reservation");
    bytes("memory.memsw.limit_in_bytes", memory.swap(), "memory.swap");
    bytes("memory.kmem.tcp.limit_in_bytes", memory.kernel_tcp(), "memory.kernelTCP");
    if memory.kernel().is_some_and(|limit| limit > 0) {
        return Err(Error::unsupported("linux.resources.memory.kernel"));
    }
    if memory.use_hierarchy() == Some(false) {
        return Err(Error::unsupported("linux.resources.memory.useHierarchy"));
    }
    if let Some(swappiness) = memory.swappiness() {
        limits.push(Limit::new("memory", "memory.swappiness", swappiness, "memory.swappiness"));
    }
    if memory.disable_oom_killer() == Some(true) {
        let limit = Limit::new("memory", "memory.oom_control", 1, "memory.disableOOMKiller");
        limits.push(limit.compared(Compare::Not));
    }
    Ok(limits)
}

fn cpu_limits(cpu: &LinuxCpu) -> Vec<Limit> {
    let mut limits = Vec::new();
    let mut push = |controller, file: &str, value: Option<String>, field: &str, compare| {
        let limit = |value| Limit::new(controller, file, value, field).compared(compare);
        limits.extend(value.map(limit));
    };
    let text = |value: Option<u64>| value.filter(|value| *value > 0).map(|value| value.to_string());
    let signed = |value: Option<i64>| value.filter(|value| *value != 0).map(|value| value.to_string());
    push("cpu", "cpu.shares", text(cpu.shares()), "cpu.shares", Compare::Same);
    push("cpu", "cpu.cfs_period_us", text(cpu.period()), "cpu.period", Compare::Same);
    push("cpu", "cpu.cfs_quota_us", signed(cpu.quota()), "cpu.quota", Compare::Same);
    push("cpu", "cpu.cfs_burst_us", text(cpu.burst()), "cpu.burst", Compare::Same);
    push("cpu", "cpu.rt_period_us", text(cpu.realtime_period()), "cpu.realtimePeriod", Compare::Same);
    push("cpu", "cpu.rt_runtime_us", signed(cpu.realtime_runtime()), "cpu.realtimeRuntime", Compare::Same);
    push("cpu", "cpu.idle", signed(cpu.idle()), "cpu.idle", Compare::Same);
    let list = |list: &Option<String>| list.clone().filter(|list| !list.is_empty());
    push("cpuset", "cpuset.cpus", list(cpu.cpus()), "cpu.cpus", Compare::Set);
    push("cpuset", "cpuset.mems", list(cpu.mems()), "cpu.mems", Compare::Set);
    limits
}

fn block_io_limits(block_io: &LinuxBlockIo) -> Result<Vec<Limit>, Error> {
    if block_io.leaf_weight().is_some_and(|weight| weight > 0) {
        return Err(Error::unsupported("linux.resources.blockIO.leafWeight"));
    }
    let mut limits = Vec::new();
    if let Some(weight) = block_io.weight().filter(|weight| *weight > 0) {
        limits.push(Limit::new("blkio", "blkio.bfq.weight", weight, "blockIO.weight"));
    }
    for device in block_io.weight_device().iter().flatten() {
        if device.leaf_weight().is_some_and(|weight| weight > 0) {
            return Err(Error::unsupported("linux.resources.blockIO.weightDevice.leafWeight"));
        }
        let Some(weight) = device.weight() else { continue };
        let value = format!("{}:{} {weight}", device.major(), device.minor());
        let limit = Limit::new("blkio", "blkio.bfq.weight_device", value, "blockIO.weightDevice");
        limits.push(limit.compared(Compare::Not));
    }
    for (file, field, devices) in throttles(block_io) {
        limits.extend(devices.iter().flatten().map(|device| {
            let value = format!("{}:{} {}", device.major(), device.minor(), device.rate());
            let file = format!("blkio.throttle.{file}_device");
            Limit::new("blkio", file, value, field).compared(Compare::Not)
        }));
    }
    Ok(limits)
}

/// The four kinds of throttle: the name in version 1's files, the spec's field, the devices.
pub(crate) fn throttles(
    block_io: &LinuxBlockIo,
) -> [(&'static str, &'static str, &Option<Vec<LinuxThrottleDevice>>); 4] {
    [
        ("read_bps", "blockIO.throttleReadBpsDevice", block_io.throttle_read_bps_device()),
        ("write_bps", "blockIO.throttleWriteBpsDevice", block_io.throttle_write_bps_device()),
        ("read_iops", "blockIO.throttleReadIOPSDevice", block_io.throttle_read_iops_device()),
        ("write_iops", "blockIO.throttleWriteIOPSDevice", block_io.throttle_write_iops_device()),
    ]
}

fn other_limits(resources: &LinuxResources) -> Vec<Limit> {
    let mut limits = Vec::new();
    for page in resources.hugepage_limits().iter().flatten() {
        let file = format!("hugetlb.{}.limit_in_bytes", page.page_size());
        let limit = Limit::new("hugetlb", file, page.limit(), "hugepageLimits");
        limits.push(limit.compared(Compare::Bytes));
    }
    if let Some(network) = resources.network() {
        if let Some(class) = network.class_id() {
            limits.push(Limit::new("net_cls", "net_cls.classid", class, "network.classID"));
        }
        limits.extend(network.priorities().iter().flatten().map(|interface| {
            let value = format!("{} {}", interface.name(), interface.priority());
            let limit = Limit::new("net_prio", "net_prio.ifpriomap", value, "network.priorities");
            limit.compared(Compare::Not)
        }));
    }
    limits.extend(rdma_limits(resources));
    limits
}

/// The limits on RDMA, the same in both versions.
pub(crate) fn rdma_limits(resources: &LinuxResources) -> Vec<Limit> {
    let devices = resources.rdma().iter().flatten();
    devices
        .map(|(device, limit)| {
            let number = |limit: Option<u32>| limit.map_or("max".into(), |limit| limit.to_string());
            let (handles, objects) = (number(limit.hca_handles()), number(limit.hca_objects()));
            let value = format!("{device} hca_handle={handles} hca_object={objects}");
            Limit::new("rdma", "rdma.max", value, "rdma").compared(Compare::Not)
        })
        .collect()
}
