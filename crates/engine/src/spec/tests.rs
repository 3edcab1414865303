//! What is refused, by which name, and what is only told.

use serde_json::{Value, json};

use super::*;

fn minimal() -> Value {
    json!({
        "ociVersion": "1.2.0",
        "process": {"user": {"uid": 0, "gid": 0}, "args": ["sh"], "cwd": "/"},
        "root": {"path": "rootfs"},
        "hostname": "box",
        "linux": {"namespaces": (["pid", "mount", "uts", "ipc", "network", "cgroup"].map(|kind| json!({"type": kind})))}
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut spec = minimal();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    spec.pointer_mut(parent).unwrap()[key] = value;
    spec
}

fn check(raw: &Value) -> Result<Vec<Warning>, Error> {
    check_spec(&serde_json::from_value(raw.clone()).unwrap(), Some(raw))
}

#[test]
fn a_plain_spec_has_no_warnings() {
    assert_eq!(check(&minimal()).unwrap(), []);
}

#[test]
fn what_is_known_and_not_enforced_is_refused_by_name() {
    let hook = json!([{"path": "/bin/true"}]);
    let ids = json!([{"containerID": 0, "hostID": 1000, "size": 1}]);
    for (pointer, value, name) in [
        ("/hooks", json!({"prestart": hook}), "hooks.prestart"),
        ("/hooks", json!({"createContainer": hook}), "hooks.createContainer"),
        ("/hooks", json!({"poststop": hook}), "hooks.poststop"),
        ("/linux/uidMappings", ids.clone(), "linux.uidMappings"),
        ("/linux/intelRdt", json!({"closID": "x"}), "linux.intelRdt"),
        ("/linux/mountLabel", json!("x"), "linux.mountLabel"),
        ("/linux/namespaces", json!([{"type": "mount"}, {"type": "uts"}, {"type": "user"}]), "linux.namespaces (user)"),
        ("/linux/timeOffsets", json!({"monotonic": {"secs": 1}}), "linux.timeOffsets"),
        ("/process/scheduler", json!({"policy": "SCHED_FIFO"}), "process.scheduler"),
        ("/process/ioPriority", json!({"class": "IOPRIO_CLASS_IDLE", "priority": 1}), "process.ioPriority"),
        ("/ociVersion", json!("2.0.0"), "ociVersion 2.0.0"),
    ] {
        let refused = check(&with(pointer, value));
        assert!(matches!(&refused, Err(Error::Unsupported { field, .. }) if field == name), "{name}: {refused:?}");
    }
}

#[test]
fn bad_values_are_refused() {
    for (pointer, value) in [
        ("/process/oomScoreAdj", json!(1001)),
        ("/process/cwd", json!("relative")),
        ("/linux/rootfsPropagation", json!("sideways")),
        ("/linux/namespaces", json!([{"type": "mount"}, {"type": "mount"}, {"type": "uts"}])),
        ("/linux/namespaces", json!([{"type": "mount"}])),
        ("/hostname", json!("x".repeat(65))),
    ] {
        assert!(matches!(check(&with(pointer, value)), Err(Error::Invalid { .. })), "{pointer}");
    }
}

#[test]
fn only_sysctls_of_own_namespaces_pass() {
    let sysctl = |name: &str| check(&with("/linux/sysctl", json!({ name: "1" })));
    for name in ["net.ipv4.ip_forward", "net/ipv4/ip_forward", "kernel.shmmax", "fs.mqueue.msg_max"] {
        assert!(sysctl(name).is_ok(), "{name}");
    }
    for name in ["kernel.core_pattern", "net/../kernel/core_pattern", "vm.swappiness", "net.a b", "kernel.hostname"] {
        assert!(matches!(sysctl(name), Err(Error::Invalid { .. })), "{name}");
    }
}

#[test]
fn a_sysctl_of_a_shared_namespace_is_refused() {
    let mut spec = with("/linux/sysctl", json!({"net.ipv4.ip_forward": "1"}));
    spec["linux"]["namespaces"] = json!([{"type": "mount"}, {"type": "uts"}]);
    assert!(matches!(check(&spec), Err(Error::Invalid { .. })));
}

#[test]
fn unknown_properties_are_named_and_nothing_more() {
    let mut spec = minimal();
    spec["process"]["sidecar"] = json!(true);
    spec["linux"]["namespaces"][0]["colour"] = json!("red");
    spec["annotations"] = json!({"com.example.key": "value"});
    spec["hooks"] = json!({});
    spec["linux"]["seccomp"] = Value::Null;
    let names: Vec<_> = check(&spec).unwrap().into_iter().map(|Warning::UnknownProperty { field }| field).collect();
    assert_eq!(names, ["linux.namespaces[0].colour", "process.sidecar"]);
}
