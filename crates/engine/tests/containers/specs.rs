//! A root file system of one program, and specs as tight as the default one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

/// Programs that the root has.
const APPLETS: [&str; 40] = [
    "sh",
    "true",
    "false",
    "cat",
    "ls",
    "id",
    "sleep",
    "echo",
    "mount",
    "hostname",
    "test",
    "readlink",
    "stat",
    "touch",
    "mkdir",
    "mknod",
    "ip",
    "wc",
    "grep",
    "dd",
    "kill",
    "ps",
    "env",
    "pwd",
    "ulimit",
    "sha256sum",
    "head",
    "tr",
    "rm",
    "ln",
    "chmod",
    "nproc",
    "tty",
    "stty",
    "seq",
    "cut",
    "sort",
    "umount",
    "nice",
    "find",
];

/// Makes a root file system of one program.
pub(crate) fn make_root(root: &Path) {
    for directory in ["bin", "dev", "etc", "proc", "sys", "tmp", "root"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    fs::copy("/usr/bin/busybox", root.join("bin/busybox")).unwrap();
    for applet in APPLETS {
        symlink("busybox", root.join("bin").join(applet)).unwrap();
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n")
        .unwrap();
    fs::write(root.join("etc/group"), "root:x:0:\nuser:x:1000:\n").unwrap();
}

/// A spec as tight as the default one, without a seccomp profile.
pub(crate) fn spec(arguments: &[&str]) -> Value {
    json!({
        "ociVersion": "1.0.2",
        "process": process(arguments),
        "root": {"path": "rootfs"},
        "hostname": "box",
        "mounts": mounts(),
        "linux": {
            "namespaces": (["pid", "mount", "uts", "ipc", "network", "cgroup"].map(|kind| json!({"type": kind}))),
            "resources": {"pids": {"limit": 256}},
            "sysctl": {"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647"},
            "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
                "/proc/latency_stats", "/proc/timer_list", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
        }
    })
}

/// A process with the default capabilities.
pub(crate) fn process(arguments: &[&str]) -> Value {
    let capabilities = [
        "CAP_AUDIT_WRITE",
        "CAP_CHOWN",
        "CAP_DAC_OVERRIDE",
        "CAP_FOWNER",
        "CAP_FSETID",
        "CAP_KILL",
        "CAP_MKNOD",
        "CAP_NET_BIND_SERVICE",
        "CAP_NET_RAW",
        "CAP_SETFCAP",
        "CAP_SETGID",
        "CAP_SETPCAP",
        "CAP_SETUID",
        "CAP_SYS_CHROOT",
    ];
    json!({
        "user": {"uid": 0, "gid": 0},
        "args": arguments,
        "env": ["PATH=/bin"],
        "cwd": "/",
        "noNewPrivileges": true,
        "capabilities": {"bounding": capabilities, "effective": capabilities, "permitted": capabilities}
    })
}

fn mounts() -> Value {
    json!([
        {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro", "nosuid", "noexec", "nodev"]},
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]}
    ])
}
