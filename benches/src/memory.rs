//! What an idle container costs beyond its own processes: the memory of its monitor and witness.

use std::fs;

use crate::contender::{Contender, finish};
use crate::error::Error;

const CONTAINERS: usize = 50;

/// Starts idle containers and adds up the proportional set size of all processes that run their monitors' image.
pub(crate) fn of_idle_containers(contender: &Contender) -> Result<String, Error> {
    for n in 0..CONTAINERS {
        finish(contender.run_detached("idle", &format!("idle{n}")))?;
    }
    let processes = monitors();
    let total: u64 = processes.iter().filter_map(|pid| proportional(*pid)).sum();
    for n in 0..CONTAINERS {
        finish(contender.remove(&format!("idle{n}")))?;
    }
    Ok(format!(
        "memory of {CONTAINERS} idle containers of {}: {} processes, {:.0} KiB (PSS) a container; mark: at most 1024",
        contender.name,
        processes.len(),
        total as f64 / CONTAINERS as f64
    ))
}

/// All monitors and witnesses; by their name, since their image is a mount of its own.
fn monitors() -> Vec<u32> {
    let Ok(all) = fs::read_dir("/proc") else { return Vec::new() };
    all.flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|args| args.starts_with(b"lctr-monitor")))
        .collect()
}

/// KiB.
fn proportional(pid: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    rollup.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}
