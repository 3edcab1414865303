//! The defaults as facts: what must be there, what must not, and all of it in two snapshots.

use std::collections::BTreeSet;
use std::fs;

use libcontainerd_engine::seccomp::{Program, Verdict, compile, evaluate, locate};
use oci_spec::runtime::{Arch, Capabilities, Capability, LinuxSeccomp, LinuxSeccompOperator, LinuxSyscall};
use serde_json::{Value, json};

use super::*;

const ARCHITECTURES: [Arch; 3] = [Arch::ScmpArchX86_64, Arch::ScmpArchX86, Arch::ScmpArchX32];

fn example() -> Spec {
    spec_on(&["/sys/devices/system/cpu/cpu0/thermal_throttle".to_owned()])
}

fn linux() -> Linux {
    example().linux().clone().unwrap()
}

fn text(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[test]
fn the_spec_is_as_published() {
    let mut spec = serde_json::to_value(example()).unwrap();
    spec["linux"]["seccomp"] = json!("the other snapshot");
    for set in spec["process"]["capabilities"].as_object_mut().unwrap().values_mut() {
        set.as_array_mut().unwrap().sort_unstable_by_key(Value::to_string);
    }
    insta::assert_snapshot!(text(&spec));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_profile_is_as_published() {
    let mut profile = serde_json::to_value(default_seccomp(&DEFAULT_CAPABILITIES)).unwrap();
    for rule in profile["syscalls"].as_array_mut().unwrap() {
        let names: Vec<&str> = rule["names"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        rule["names"] = json!(names.join(" "));
    }
    insta::assert_snapshot!(text(&profile));
}

#[test]
fn fourteen_capabilities_are_had_and_none_inherited() {
    let spec = example();
    let sets = spec.process().as_ref().unwrap().capabilities().as_ref().unwrap();
    let granted = Some(Capabilities::from(DEFAULT_CAPABILITIES));
    assert_eq!(granted.as_ref().map(Capabilities::len), Some(14));
    for set in [sets.bounding(), sets.effective(), sets.permitted()] {
        assert_eq!(*set, granted);
    }
    assert_eq!((sets.inheritable(), sets.ambient()), (&None, &None));
    let dangerous = [Capability::SysAdmin, Capability::SysPtrace, Capability::SysModule, Capability::NetAdmin];
    assert!(dangerous.iter().all(|capability| !DEFAULT_CAPABILITIES.contains(capability)));
}

#[test]
fn a_program_gains_no_privileges_and_starts_at_the_root_with_the_usual_umask() {
    let spec = example();
    let process = spec.process().as_ref().unwrap();
    assert_eq!(process.no_new_privileges(), Some(true));
    assert_eq!((process.user().umask(), process.cwd().as_path()), (Some(0o022), Path::new("/")));
    assert_eq!(process.env().as_deref().unwrap(), [PATH]);
    assert_eq!(*process.rlimits(), None);
}

#[test]
fn every_namespace_but_user_and_time_is_its_own() {
    let namespaces = linux().namespaces().clone().unwrap();
    assert!(namespaces.iter().all(|namespace| namespace.path().is_none()));
    let kinds: BTreeSet<String> = namespaces.iter().map(|namespace| namespace.typ().to_string()).collect();
    assert_eq!(kinds, BTreeSet::from(["cgroup", "ipc", "mnt", "net", "pid", "uts"].map(str::to_owned)));
}

#[test]
fn what_tells_of_the_host_is_masked_or_read_only() {
    let linux = linux();
    let (masked, read_only) = (linux.masked_paths().as_ref().unwrap(), linux.readonly_paths().as_ref().unwrap());
    assert_eq!((masked.len(), read_only.len()), (12 + 1, 5));
    for path in ["/proc/kcore", "/proc/interrupts", "/sys/firmware", "/sys/devices/virtual/powercap"] {
        assert!(masked.iter().any(|masked| masked == path), "{path}");
    }
    assert!(read_only.iter().any(|path| path == "/proc/sys"));
}

#[test]
fn throttle_counters_are_masked_for_each_processor_that_has_them() {
    let processors = tempfile::tempdir().unwrap();
    for entry in ["cpu1/thermal_throttle", "cpu0/thermal_throttle", "cpu2", "cpufreq"] {
        fs::create_dir_all(processors.path().join(entry)).unwrap();
    }
    let path = |cpu: &str| processors.path().join(cpu).join("thermal_throttle").to_str().unwrap().to_owned();
    assert_eq!(throttles(processors.path()), [path("cpu0"), path("cpu1")]);
    assert_eq!(throttles(&processors.path().join("none")), Vec::<String>::new());
}

#[test]
fn no_mount_but_dev_lets_anything_of_it_be_executed_or_a_device() {
    let spec = example();
    let mounts = spec.mounts().as_ref().unwrap();
    assert_eq!(mounts.len(), 7);
    for mount in mounts {
        let has = |option: &str| mount.options().as_ref().unwrap().iter().any(|known| known == option);
        let makes_nodes = ["/dev", "/dev/pts"].map(Path::new).contains(&mount.destination().as_path());
        assert!(has("nosuid") && (makes_nodes || has("nodev")), "{}", mount.destination().display());
        assert!(has("noexec") || mount.destination() == Path::new("/dev"), "{}", mount.destination().display());
        assert_eq!(has("ro"), mount.destination().starts_with("/sys"), "{}", mount.destination().display());
    }
}

#[test]
fn devices_are_denied_first_and_then_the_usual_ones_allowed() {
    let resources = linux().resources().clone().unwrap();
    let rules = resources.devices().as_ref().unwrap();
    assert_eq!(rules.len(), 1 + 2 + 8);
    assert!(!rules[0].allow() && rules[0].major().is_none() && rules[0].typ().is_none());
    assert!(rules[1..].iter().all(LinuxDeviceCgroup::allow));
    assert!(rules[3..].iter().all(|rule| rule.major().is_some() && rule.typ() == Some(LinuxDeviceType::C)));
    let console = console_rule();
    assert!(!rules.contains(&console), "the console is for those with a terminal");
    assert_eq!((console.major(), console.minor()), (Some(5), Some(1)));
}

fn with(capability: Capability) -> Vec<Capability> {
    DEFAULT_CAPABILITIES.into_iter().chain([capability]).collect()
}

fn program(profile: &LinuxSeccomp) -> Program {
    compile(profile).unwrap()
}

fn ask(program: &Program, name: &str, first: u64) -> Verdict {
    let (audit, number) = locate(Arch::ScmpArchX86_64, name).unwrap();
    evaluate(program, audit, number, [first, 0, 0, 0, 0, 0])
}

const EPERM: Verdict = Verdict::Errno(1);
const ENOSYS: Verdict = Verdict::Errno(38);

#[test]
fn every_set_of_capabilities_has_a_profile_without_unknown_names() {
    let one = |capability| program(&default_seccomp(&[capability])).unknown;
    let all = [Capability::SysAdmin, Capability::SysPtrace, Capability::Bpf, Capability::Syslog, Capability::Perfmon];
    assert!(all.into_iter().all(|capability| one(capability).is_empty()));
    assert_eq!(program(&default_seccomp(&all)).unknown, Vec::<String>::new());
    assert_eq!(program(&default_seccomp(&[])).unknown, Vec::<String>::new());
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_capability_allows_what_it_is_for() {
    let usual = program(&default_seccomp(&DEFAULT_CAPABILITIES));
    let cases = [
        (Capability::SysAdmin, "mount"),
        (Capability::SysAdmin, "setns"),
        (Capability::DacReadSearch, "open_by_handle_at"),
        (Capability::SysModule, "init_module"),
        (Capability::SysTime, "settimeofday"),
        (Capability::Syslog, "syslog"),
        (Capability::Bpf, "bpf"),
    ];
    for (capability, name) in cases {
        assert_eq!(ask(&usual, name, 0), EPERM, "{name}");
        assert_eq!(ask(&program(&default_seccomp(&with(capability))), name, 0), Verdict::Allow, "{name}");
    }
    assert_eq!(ask(&usual, "chroot", 0), Verdict::Allow, "it is among the usual ones");
    assert_eq!(ask(&program(&default_seccomp(&[])), "chroot", 0), EPERM);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn new_namespaces_and_dangerous_sockets_are_closed() {
    let usual = program(&default_seccomp(&DEFAULT_CAPABILITIES));
    let (sigchld, new_user, new_net) = (17, 0x1000_0000, 0x4000_0000);
    assert_eq!(ask(&usual, "clone", sigchld), Verdict::Allow);
    assert_eq!(ask(&usual, "clone", sigchld | new_user), EPERM);
    assert_eq!(ask(&usual, "clone", sigchld | new_net), EPERM);
    assert_eq!(ask(&usual, "unshare", new_user), EPERM);
    assert_eq!(ask(&usual, "clone3", 0), ENOSYS);
    let admin = program(&default_seccomp(&with(Capability::SysAdmin)));
    assert_eq!([ask(&admin, "clone", sigchld | new_user), ask(&admin, "clone3", 0)], [Verdict::Allow; 2]);
    for (family, verdict) in [(2, Verdict::Allow), (16, Verdict::Allow), (38, EPERM), (39, Verdict::Allow), (40, EPERM)]
    {
        assert_eq!(ask(&usual, "socket", family), verdict, "{family}");
    }
    assert_eq!(ask(&usual, "socket", 1 << 32 | 40), EPERM);
    assert_eq!([ask(&usual, "personality", 8), ask(&usual, "personality", 0xffff_ffff)], [Verdict::Allow; 2]);
    assert_eq!(ask(&usual, "personality", 0x40_0000), EPERM);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_compiled_profile_answers_every_call_as_the_table_says() {
    let arguments = [0, 7, 8, 17, 38, 39, 40, 41, 0x2_0000, 0x2_0008, 0x200_0000, 0x1000_0011, 0xffff_ffff];
    let everything =
        [&DEFAULT_CAPABILITIES[..], &[Capability::SysAdmin, Capability::SysPtrace, Capability::Bpf]].concat();
    for capabilities in [&DEFAULT_CAPABILITIES[..], &[], &everything] {
        let profile = default_seccomp(capabilities);
        let program = program(&profile);
        for architecture in ARCHITECTURES {
            let calls = numbers(&profile, architecture);
            let audit = locate(architecture, "read").unwrap().0;
            let offset = if architecture == Arch::ScmpArchX32 { 0x4000_0000 } else { 0 };
            for number in (0..1024).map(|number| number + offset) {
                let rules = rules_of(number, &calls);
                // x32 has calls of its own, which are old, from here to there.
                let is_old = (0x4000_0200..0x4000_0224).contains(&number);
                for first in arguments {
                    let expected = expected(&rules, first, number - offset, is_old);
                    let found = evaluate(&program, audit, number, [first, 0, 0, 0, 0, 0]);
                    assert_eq!(found, expected, "{architecture} {number} {first:#x}");
                }
            }
        }
    }
}

/// The profile's rules with the number of each call that they name.
fn numbers(profile: &LinuxSeccomp, architecture: Arch) -> Vec<(u32, &LinuxSyscall)> {
    let rules = profile.syscalls().as_ref().unwrap().iter();
    let named = rules.flat_map(|rule| rule.names().iter().map(move |name| (name, rule)));
    named.filter_map(|(name, rule)| Some((locate(architecture, name)?.1, rule))).collect()
}

fn rules_of<'a>(number: u32, calls: &[(u32, &'a LinuxSyscall)]) -> Vec<&'a LinuxSyscall> {
    calls.iter().filter(|(named, _)| *named == number).map(|(_, rule)| *rule).collect()
}

fn expected(rules: &[&LinuxSyscall], first: u64, number: u32, is_old: bool) -> Verdict {
    const REMOVEXATTRAT: u32 = 466;
    let holds = |rule: &LinuxSyscall| {
        rule.args().iter().flatten().all(|argument| match argument.op() {
            LinuxSeccompOperator::ScmpCmpLt => first < argument.value(),
            LinuxSeccompOperator::ScmpCmpEq => first == argument.value(),
            LinuxSeccompOperator::ScmpCmpGt => first > argument.value(),
            LinuxSeccompOperator::ScmpCmpMaskedEq => first & argument.value() == argument.value_two().unwrap(),
            other => panic!("{other} is not in the table"),
        })
    };
    match rules.iter().find(|rule| holds(rule)) {
        Some(rule) => Verdict::from_raw(rule.action().as_u32(rule.errno_ret())),
        None if number > REMOVEXATTRAT && rules.is_empty() && !is_old => ENOSYS,
        None => EPERM,
    }
}
