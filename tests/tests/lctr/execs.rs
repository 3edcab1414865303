//! `exec`: further programs in a running container, with what was asked for and else what the container has.

use libcontainerd_tests::lctr::{command, lctr, lctr_with};
use libcontainerd_tests::running::Running;
use libcontainerd_tests::scratch::Scratch;

use crate::{background, background_with, refused, remove};

#[test]
fn an_exec_sees_the_container_and_is_held_as_it_is() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    let names = ["pid", "mnt", "uts", "ipc", "net", "cgroup"];
    let script = names.map(|name| format!("test -e /proc/1/ns/{name} && readlink /proc/self/ns/{name};")).concat();
    let ran = lctr(&scratch, ["exec", "c", "sh", "-c", &script]).quietly().code(0);
    assert_eq!(ran.text().lines().count(), names.len());
    let pid = lctr(&scratch, ["state", "c"]).json()["pid"].as_u64().unwrap();
    for (name, inside) in names.iter().zip(ran.text().lines()) {
        let of_init = std::fs::read_link(format!("/proc/{pid}/ns/{name}")).unwrap();
        assert_eq!(of_init.to_str().unwrap(), inside);
    }
    let script = "grep -E '^(NoNewPrivs|Seccomp|CapEff):' /proc/self/status";
    let ran = lctr(&scratch, ["exec", "c", "sh", "-c", script]).quietly().code(0);
    ran.stdout("CapEff:\t00000000a80425fb\nNoNewPrivs:\t1\nSeccomp:\t2\n");
    remove(&scratch, &["c"]);
}

#[test]
fn an_exec_has_the_containers_environment_directory_and_user_unless_told_otherwise() {
    let scratch = Scratch::new();
    let options = ["-e", "A=container", "-e", "B=container", "-w", "/tmp", "-u", "tester"];
    background_with(&scratch, "c", &options, &["/probe", "sleep"]);
    let script = "echo $A $B $C; pwd; id -u";
    let ran = lctr(&scratch, ["exec", "c", "sh", "-c", script]).quietly().code(0);
    ran.stdout("container container\n/tmp\n1000\n");
    let options = ["exec", "-e", "B=exec", "-e", "C=exec", "-w", "/home", "-u", "0:50", "c"];
    let ran = lctr(&scratch, [&options[..], &["sh", "-c", "echo $A $B $C; pwd; id -u; id -g"]].concat());
    ran.quietly().stdout("container exec exec\n/home\n0\n50\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn an_exec_reads_nothing_unless_it_is_told_to() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    lctr_with(&scratch, ["exec", "c", "cat"], b"not for you").quietly().stdout("").code(0);
    lctr_with(&scratch, ["exec", "-i", "c", "cat"], b"for you").quietly().stdout("for you").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn an_exec_in_the_background_runs_on_under_its_name() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    let words = ["exec", "-d", "--exec-id", "job", "c", "/probe", "sleep"];
    lctr(&scratch, words).quietly().stdout("job\n").code(0);
    let inspected = lctr(&scratch, ["inspect", "c"]).code(0).json();
    let processes = inspected[0]["processes"].as_array().unwrap();
    let job = processes.iter().find(|process| process["id"] == "job").unwrap();
    assert_eq!(job["state"], "running", "{inspected:#}");
    refused(lctr(&scratch, words), 125, "job", "");
    lctr(&scratch, ["kill", "--exec", "job", "-s", "KILL", "c"]).quietly().code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn execs_of_many_clients_at_once_each_get_their_own_output_and_code() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    let script = |code: usize| format!("echo {code}; exit {code}");
    let all: Vec<_> =
        (0..16).map(|code| Running::start(command(&scratch, ["exec", "c", "sh", "-c", &script(code)]))).collect();
    for (code, running) in all.into_iter().enumerate() {
        running.ends().quietly().stdout(&format!("{code}\n")).code(i32::try_from(code).unwrap());
    }
    remove(&scratch, &["c"]);
}

#[test]
fn what_an_exec_leaves_running_does_not_hold_it_up() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    lctr(&scratch, ["exec", "c", "/probe", "spawn-leftover"]).quietly().code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn an_exec_ends_with_its_container() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    let running = Running::start(command(&scratch, ["exec", "c", "sh", "-c", "echo ready; exec sleep 1000"]));
    running.says("ready");
    lctr(&scratch, ["kill", "-s", "KILL", "c"]).code(0);
    running.ends().code(128 + 9);
    refused(lctr(&scratch, ["exec", "c", "true"]), 125, "container c", "lctr ps -a");
    remove(&scratch, &["c"]);
}
