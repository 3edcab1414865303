//! What a container gets unless it is told otherwise: the defaults of Docker's engine, as a spec.
//!
//! What runs there runs here, and what is closed there is closed here. The decision taken: where Docker leaves a
//! choice, ours is the tighter one: a cgroup namespace always, and no new privileges.
//!
//! Keeps: `the_spec_is_as_published` (a snapshot), and a test for each fact that a change must not lose.
//! Does not know: who runs the container; the program's words, its network and its terminal are set by the builder.

use std::fs;
use std::path::Path;

use oci_spec::runtime::{
    Capabilities, Capability, Linux, LinuxCapabilities, LinuxDeviceCgroup, LinuxDeviceType, LinuxNamespace,
    LinuxNamespaceType, LinuxResources, Mount, Process, Root, Spec, User,
};

pub use self::seccomp::default_seccomp;

mod seccomp;
#[cfg(test)]
mod tests;

/// The capabilities that a container has.
pub const DEFAULT_CAPABILITIES: [Capability; 14] = [
    Capability::AuditWrite,
    Capability::Chown,
    Capability::DacOverride,
    Capability::Fowner,
    Capability::Fsetid,
    Capability::Kill,
    Capability::Mknod,
    Capability::NetBindService,
    Capability::NetRaw,
    Capability::Setfcap,
    Capability::Setgid,
    Capability::Setpcap,
    Capability::Setuid,
    Capability::SysChroot,
];

/// Gives the default spec: `sh` as root in `rootfs`, without a terminal, in namespaces of its own.
///
/// It is complete but for what only the caller knows: the root directory, the program, and the host name. The paths
/// that are masked include those of this host's processors.
pub fn default_spec() -> Spec {
    spec_on(&throttles(Path::new("/sys/devices/system/cpu")))
}

/// Gives the device rule that a container with a terminal needs on top: `/dev/console`.
pub fn console_rule() -> LinuxDeviceCgroup {
    device("rwm", Some(LinuxDeviceType::C), Some(5), Some(1))
}

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const NAMESPACES: [LinuxNamespaceType; 6] = [
    LinuxNamespaceType::Pid,
    LinuxNamespaceType::Network,
    LinuxNamespaceType::Ipc,
    LinuxNamespaceType::Uts,
    LinuxNamespaceType::Mount,
    LinuxNamespaceType::Cgroup,
];

/// Destination, type, source, options.
const MOUNTS: [(&str, &str, &str, &[&str]); 7] = [
    ("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
    ("/dev", "tmpfs", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
    ("/dev/pts", "devpts", "devpts", &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
    ("/sys", "sysfs", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
    ("/sys/fs/cgroup", "cgroup", "cgroup", &["ro", "nosuid", "noexec", "nodev"]),
    ("/dev/mqueue", "mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
    ("/dev/shm", "tmpfs", "shm", &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
];

const MASKED: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Major and minor number of the character devices that can be used; no minor: all of them.
const DEVICES: [(i64, Option<i64>); 8] =
    [(1, Some(3)), (1, Some(5)), (1, Some(7)), (1, Some(8)), (1, Some(9)), (5, Some(0)), (5, Some(2)), (136, None)];

/// For a network namespace of the container's own.
const SYSCTLS: [(&str, &str); 2] =
    [("net.ipv4.ip_unprivileged_port_start", "0"), ("net.ipv4.ping_group_range", "0 2147483647")];

fn spec_on(throttles: &[String]) -> Spec {
    let mut root = Root::default();
    root.set_path("rootfs".into()).set_readonly(Some(false));
    let mut spec = Spec::default();
    spec.set_version("1.0.2".to_owned())
        .set_root(Some(root))
        .set_process(Some(process()))
        .set_hostname(None)
        .set_mounts(Some(MOUNTS.iter().map(mount).collect()))
        .set_annotations(None)
        .set_linux(Some(linux(throttles)));
    spec
}

fn process() -> Process {
    let mut user = User::default();
    user.set_umask(Some(0o022));
    let mut process = Process::default();
    process
        .set_terminal(Some(false))
        .set_user(user)
        .set_args(Some(vec!["sh".to_owned()]))
        .set_env(Some(vec![PATH.to_owned()]))
        .set_cwd("/".into())
        .set_capabilities(Some(capabilities()))
        .set_rlimits(None)
        .set_no_new_privileges(Some(true));
    process
}

fn capabilities() -> LinuxCapabilities {
    let granted = Some(Capabilities::from(DEFAULT_CAPABILITIES));
    let mut sets = LinuxCapabilities::default();
    sets.set_bounding(granted.clone())
        .set_effective(granted.clone())
        .set_permitted(granted)
        .set_inheritable(None)
        .set_ambient(None);
    sets
}

fn linux(throttles: &[String]) -> Linux {
    let mut resources = LinuxResources::default();
    resources.set_devices(Some(device_rules()));
    let owned = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
    let masked = [owned(&MASKED), throttles.to_vec()].concat();
    let sysctls = SYSCTLS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut linux = Linux::default();
    linux
        .set_namespaces(Some(NAMESPACES.map(namespace).to_vec()))
        .set_resources(Some(resources))
        .set_sysctl(Some(sysctls.collect()))
        .set_seccomp(Some(default_seccomp(&DEFAULT_CAPABILITIES)))
        .set_masked_paths(Some(masked))
        .set_readonly_paths(Some(owned(&READ_ONLY)));
    linux
}

fn namespace(kind: LinuxNamespaceType) -> LinuxNamespace {
    let mut namespace = LinuxNamespace::default();
    namespace.set_typ(kind);
    namespace
}

fn mount((destination, kind, source, options): &(&str, &str, &str, &[&str])) -> Mount {
    let mut mount = Mount::default();
    mount
        .set_destination(destination.into())
        .set_typ(Some((*kind).to_owned()))
        .set_source(Some(source.into()))
        .set_options(Some(options.iter().map(|option| (*option).to_owned()).collect()));
    mount
}

/// Nothing is allowed, but to make any node and to use the usual ones.
fn device_rules() -> Vec<LinuxDeviceCgroup> {
    let mut nothing = device("rwm", None, None, None);
    nothing.set_allow(false);
    let make = [LinuxDeviceType::C, LinuxDeviceType::B].map(|kind| device("m", Some(kind), None, None));
    let usual = DEVICES.map(|(major, minor)| device("rwm", Some(LinuxDeviceType::C), Some(major), minor));
    [vec![nothing], make.to_vec(), usual.to_vec()].concat()
}

fn device(access: &str, kind: Option<LinuxDeviceType>, major: Option<i64>, minor: Option<i64>) -> LinuxDeviceCgroup {
    let mut rule = LinuxDeviceCgroup::default();
    rule.set_allow(true).set_typ(kind).set_major(major).set_minor(minor).set_access(Some(access.to_owned()));
    rule
}

/// Lists the counters by which a container would see what others do to the processors' temperature, sorted.
fn throttles(processors: &Path) -> Vec<String> {
    let entries = fs::read_dir(processors).into_iter().flatten().flatten();
    let counters = entries.map(|entry| entry.path().join("thermal_throttle")).filter(|path| path.exists());
    let mut paths: Vec<String> = counters.filter_map(|path| path.to_str().map(str::to_owned)).collect();
    paths.sort_unstable();
    paths
}
