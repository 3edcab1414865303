//! Faults from outside: processes killed past the supervisor.
//!
//! A container's monitor and its witness are found by what they hold open below the container's own directory.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::host;

/// Kills a process, whatever it is; a process that is gone is fine.
pub fn kill(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // It may have ended between the look and the kill.
    let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
}

/// The two processes that supervise a container of the state root, witness first.
pub fn supervisors(state: &Path, container: &str) -> Vec<u32> {
    let directory = state.join("run").join(container);
    let mut pids: Vec<u32> = host::holders(&directory).into_iter().map(|(pid, _)| pid).collect();
    let inside = pids.clone();
    pids.sort_by_key(|pid| host::parent(*pid).is_some_and(|parent| inside.contains(&parent)));
    pids
}

/// Kills every process that holds something below `root`, and everything in its cgroups, until nothing is left or
/// for at most five seconds: the end of a failed test.
pub fn kill_everything_of(root: &Path) {
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end {
        let groups = host::cgroups(&host::cgroup_prefix(&root.join("state")));
        let inside = groups.iter().flat_map(|group| members(group));
        let pids: Vec<u32> = inside.chain(host::holders(root).into_iter().map(|(pid, _)| pid)).collect();
        pids.iter().copied().for_each(kill);
        groups.iter().for_each(|group| remove_cgroup(group));
        if pids.is_empty() && groups.is_empty() {
            return;
        }
        // They die when the kernel has time; who is not our child cannot be waited for.
        thread::sleep(Duration::from_millis(5));
    }
}

fn members(group: &Path) -> Vec<u32> {
    let own = std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    let below = host::entries(group).into_iter().filter(|path| path.is_dir()).flat_map(|path| members(&path));
    own.lines().filter_map(|pid| pid.parse().ok()).chain(below).collect()
}

/// Takes a cgroup away, as far as it is empty; the rest is left for whoever looks at the failed test.
fn remove_cgroup(group: &Path) {
    host::entries(group).iter().filter(|path| path.is_dir()).for_each(|path| remove_cgroup(path));
    let _ = std::fs::remove_dir(group);
}
