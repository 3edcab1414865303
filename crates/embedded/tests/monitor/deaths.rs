//! What it costs when monitor or witness are killed: nothing.

use std::io::{Read, Write};
use std::time::Duration;

use libcontainerd_core::process::NewProcess;
use libcontainerd_core::stdio::{Place, Stdio, TerminalSize};
use serde_json::json;

use crate::container::{Container, eventually, kill, recipe, shell};
use crate::scratch::Scratch;

/// A shell that does what it is told, line by line.
fn obedient<'s>(scratch: &'s Scratch) -> Container<'s> {
    let stdio = Stdio::output().with_stdin(Place::Stream);
    shell("c", "while read line; do eval \"$line\"; done; exit 9").with(stdio).create(scratch)
}

/// Kills the monitor and waits for its successor.
fn kill_monitor(container: &Container<'_>) {
    let (monitor, witness) = container.supervisors();
    kill(monitor);
    let (successor, same) = eventually(|| Some(container.supervisors()).filter(|(next, _)| *next != monitor));
    assert!(successor != monitor && same == witness);
}

pub(crate) fn a_monitor_killed_before_the_start_costs_nothing() {
    let scratch = Scratch::new();
    let container = shell("c", "echo hello; exit 7").with(Stdio::output()).create(&scratch);
    kill_monitor(&container);
    container.start();
    assert_eq!(container.text("init-stdout"), "hello\n");
    container.ends_with(json!({"code": 7}));
    assert_eq!(container.exits("init")[0]["how"], "waited");
    container.delete();
}

pub(crate) fn a_monitor_killed_while_the_container_runs_costs_nothing() {
    let scratch = Scratch::new();
    let container = obedient(&scratch);
    container.start();
    let mut stdin = container.writer("init-stdin");
    let mut stdout = container.reader("init-stdout");
    stdin.write_all(b"echo one\n").unwrap();
    let mut line = [0; 4];
    stdout.read_exact(&mut line).unwrap();
    container.exec("e", NewProcess::new(["/bin/sh", "-c", "read x </dev/zero; exit 4"], Stdio::null()));
    kill_monitor(&container);
    stdin.write_all(b"echo two\n").unwrap();
    stdout.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"two\n");
    assert_eq!(container.signal("e", 15, "process"), "done");
    assert_eq!(container.exit("e")["status"], json!({"signal": 15}));
    let started = container.exec("f", NewProcess::new(["/bin/false"], Stdio::null()));
    assert!(started.get("started").is_some(), "{started}");
    assert_eq!(container.exit("f")["status"], json!({"code": 1}));
    drop(stdin);
    assert_eq!(container.ask(&json!({ "close-stdin": { "process": "init" } })), "done");
    container.ends_with(json!({"code": 9}));
    let exit = &container.exits("init")[0];
    assert_eq!(exit["how"], "waited");
    container.delete();
}

pub(crate) fn a_monitor_killed_while_an_exec_is_pending_costs_that_exec_at_most() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    container.start();
    for round in 0..20 {
        let name = format!("e{round}");
        let (monitor, _) = container.supervisors();
        let mut client = container.client();
        let what = NewProcess::new(["/bin/sh", "-c", "exit 6"], Stdio::null());
        client.send(&container.exec_request(&name, what)).unwrap();
        std::thread::sleep(std::time::Duration::from_micros(300 * round));
        kill(monitor);
        eventually(|| (container.supervisors().0 != monitor).then_some(()));
        if client.answer().is_some_and(|answer| answer.get("started").is_some()) {
            assert_eq!(container.exit(&name)["status"], json!({"code": 6}));
        }
        assert!(container.exits(&name).len() <= 1);
        let again = container.exec("after", NewProcess::new(["/bin/true"], Stdio::null()));
        assert!(again.get("started").is_some(), "{again}");
        eventually(|| (container.exits("after").len() as u64 == round + 1).then_some(()));
    }
    assert_eq!(container.signal("init", 9, "process"), "done");
    container.ends_with(json!({"signal": 9}));
    container.delete();
}

pub(crate) fn a_monitor_killed_after_the_exit_keeps_what_was_not_read() {
    let scratch = Scratch::new();
    let script = "head -c 700000 /dev/zero; echo out; echo err >&2; exit 3";
    let container = shell("c", script).with(Stdio::output()).create(&scratch);
    container.start();
    container.ends_with(json!({"code": 3}));
    kill_monitor(&container);
    let bytes = container.read("init-stdout");
    assert!(bytes.len() == 700_004 && bytes.ends_with(b"out\n"), "{}", bytes.len());
    assert_eq!(container.text("init-stderr"), "err\n");
    container.ends_with(json!({"code": 3}));
    container.delete();
}

pub(crate) fn a_monitor_killed_again_and_again_costs_nothing() {
    let scratch = Scratch::new();
    let container = obedient(&scratch);
    container.start();
    let mut stdin = container.writer("init-stdin");
    let mut stdout = container.reader("init-stdout");
    for round in 0..12 {
        let (monitor, _) = container.supervisors();
        stdin.write_all(b"echo word\n").unwrap();
        if round % 2 == 0 {
            kill(monitor);
        }
        let mut line = [0; 5];
        stdout.read_exact(&mut line).unwrap();
        assert_eq!(&line, b"word\n");
        if round % 2 == 1 {
            kill(monitor);
        }
    }
    // The exit falls between two monitors.
    let (monitor, _) = container.supervisors();
    stdin.write_all(b"exit 11\n").unwrap();
    kill(monitor);
    container.ends_with(json!({"code": 11}));
    assert_eq!(container.exits("init")[0]["how"], "waited");
    container.delete();
}

fn kill_witness(container: &Container<'_>) {
    let (monitor, witness) = container.supervisors();
    kill(witness);
    let (_, next) = eventually(|| Some(container.supervisors()).filter(|(_, next)| *next != witness));
    // The monitor has taken the witness's place.
    assert_eq!(next, monitor);
}

pub(crate) fn a_witness_killed_costs_nothing() {
    let scratch = Scratch::new();
    let container = obedient(&scratch);
    container.start();
    container.exec("e", NewProcess::new(["/bin/sleep", "1000"], Stdio::null()));
    kill_witness(&container);
    assert_eq!(container.signal("e", 15, "process"), "done");
    let exit = container.exit("e");
    assert_eq!((&exit["status"], &exit["how"]), (&json!({"signal": 15}), &json!("waited")));
    container.writer("init-stdin").write_all(b"echo still here; exit 2\n").unwrap();
    assert_eq!(container.text("init-stdout"), "still here\n");
    container.ends_with(json!({"code": 2}));
    assert_eq!(container.exits("init")[0]["how"], "waited");
    container.delete();
}

pub(crate) fn a_witness_killed_and_then_the_monitor_cost_nothing() {
    let scratch = Scratch::new();
    let container = obedient(&scratch);
    container.start();
    for _ in 0..3 {
        kill_witness(&container);
        kill_monitor(&container);
    }
    container.writer("init-stdin").write_all(b"echo still here; exit 2\n").unwrap();
    assert_eq!(container.text("init-stdout"), "still here\n");
    container.ends_with(json!({"code": 2}));
    container.delete();
}

pub(crate) fn a_container_whose_monitor_and_witness_died_is_adopted() {
    let scratch = Scratch::new();
    let stdio = Stdio::null().with_stdin(Place::Stream);
    let mut container = shell("c", "while read line; do eval \"$line\"; done").with(stdio).create(&scratch);
    container.start();
    container.exec("e", NewProcess::new(["/bin/sleep", "1000"], Stdio::null()));
    let hold = container.writer("init-stdin");
    let (monitor, witness) = container.supervisors();
    for pid in [witness, monitor] {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), nix::sys::signal::Signal::SIGSTOP).unwrap();
    }
    kill(witness);
    kill(monitor);
    eventually(|| (container.connect().is_none()).then_some(()));
    assert_eq!(container.adopt(), "done");
    let started = container.exec("f", NewProcess::new(["/bin/false"], Stdio::null()));
    assert!(started.get("started").is_some(), "{started}");
    assert_eq!(container.exit("f")["how"], "waited");
    assert_eq!(container.signal("e", 15, "process"), "done");
    assert_eq!(container.exit("e")["status"], json!({"signal": 15}));
    (&hold).write_all(b"exit 5\n").unwrap();
    let exit = container.exit("init");
    assert_eq!(exit["status"], json!({"code": 5}), "{exit}");
    assert_eq!(exit["how"], json!({"inferred": "process-descriptor"}));
    assert!(container.log().contains("adopted"));
    container.delete();
}

pub(crate) fn a_terminal_survives_its_monitor() {
    let scratch = Scratch::new();
    let terminal = Stdio::terminal(TerminalSize::default());
    let script = "stty raw -echo; echo ready; while read line; do eval \"$line\"; done";
    let container = shell("c", script).with(terminal).create(&scratch);
    container.start();
    let mut stdin = container.writer("init-stdin");
    let mut stdout = container.reader("init-stdout");
    let mut ready = [0; 6];
    stdout.read_exact(&mut ready).unwrap();
    for _ in 0..3 {
        stdin.write_all(b"echo word\n").unwrap();
        let mut line = [0; 5];
        stdout.read_exact(&mut line).unwrap();
        assert_eq!(&line, b"word\n");
        kill_monitor(&container);
    }
    stdin.write_all(b"head -c 2000000 /dev/zero; exit 8\n").unwrap();
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len(), 2_000_000);
    container.ends_with(json!({"code": 8}));
    container.delete();
}

/// Moments after the beginning of something, in steps that grow.
fn moments() -> impl Iterator<Item = Duration> {
    (0..24).map(|step: u64| Duration::from_micros(step * step * 25))
}

pub(crate) fn a_monitor_killed_during_a_create_leaves_a_container_or_nothing() {
    for moment in moments() {
        let scratch = Scratch::new();
        std::thread::scope(|threads| {
            let killer = threads.spawn(|| {
                // Two processes: the witness first, then its monitor.
                let monitors = eventually(|| Some(scratch.monitors()).filter(|pids| pids.len() == 2));
                std::thread::sleep(moment);
                kill(monitors.into_iter().max().unwrap());
            });
            let container = shell("c", "exit 4").try_create(&scratch);
            killer.join().unwrap();
            let is_made = eventually(|| match container.connect() {
                Some(_) => Some(container.journal().len() > 1).filter(|made| *made),
                None => (!container.run().exists()).then_some(false),
            });
            if is_made {
                container.start();
                container.ends_with(json!({"code": 4}));
                container.delete();
            } else {
                assert!(container.created.is_null(), "{}", container.created);
                eventually(|| scratch.left_overs().is_empty().then_some(()));
            }
        });
    }
}

pub(crate) fn a_monitor_killed_during_a_start_costs_nothing() {
    for moment in moments() {
        let scratch = Scratch::new();
        let container = shell("c", "echo hello; exit 4").with(Stdio::output()).create(&scratch);
        let (monitor, _) = container.supervisors();
        let mut client = container.client();
        client.send(&json!("start")).unwrap();
        std::thread::sleep(moment);
        kill(monitor);
        if client.answer().is_none() {
            // Nobody was told whether it is started.
            eventually(|| (container.supervisors().0 != monitor).then_some(()));
            let again = container.ask(&json!("start"));
            assert!(again.get("started").is_some() || again["failed"]["kind"] == "wrong-state", "{again}");
        }
        container.ends_with(json!({"code": 4}));
        assert_eq!(container.exits("init")[0]["how"], "waited");
        let started = container.journal().iter().filter(|entry| entry["fact"].get("started").is_some()).count();
        assert_eq!(started, 1);
        assert_eq!(container.text("init-stdout"), "hello\n");
        container.delete();
    }
}

pub(crate) fn a_monitor_killed_during_a_delete_leaves_nothing() {
    for moment in moments() {
        let scratch = Scratch::new();
        let container = shell("c", "exit 4").create(&scratch);
        container.start();
        container.ends_with(json!({"code": 4}));
        let (monitor, _) = container.supervisors();
        let mut client = container.client();
        client.send(&json!({ "delete": { "instance": null } })).unwrap();
        std::thread::sleep(moment);
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(monitor as i32), nix::sys::signal::Signal::SIGKILL);
        if client.answer().is_none() {
            eventually(|| {
                let answer = container.connect().and_then(|socket| {
                    crate::container::Client::of(socket).try_ask(&json!({ "delete": { "instance": null } }))
                });
                (answer.is_some_and(|answer| answer == "done") || !container.run().exists()).then_some(())
            });
        }
        eventually(|| scratch.left_overs().is_empty().then_some(()));
    }
}

fn ends_well(victim: impl Fn(&Container<'_>) -> u32) {
    for moment in moments() {
        let scratch = Scratch::new();
        let container = obedient(&scratch);
        container.start();
        container.exec("e", NewProcess::new(["/bin/sleep", "1000"], Stdio::null()));
        let pid = victim(&container);
        container.writer("init-stdin").write_all(b"echo last words; exit 6\n").unwrap();
        std::thread::sleep(moment);
        kill(pid);
        container.ends_with(json!({"code": 6}));
        let (init, exec) = (&container.exits("init")[0], container.exits("e"));
        assert_eq!(init["how"], "waited", "{}", container.log());
        assert_eq!((exec.len(), &exec[0]["status"]), (1, &json!({"signal": 9})));
        assert_eq!(container.text("init-stdout"), "last words\n");
        container.delete();
    }
}

pub(crate) fn a_monitor_killed_as_the_container_ends_costs_nothing() {
    ends_well(|container| container.supervisors().0);
}

pub(crate) fn a_witness_killed_as_the_container_ends_costs_nothing() {
    ends_well(|container| container.supervisors().1);
}
