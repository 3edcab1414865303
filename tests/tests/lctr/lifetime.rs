//! `--die-with`: a container whose life is bound to a program's, however that ends.

use std::process::Command;

use libcontainerd_tests::lctr::{command, lctr};
use libcontainerd_tests::rootfs;
use libcontainerd_tests::running::Running;
use libcontainerd_tests::scratch::Scratch;
use rustix::process::Signal;

use crate::{background_with, refused, remove, run};

/// A shell that starts a container bound to itself, and lives on.
fn owner(scratch: &Scratch) -> Running {
    let rootfs = rootfs::busybox().to_str().unwrap();
    let script = "sleep 54321 & setsid sleep 54321 & exec sleep 54321";
    let words = ["run", "-d", "--name", "c", "--die-with", "parent", "--rootfs", rootfs, "--", "sh", "-c", script];
    let lctr = command(scratch, words);
    let mut shell = Command::new("sh");
    shell.args(["-c", "\"$@\" && echo begun; exec sleep 1000", "sh"]).arg(lctr.get_program()).args(lctr.get_args());
    shell.env_remove("LCTR_ROOT").env_remove("LCTR_DATA");
    let owner = Running::start(shell);
    owner.says("begun\n");
    owner
}

#[test]
fn when_its_owner_is_killed_the_container_is_gone_with_all_that_is_in_it() {
    let scratch = Scratch::new();
    let owner = owner(&scratch);
    lctr(&scratch, ["ps", "-q"]).stdout("c\n").code(0);
    owner.gets(Signal::KILL);
    // Answers only once it is gone.
    lctr(&scratch, ["wait", "--until", "removed", "c"]).stdout("137\n").code(0);
    assert_eq!(scratch.left_over(), Vec::<String>::new());
    lctr(&scratch, ["ps", "-a", "--removed", "-q"]).stdout("c\n").code(0);
}

#[test]
fn an_owner_is_named_by_its_pid_too() {
    let scratch = Scratch::new();
    let mut owner = Command::new("sleep").arg("1000").spawn().unwrap();
    background_with(&scratch, "c", &["--die-with", &owner.id().to_string()], &["/probe", "ignore-term"]);
    owner.kill().unwrap();
    owner.wait().unwrap();
    lctr(&scratch, ["wait", "--until", "removed", "c"]).stdout("137\n").code(0);
}

#[test]
fn while_its_owner_lives_the_container_outlives_who_started_it() {
    let scratch = Scratch::new();
    let mut owner = Command::new("sleep").arg("1000").spawn().unwrap();
    background_with(&scratch, "c", &["--die-with", &owner.id().to_string()], &["/probe", "on-term", "bye", "4"]);
    Running::start(command(&scratch, ["logs", "-f", "c"])).says("ready");
    lctr(&scratch, ["stop", "c"]).code(0);
    lctr(&scratch, ["wait", "c"]).stdout("4\n").code(0);
    remove(&scratch, &["c"]);
    owner.kill().unwrap();
    owner.wait().unwrap();
}

#[test]
fn an_owner_that_is_gone_already_is_refused() {
    let scratch = Scratch::new();
    let mut owner = Command::new("true").spawn().unwrap();
    owner.wait().unwrap();
    refused(lctr(&scratch, run(&["--die-with", &owner.id().to_string()], &["true"])), 125, "container", "");
    let _ = lctr(&scratch, run(&["--die-with", "me"], &["true"])).complains("the pid of a program").code(125);
}
