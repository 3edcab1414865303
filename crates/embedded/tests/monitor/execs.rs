//! Further processes.

use libcontainerd_core::process::{Environment, NewProcess, User};
use libcontainerd_core::stdio::Stdio;
use serde_json::json;

use crate::container::{Client, Container, eventually, recipe};
use crate::scratch::Scratch;

fn sleeper(scratch: &Scratch) -> Container<'_> {
    let container = recipe("c", &["/bin/sleep", "1000"]).create(scratch);
    container.start();
    container
}

fn shell(script: &str, stdio: Stdio) -> NewProcess {
    NewProcess::new(["/bin/sh", "-c", script], stdio)
}

fn end(container: Container<'_>) {
    assert_eq!(container.signal("init", 9, "process"), "done");
    container.ends_with(json!({"signal": 9}));
    container.delete();
}

pub(crate) fn an_exec_runs_in_the_container_and_tells_its_exit() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    let mut what = shell("echo $A $B $(id -u) $PWD $(cat /proc/1/comm); exit 5", Stdio::output());
    what.extra_env = Environment(vec!["A=a".into(), "B=b".into()]);
    what.cwd = Some("/tmp".into());
    what.user = Some(User::Named("user".into()));
    let started = container.exec("e", what);
    assert!(started["started"]["pid"].as_u64().unwrap() > 1, "{started}");
    assert_eq!(container.text("e-stdout"), "a b 1000 /tmp sleep\n");
    assert_eq!(container.exit("e")["status"], json!({"code": 5}));
    end(container);
}

pub(crate) fn fifty_execs_at_once_all_tell_their_exit() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    let mut clients: Vec<Client> = (0..50).map(|_| container.client()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        let what = shell(&format!("echo {number}; exit {number}"), Stdio::output());
        client.send(&container.exec_request(&format!("e{number}"), what)).unwrap();
    }
    for client in &mut clients {
        let answer = client.answer().unwrap();
        assert!(answer.get("started").is_some(), "{answer}");
    }
    for number in 0..50 {
        let name = format!("e{number}");
        assert_eq!(container.exit(&name)["status"], json!({ "code": number }));
        assert_eq!(container.exits(&name).len(), 1);
        assert_eq!(container.text(&format!("{name}-stdout")), format!("{number}\n"));
    }
    end(container);
}

pub(crate) fn a_failed_exec_leaves_no_trace() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    let before = container.journal().len();
    let failed = container.exec("e", NewProcess::new(["/bin/there-is-none"], Stdio::null()));
    assert_eq!(failed["failed"]["start"]["stage"], "resolve", "{failed}");
    assert_eq!(container.journal().len(), before);
    let failed = container.exec("e", NewProcess::new(["/etc/passwd"], Stdio::null()));
    assert_eq!(failed["failed"]["start"]["errno"], 13, "{failed}");
    let started = container.exec("e", shell("exit 0", Stdio::null()));
    assert!(started.get("started").is_some(), "{started}");
    assert_eq!(container.exit("e")["status"], json!({"code": 0}));
    end(container);
}

pub(crate) fn the_exit_of_an_exec_comes_before_the_exit_of_init() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    for number in 0..8 {
        container.exec(&format!("e{number}"), NewProcess::new(["/bin/sleep", "1000"], Stdio::null()));
    }
    let taken = container.exec("e0", NewProcess::new(["/bin/true"], Stdio::null()));
    assert_eq!(taken["failed"]["kind"], "already-exists");
    assert_eq!(container.signal("init", 9, "process"), "done");
    container.ends_with(json!({"signal": 9}));
    let exits: Vec<_> = container.journal().into_iter().filter(|entry| entry["fact"].get("exited").is_some()).collect();
    assert_eq!(exits.len(), 9);
    assert_eq!(exits[8]["fact"]["exited"]["process"], "init");
    let late = container.exec("late", NewProcess::new(["/bin/true"], Stdio::null()));
    assert_eq!(late["failed"]["kind"], "wrong-state");
    container.delete();
}

pub(crate) fn an_exec_is_killed_with_all_that_it_started() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    let script = "sleep 1000 & sleep 1000 & echo ready; wait";
    container.exec("e", shell(script, Stdio::output()));
    let mut line = [0; 6];
    std::io::Read::read_exact(&mut container.reader("e-stdout"), &mut line).unwrap();
    assert_eq!(container.signal("e", 9, "tree"), "done");
    assert_eq!(container.exit("e")["status"], json!({"signal": 9}));
    // Init does not reap what is given to it: what counts is who is not a zombie.
    let alive = "for p in /proc/[0-9]*/stat; do read a b c d <$p && [ $b = '(sleep)' ] && [ $c != Z ] && echo $a; done";
    container.exec("look", shell(alive, Stdio::output()));
    assert_eq!(container.text("look-stdout"), "1\n");
    end(container);
}

pub(crate) fn a_monitor_forgets_execs_that_have_ended() {
    let scratch = Scratch::new();
    let container = sleeper(&scratch);
    let (monitor, _) = container.supervisors();
    let descriptors = || std::fs::read_dir(format!("/proc/{monitor}/fd")).unwrap().count();
    let mut client = container.client();
    let mut before = 0;
    for number in 0..100 {
        let name = format!("e{number}");
        let started = client.ask(&container.exec_request(&name, shell("echo word", Stdio::output())));
        assert!(started.get("started").is_some(), "{started}");
        assert_eq!(container.text(&format!("{name}-stdout")), "word\n");
        container.exit(&name);
        if number == 20 {
            before = descriptors();
        }
    }
    // One that ended just then may still have been held for its reader.
    eventually(|| (descriptors() <= before).then_some(()));
    end(container);
}
