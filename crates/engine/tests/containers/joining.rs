//! Processes that join what exists: execs, and containers in another one's namespaces.

use libcontainerd_engine::Root;
use serde_json::json;

use crate::fixture::{Scratch, process, spec};

#[test]
fn an_exec_is_in_every_namespace_and_cgroup_of_the_container() {
    let scratch = Scratch::new();
    let running = scratch.start(spec(&["sleep", "1000"]));
    let script = "for n in cgroup ipc mnt net pid uts; do test $(readlink /proc/self/ns/$n) = $(readlink /proc/1/ns/$n) || echo $n; done; \
        hostname; pwd; ls /proc/$$/fd; grep -E ^Seccomp: /proc/self/status; exit 9";
    let outcome = running.exec(&scratch, process(&["sh", "-c", script])).unwrap();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (9, "box\n/\n0\n1\n2\nSeccomp:\t0\n"), "{outcome:?}");
    running.stop();
}

#[test]
fn an_exec_has_its_own_user_and_the_containers_filter() {
    let scratch = Scratch::new();
    let mut spec = spec(&["sleep", "1000"]);
    spec["linux"]["seccomp"] = json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]});
    let running = scratch.start(spec);
    let mut user = process(&["sh", "-c", "id -u; id -G; mkdir /tmp/x 2>&1; echo $HOME"]);
    user["user"] = json!({"uid": 1000, "gid": 1000, "additionalGids": [7]});
    user["capabilities"] = json!({});
    let outcome = running.exec(&scratch, user).unwrap();
    assert_eq!(
        outcome.stdout,
        "1000\n1000 7\nmkdir: can't create directory '/tmp/x': Operation not permitted\n/home/user\n"
    );
    running.stop();
}

#[test]
fn an_exec_into_a_container_that_has_ended_is_refused() {
    let scratch = Scratch::new();
    let running = scratch.start(spec(&["sleep", "1000"]));
    running.cgroup.kill().unwrap();
    let mut ended = [rustix::event::PollFd::new(&running.init.pidfd, rustix::event::PollFlags::IN)];
    rustix::event::poll(&mut ended, None).unwrap();
    assert!(running.exec(&scratch, process(&["true"])).is_err());
    running.cgroup.remove_leaf("exec-1").unwrap();
    running.stop();
}

#[test]
fn an_exec_leaves_no_child_behind_but_itself() {
    let scratch = Scratch::new();
    let running = scratch.start(spec(&["sleep", "1000"]));
    for _ in 0..10 {
        assert_eq!(running.exec(&scratch, process(&["true"])).unwrap().code, 0);
    }
    assert_eq!(running.cgroup.pids().unwrap(), [running.init.pid]);
    running.stop();
}

#[test]
fn a_container_joins_namespaces_by_path() {
    let scratch = Scratch::new();
    let first = scratch.start(spec(&["sleep", "1000"]));
    let path = |name: &str| format!("/proc/{}/ns/{name}", first.init.pid);
    let mut spec =
        spec(&["sh", "-c", "for n in net pid ipc; do readlink /proc/self/ns/$n; done; test $$ -gt 1 && echo joined"]);
    spec["linux"]["namespaces"] = json!([{"type": "mount"}, {"type": "uts"}, {"type": "cgroup"},
        {"type": "network", "path": path("net")}, {"type": "pid", "path": path("pid")}, {"type": "ipc", "path": path("ipc")}]);
    let outcome = scratch.try_run_in(spec, Root::Directory(scratch.root()), &[]).unwrap();
    let link = |name: &str| std::fs::read_link(path(name)).unwrap().into_os_string().into_string().unwrap();
    assert_eq!(outcome.stdout, format!("{}\n{}\n{}\njoined\n", link("net"), link("pid"), link("ipc")));
    first.stop();
}

#[test]
fn two_hundred_containers_sixteen_at_a_time_all_end_well() {
    let scratch = Scratch::new();
    let next = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                while next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 200 {
                    let outcome = scratch.run(spec(&["sh", "-c", "echo $$; exit 3"]));
                    assert_eq!((outcome.code, outcome.stdout.as_str()), (3, "1\n"));
                }
            });
        }
    });
}
