//! Names below STATE and DATA that belong to this runtime, and nothing else's.
//!
//! A container's own directory is `STATE/run/<id>`; the bundle beside it is not ours. An id is a directory level of
//! its own, so that no id can be one of these names.
//!
//! Keeps: C-29 of SECURITY.md.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libcontainerd_core::Instance;

/// Directory of the containers' own directories, below STATE.
pub(crate) const RUN: &str = "run";
/// Directory of the event log of all containers, below STATE.
pub(crate) const EVENTS: &str = "events";
/// Directory of the sockets of those who follow the event log, below STATE.
pub(crate) const WATCHERS: &str = "watchers";
/// Directory of the layers that take an overlay's writes, by instance, below DATA.
pub(crate) const OVERLAY: &str = "overlay";
/// Directory of the ledger of containers that were removed, below DATA.
pub(crate) const LEDGER: &str = "exits";
/// In a layer: the hash of the STATE whose container it belongs to.
pub(crate) const MARK: &str = "state";
/// The container's journal.
pub(crate) const JOURNAL: &str = "journal";
/// The container's spec, as it was created from.
pub(crate) const SPEC: &str = "spec.json";
/// Held by monitor and witness as long as one of them lives.
pub(crate) const LOCK: &str = "lock";
/// The monitor's control socket.
pub(crate) const SOCKET: &str = "socket";
/// The monitor's own log.
pub(crate) const LOG: &str = "log";

/// The directory in every cgroup hierarchy that holds our containers, unless the caller names another.
pub(crate) const CGROUP_PARENT: &str = "/libcontainerd";

/// Whether a name directly below STATE is that of a directory of this runtime's.
pub(crate) fn is_own(name: &OsStr) -> bool {
    [RUN, EVENTS, WATCHERS].iter().any(|own| name == *own)
}

/// The name of a container's cgroup: which state root, which instance, so that two roots with the same id never meet.
pub(crate) fn cgroup_name(state: &Path, instance: Instance) -> String {
    format!("{}-{instance}", state_hash(state))
}

/// Which container of that state root a cgroup of that name is; `None` when it is another's.
pub(crate) fn cgroup_instance(state: &Path, name: &str) -> Option<Instance> {
    let instance = name.strip_prefix(&state_hash(state))?.strip_prefix('-')?;
    // Only as we write it.
    instance.parse().ok().filter(|parsed: &Instance| parsed.to_string() == instance)
}

/// A state root in 16 characters.
pub(crate) fn state_hash(state: &Path) -> String {
    // FNV-1a: short, stable for ever, and not meant to withstand anybody.
    let hash =
        state.as_os_str().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cgroup_names_differ_by_state_root_and_instance() {
        let one = Instance::from_bits(1);
        let two = Instance::from_bits(2);
        let name = |state: &str, instance| cgroup_name(Path::new(state), instance);
        assert_eq!(name("/run/a", one), name("/run/a", one));
        assert_ne!(name("/run/a", one), name("/run/b", one));
        assert_ne!(name("/run/a", one), name("/run/a", two));
        assert!(!name("/run/a", one).contains('/'));
        let instance = |state: &str, name: &str| cgroup_instance(Path::new(state), name);
        assert_eq!(instance("/run/a", &name("/run/a", one)), Some(one));
        assert_eq!(instance("/run/b", &name("/run/a", one)), None);
        assert_eq!(instance("/run/a", "monitors"), None);
    }
}
