//! What a container is given and what is kept from it.

use serde_json::json;

use crate::fixture::{Scratch, spec};

/// Runs a shell script and gives what it prints.
fn printed(scratch: &Scratch, script: &str) -> String {
    let outcome = scratch.run(spec(&["sh", "-c", script]));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:?}");
    outcome.stdout
}

/// The value of a field of /proc/PID/status.
fn field<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_once(':').unwrap().1.trim()
}

#[test]
fn the_exit_code_and_both_streams_are_the_programs_own() {
    let scratch = Scratch::new();
    let outcome = scratch.run(spec(&["sh", "-c", "echo out; echo err >&2; exit 7"]));
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (7, "out\n", "err\n"));
}

#[test]
fn every_namespace_is_a_new_one() {
    let scratch = Scratch::new();
    let inside = printed(&scratch, "cd /proc/self/ns; for n in cgroup ipc mnt net pid uts; do readlink $n; done");
    assert_eq!(inside.lines().count(), 6);
    for (name, link) in ["cgroup", "ipc", "mnt", "net", "pid", "uts"].iter().zip(inside.lines()) {
        let host = std::fs::read_link(format!("/proc/self/ns/{name}")).unwrap();
        assert_ne!(link, host.to_str().unwrap());
    }
}

#[test]
fn the_container_is_pid_one_with_its_own_name_and_a_loopback_that_is_up() {
    let scratch = Scratch::new();
    let inside = printed(&scratch, "echo $$; hostname; ip -o link show lo | grep -c LOWER_UP");
    assert_eq!(inside, "1\nbox\n1\n");
}

#[test]
fn the_hosts_mount_table_stays_as_it_is_while_a_container_runs() {
    let before = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let scratch = Scratch::new();
    let running = scratch.start(spec(&["sleep", "1000"]));
    let during = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    running.stop();
    assert_eq!(before, during);
}

#[test]
fn nothing_of_the_host_is_left_in_the_mount_table() {
    let scratch = Scratch::new();
    let table = printed(&scratch, "cut -d' ' -f5 /proc/self/mountinfo | sort -u");
    let expected = ["/", "/dev", "/dev/mqueue", "/dev/pts", "/dev/shm", "/proc", "/sys", "/sys/fs/cgroup"];
    for line in table.lines() {
        let known =
            expected.contains(&line) || ["/sys/fs/cgroup/", "/proc/", "/sys/"].iter().any(|dir| line.starts_with(dir));
        assert!(known, "{line}");
    }
    for path in expected {
        assert!(table.lines().any(|line| line == path), "{path}");
    }
}

#[test]
fn user_groups_and_capabilities_are_the_ones_that_were_asked_for() {
    let scratch = Scratch::new();
    let mut spec = spec(&["cat", "/proc/self/status"]);
    spec["process"]["user"] = json!({"uid": 1000, "gid": 1001, "additionalGids": [5, 7], "umask": 0o027});
    spec["process"]["capabilities"] = json!({"bounding": ["CAP_KILL", "CAP_CHOWN"], "permitted": ["CAP_KILL"],
        "effective": ["CAP_KILL"], "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"]});
    let status = scratch.run(spec).stdout;
    assert_eq!(field(&status, "Uid:"), "1000\t1000\t1000\t1000");
    assert_eq!(field(&status, "Gid:"), "1001\t1001\t1001\t1001");
    assert_eq!(field(&status, "Groups:"), "5 7");
    assert_eq!(field(&status, "Umask:"), "0027");
    assert_eq!(field(&status, "NoNewPrivs:"), "1");
    assert_eq!(field(&status, "CapBnd:"), "0000000000000021");
    for set in ["CapEff:", "CapPrm:", "CapInh:", "CapAmb:"] {
        assert_eq!(field(&status, set), "0000000000000020", "{set}");
    }
}

#[test]
fn c15_root_inherits_nothing_and_has_the_default_capabilities() {
    let scratch = Scratch::new();
    let status = scratch.run(spec(&["cat", "/proc/self/status"])).stdout;
    assert_eq!(field(&status, "CapInh:"), "0000000000000000");
    assert_eq!(field(&status, "CapAmb:"), "0000000000000000");
    for set in ["CapEff:", "CapPrm:", "CapBnd:"] {
        assert_eq!(field(&status, set), "00000000a80425fb", "{set}");
    }
}

#[test]
fn c19_the_callers_groups_are_not_the_containers() {
    let scratch = Scratch::new();
    let status = scratch.run(spec(&["cat", "/proc/self/status"])).stdout;
    assert_eq!(field(&status, "Groups:"), "");
}

#[test]
fn signals_are_neither_blocked_nor_ignored() {
    let scratch = Scratch::new();
    let status = scratch.run(spec(&["cat", "/proc/self/status"])).stdout;
    for set in ["SigBlk:", "SigIgn:", "SigCgt:"] {
        assert_eq!(field(&status, set), "0000000000000000", "{set}");
    }
}

#[test]
fn c2_no_descriptor_but_the_streams_is_inherited() {
    let scratch = Scratch::new();
    // Descriptors of the caller that exec would keep.
    let open = std::fs::File::open("/").unwrap();
    let kept: Vec<_> = (0..3).map(|_| rustix::io::dup(&open).unwrap()).collect();
    let listed = printed(&scratch, "ls /proc/$$/fd; true");
    drop(kept);
    assert_eq!(listed, "0\n1\n2\n");
}

#[test]
fn masked_paths_show_nothing_and_read_only_paths_refuse() {
    let scratch = Scratch::new();
    let script = "cat /proc/keys /proc/timer_list /proc/interrupts | wc -c; ls /sys/firmware /proc/acpi 2>/dev/null | grep -v : | wc -w;
        for f in /proc/sys/kernel/domainname /proc/sysrq-trigger; do (echo x > $f) 2>/dev/null && echo written; done;
        touch /sys/x 2>/dev/null && echo written; (echo 0 > /sys/fs/cgroup/pids/tasks) 2>/dev/null && echo written; true";
    assert_eq!(printed(&scratch, script).split_whitespace().collect::<Vec<_>>(), ["0", "0"]);
}

#[test]
fn dev_has_the_default_nodes_and_links_and_nothing_else() {
    let scratch = Scratch::new();
    let listed = printed(
        &scratch,
        "cd /dev; ls | tr '\\n' ' '; stat -c '%n %t:%T %a' null full tty; readlink ptmx; readlink fd",
    );
    let expected = "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero \
        null 1:3 666\nfull 1:7 666\ntty 5:0 666\npts/ptmx\n/proc/self/fd\n";
    assert_eq!(listed, expected);
}

#[test]
fn devices_that_no_rule_allows_do_not_open() {
    let scratch = Scratch::new();
    let script = "mknod /tmp/mem c 1 1 && head -c1 /tmp/mem 2>/dev/null; echo $?; head -c1 /dev/zero | wc -c";
    assert_eq!(printed(&scratch, script), "1\n1\n");
}

#[test]
fn seccomp_is_active_and_its_rules_hold_with_and_without_new_privileges() {
    let scratch = Scratch::new();
    for no_new_privileges in [true, false] {
        let script = "grep -E '^(Seccomp|NoNewPrivs|CapPrm):' /proc/self/status | tr -d '\\t'; mkdir /tmp/x 2>&1";
        let mut spec = spec(&["sh", "-c", script]);
        spec["process"]["noNewPrivileges"] = json!(no_new_privileges);
        spec["linux"]["seccomp"] = json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5}]});
        let outcome = scratch.run(spec);
        let privileges = u8::from(no_new_privileges);
        let expected = format!(
            "CapPrm:00000000a80425fb\nNoNewPrivs:{privileges}\nSeccomp:2\nmkdir: can't create directory '/tmp/x': Input/output error\n"
        );
        assert_eq!(outcome.stdout, expected, "{outcome:?}");
    }
}

#[test]
fn limits_scores_and_sysctls_are_set() {
    let scratch = Scratch::new();
    let mut spec = spec(&[
        "sh",
        "-c",
        "ulimit -n; cat /proc/self/oom_score_adj /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax",
    ]);
    spec["process"]["rlimits"] = json!([{"type": "RLIMIT_NOFILE", "soft": 333, "hard": 444}]);
    spec["process"]["oomScoreAdj"] = json!(77);
    spec["linux"]["sysctl"]["kernel.msgmax"] = json!("9000");
    let before = std::fs::read_to_string("/proc/sys/kernel/msgmax").unwrap();
    assert_eq!(scratch.run(spec).stdout, "333\n77\n0\n9000\n");
    assert_eq!(std::fs::read_to_string("/proc/sys/kernel/msgmax").unwrap(), before);
}

#[test]
fn the_environment_is_the_specs_and_a_home() {
    let scratch = Scratch::new();
    let mut spec = spec(&["env"]);
    spec["process"]["env"] = json!(["PATH=/bin", "GREETING=hello\nworld"]);
    let listed = scratch.run(spec).stdout;
    assert_eq!(listed, "PATH=/bin\nGREETING=hello\nworld\nHOME=/root\n");
}

#[test]
fn a_missing_working_directory_is_made() {
    let scratch = Scratch::new();
    let mut spec = spec(&["pwd"]);
    spec["process"]["cwd"] = json!("/srv/new/place");
    assert_eq!(scratch.run(spec).stdout, "/srv/new/place\n");
}

#[test]
fn the_container_sees_its_own_cgroup_as_the_root() {
    let scratch = Scratch::new();
    let listed = printed(
        &scratch,
        "cut -d: -f3 /proc/self/cgroup | sort -u; test -e /sys/fs/cgroup/pids/pids.max -o -e /sys/fs/cgroup/pids.max && echo shown",
    );
    assert_eq!(listed, "/\nshown\n");
}

#[test]
fn a_filter_loads_without_no_new_privs_for_a_user_who_keeps_no_right_to_it() {
    let scratch = Scratch::new();
    let mut spec = spec(&["cat", "/proc/self/status"]);
    spec["process"]["noNewPrivileges"] = json!(false);
    spec["process"]["user"] = json!({"uid": 1000, "gid": 1000});
    spec["process"]["capabilities"] = json!({"bounding": ["CAP_KILL"]});
    spec["linux"]["seccomp"] = json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]});
    let status = scratch.run(spec).stdout;
    for (name, value) in [
        ("Seccomp:", "2"),
        ("NoNewPrivs:", "0"),
        ("CapPrm:", "0000000000000000"),
        ("CapEff:", "0000000000000000"),
        ("CapBnd:", "0000000000000020"),
    ] {
        assert_eq!(field(&status, name), value, "{name}");
    }
}
