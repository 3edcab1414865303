//! What the figures were taken on.

use std::fs;
use std::process::Command;

use crate::bundle::Place;
use crate::error::Error;

/// Describes the machine in one line.
pub(crate) fn describe(place: &Place) -> Result<String, Error> {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").map_err(|e| Error::File("/proc".into(), e))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let output = Command::new("runc").arg("--version").output().map_err(|e| Error::Spawn("runc".into(), e))?;
    let runc = String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned();
    let cgroups = if fs::metadata("/sys/fs/cgroup/cgroup.controllers").is_ok() { "v2" } else { "v1" };
    let hybrid = fs::metadata("/sys/fs/cgroup/unified/cgroup.procs").is_ok();
    Ok(format!(
        "{cores} cores, kernel {}, cgroup {cgroups}{}, {runc}; state and root file system on {}",
        kernel.trim(),
        if hybrid { " hybrid" } else { "" },
        file_system(place)
    ))
}

fn file_system(place: &Place) -> &'static str {
    const TMPFS: i64 = 0x0102_1994;
    match rustix::fs::statfs(place.rootfs()) {
        Ok(stat) if stat.f_type == TMPFS => "tmpfs",
        _ => "a disk",
    }
}
