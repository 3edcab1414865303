//! What a program in a container sees and may do when nothing was asked for: Docker's defaults, and nothing of ours.

use std::fs;
use std::path::{Path, PathBuf};

use libcontainerd_tests::host;
use libcontainerd_tests::lctr::{command, lctr};
use libcontainerd_tests::running::Running;
use libcontainerd_tests::scratch::Scratch;

use crate::{run, run_on};

/// The capabilities that Docker leaves, as bits.
const FOURTEEN: &str = "00000000a80425fb";

#[test]
fn a_container_has_six_namespaces_of_its_own() {
    let scratch = Scratch::new();
    let names = ["pid", "mnt", "uts", "ipc", "net", "cgroup"];
    let script = names.map(|name| format!("readlink /proc/self/ns/{name};")).concat();
    let ran = lctr(&scratch, run(&[], &["sh", "-c", &script])).quietly().code(0);
    let inside: Vec<_> = ran.text().lines().collect();
    assert_eq!(inside.len(), names.len(), "{ran:?}");
    for (name, inside) in names.iter().zip(inside) {
        let ours = fs::read_link(format!("/proc/self/ns/{name}")).unwrap();
        assert!(inside.starts_with(name) && ours != Path::new(inside), "{name}: {inside}");
    }
}

#[test]
fn a_program_is_the_first_process_and_sees_no_other() {
    let scratch = Scratch::new();
    let script = "echo $$; echo /proc/[0-9]*";
    lctr(&scratch, run(&[], &["sh", "-c", script])).quietly().stdout("1\n/proc/1\n").code(0);
}

#[test]
fn a_program_has_fourteen_capabilities_a_filter_and_no_new_privileges() {
    let scratch = Scratch::new();
    let ran = lctr(&scratch, run(&[], &["cat", "/proc/self/status"])).quietly().code(0);
    let field = |name: &str| {
        let line = ran.text().lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} in {ran:?}")).trim().to_owned()
    };
    assert_eq!(field("NoNewPrivs:"), "1");
    assert_eq!(field("Seccomp:"), "2");
    for name in ["CapEff:", "CapPrm:", "CapBnd:"] {
        assert_eq!(field(name), FOURTEEN, "{name}");
    }
    for name in ["CapInh:", "CapAmb:"] {
        assert_eq!(field(name), "0000000000000000", "{name}");
    }
}

#[test]
fn what_tells_of_the_host_is_masked_and_its_settings_cannot_be_written() {
    let scratch = Scratch::new();
    let script = "stat -c %t:%T /proc/keys /proc/timer_list; cat /proc/keys; ls -A /sys/firmware; \
                  for f in /proc/sys/kernel/hostname /proc/sysrq-trigger /sys/kernel/uevent_helper; do \
                  (echo x > $f) 2>/dev/null && echo \"$f was written\"; done; true";
    lctr(&scratch, run(&[], &["sh", "-c", script])).quietly().stdout("1:3\n1:3\n").code(0);
}

#[test]
fn limits_are_those_of_its_cgroup_on_the_host() {
    let scratch = Scratch::new();
    let options = ["-m", "64m", "--cpus", "1.5", "--pids-limit", "33"];
    let running = Running::start(command(&scratch, run(&options, &["/probe", "on-term", "bye", "0"])));
    running.says("ready");
    let groups = host::cgroups(&host::cgroup_prefix(&scratch.state()));
    assert_eq!(first_of(&groups, &["memory.max", "memory.limit_in_bytes"]), "67108864");
    assert_eq!(first_of(&groups, &["pids.max"]), "33");
    match first_of(&groups, &["cpu.max", "cpu.cfs_quota_us"]).as_str() {
        "150000 100000" => {}
        quota => assert_eq!((quota, &*first_of(&groups, &["cpu.cfs_period_us"])), ("150000", "100000")),
    }
    running.gets(rustix::process::Signal::TERM);
    running.ends().code(0);
}

/// What the first of these files says that one of the cgroups has.
fn first_of(groups: &[PathBuf], files: &[&str]) -> String {
    let paths = files.iter().flat_map(|file| groups.iter().map(move |group| group.join(file)));
    let found = paths.filter_map(|path| fs::read_to_string(path).ok()).next();
    found.unwrap_or_else(|| panic!("{files:?} in none of {groups:?}")).trim().to_owned()
}

#[test]
fn a_program_that_takes_more_memory_than_its_limit_is_killed_and_that_is_told() {
    let scratch = Scratch::new();
    let rootfs = libcontainerd_tests::rootfs::busybox().to_str().unwrap();
    let script = "x=$(yes | head -c 100000000); echo survived";
    let words = ["run", "--name", "hungry", "-m", "16m", "--rootfs", rootfs, "--", "sh", "-c", script];
    let ran = lctr(&scratch, words);
    assert!(!ran.text().contains("survived"), "{ran:?}");
    let inspected = lctr(&scratch, ["inspect", "hungry"]).code(0).json();
    assert_eq!(inspected[0]["exit"]["oom"], true, "{inspected:#}");
    crate::remove(&scratch, &["hungry"]);
}

#[test]
fn the_network_is_a_loop_back_or_the_hosts() {
    let scratch = Scratch::new();
    let list = &["sh", "-c", "ls /sys/class/net && cat /sys/class/net/lo/operstate"];
    let alone = lctr(&scratch, run(&[], list)).quietly().code(0);
    assert_eq!(alone.text().lines().next(), Some("lo"));
    let inside = lctr(&scratch, run(&["--network", "host"], &["readlink", "/proc/self/ns/net"])).quietly().code(0);
    assert_eq!(fs::read_link("/proc/self/ns/net").unwrap(), Path::new(inside.text().trim()));
}

#[test]
fn the_host_name_is_what_was_asked_for_and_else_the_containers() {
    let scratch = Scratch::new();
    lctr(&scratch, run(&["-h", "there"], &["hostname"])).quietly().stdout("there\n").code(0);
    lctr(&scratch, run(&["--name", "web"], &["hostname"])).quietly().stdout("web\n").code(0);
}

#[test]
fn environment_directory_and_user_are_what_was_asked_for() {
    let scratch = Scratch::new();
    let options = ["-e", "GREETING=hi there", "-w", "/home/tester", "-u", "tester"];
    let script = "echo $GREETING; pwd; id -u; id -g; echo $HOME";
    let ran = lctr(&scratch, run(&options, &["sh", "-c", script])).quietly().code(0);
    ran.stdout("hi there\n/home/tester\n1000\n1000\n/home/tester\n");
}

#[test]
fn a_user_brings_its_groups_unless_one_is_asked_for() {
    let scratch = Scratch::new();
    for (user, groups) in [("tester", "1000 50\n"), ("tester:staff", "50\n"), ("0:0", "0\n")] {
        lctr(&scratch, run(&["-u", user], &["id", "-G"])).quietly().stdout(groups).code(0);
    }
}

#[test]
fn a_variable_without_a_value_is_the_callers_and_files_of_variables_are_read() {
    let scratch = Scratch::new();
    let file = scratch.place("variables");
    fs::write(&file, "# ours\nFROM_FILE=a \"b\"\n").unwrap();
    let options = ["--env-file", file.to_str().unwrap(), "-e", "FROM_CALLER", "-e", "NOT_THERE"];
    let script = "echo $FROM_FILE; echo $FROM_CALLER; echo ${NOT_THERE-none}";
    let mut command = command(&scratch, run(&options, &["sh", "-c", script]));
    command.env("FROM_CALLER", "theirs").env_remove("NOT_THERE");
    Running::start(command).ends().quietly().stdout("a \"b\"\ntheirs\nnone\n").code(0);
}

#[test]
fn state_and_data_are_not_to_be_seen_on_the_hosts_own_root() {
    let scratch = Scratch::new();
    let (state, data) = (scratch.state(), scratch.data());
    let script =
        "for d in \"$@\"; do ls -A \"$d\" 2>/dev/null; echo x > \"$d/x\" 2>/dev/null && echo written; done; true";
    let (state, data) = (state.to_str().unwrap(), data.to_str().unwrap());
    let program = ["/bin/sh", "-c", script, "sh", state, data];
    lctr(&scratch, run_on(Path::new("/"), &[], &program)).stdout("").code(0);
}

#[test]
fn state_and_data_are_covered_in_a_volume_that_contains_them() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.place("beside")).unwrap();
    let volume = format!("{}:/mnt", scratch.state().parent().unwrap().display());
    let script =
        "ls /mnt; ls -A /mnt/state /mnt/data; touch /mnt/state/x /mnt/data/x 2>/dev/null && echo written; true";
    let ran = lctr(&scratch, run(&["-v", &volume], &["sh", "-c", script])).quietly().code(0);
    ran.stdout("beside\ndata\nstate\n/mnt/data:\n\n/mnt/state:\n");
}
