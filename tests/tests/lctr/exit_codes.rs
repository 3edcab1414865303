//! The exit code: the program's own, 128 and the signal's number, or one that says why there was no program.

use libcontainerd_tests::lctr::{command, lctr};
use libcontainerd_tests::rootfs;
use libcontainerd_tests::running::Running;
use libcontainerd_tests::scratch::Scratch;

use crate::{background, remove, run};

#[test]
fn the_exit_code_is_the_programs() {
    let scratch = Scratch::new();
    for code in [0, 1, 7, 125, 255] {
        lctr(&scratch, run(&[], &["/probe", "exit", &code.to_string()])).quietly().stdout("").code(code);
    }
}

#[test]
fn the_exit_code_of_an_exec_is_that_programs() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    for code in [0, 7, 255] {
        lctr(&scratch, ["exec", "c", "/probe", "exit", &code.to_string()]).quietly().stdout("").code(code);
    }
    remove(&scratch, &["c"]);
}

#[test]
fn a_death_by_signal_is_128_and_its_number() {
    let scratch = Scratch::new();
    lctr(&scratch, run(&[], &["/probe", "fault"])).code(128 + 11);
    let running = Running::start(command(&scratch, run(&["--name", "killed"], &["/probe", "ignore-term"])));
    running.says("ready");
    lctr(&scratch, ["kill", "-s", "KILL", "killed"]).quietly().stdout("killed\n").code(0);
    running.ends().code(128 + 9);
}

#[test]
fn a_program_that_is_not_there_is_127_and_one_that_cannot_be_run_126() {
    let scratch = Scratch::new();
    for (program, code) in [("/no/such", 127), ("no-such", 127), ("/not-executable", 126), ("/tmp", 126)] {
        lctr(&scratch, run(&[], &[program])).stdout("").complains("lctr: ").code(code);
    }
}

#[test]
fn the_same_of_an_exec_and_the_container_goes_on() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    for (program, code) in [("/no/such", 127), ("no-such", 127), ("/not-executable", 126), ("/tmp", 126)] {
        lctr(&scratch, ["exec", "c", program]).stdout("").complains("lctr: ").code(code);
    }
    lctr(&scratch, ["exec", "c", "/probe", "echo", "still", "here"]).stdout("still here\n").code(0);
    remove(&scratch, &["c"]);
}

#[test]
fn a_failure_of_ours_is_125_and_a_wrong_command_line_too_where_the_program_has_the_lower_codes() {
    let scratch = Scratch::new();
    lctr(&scratch, ["run", "--rm", "--rootfs", "/no/such/directory", "--", "true"]).complains("lctr: ").code(125);
    lctr(&scratch, ["run", "--no-such-flag"]).complains("lctr: ").code(125);
    lctr(&scratch, ["exec"]).complains("lctr: ").code(125);
    lctr(&scratch, ["ps", "--no-such-flag"]).complains("lctr: ").code(2);
    lctr(&scratch, ["no-such-verb"]).complains("lctr: ").code(2);
}

#[test]
fn help_is_a_result_and_names_every_verb() {
    let scratch = Scratch::new();
    let ran = lctr(&scratch, ["--help"]).quietly().code(0);
    let verbs = "run create start exec kill stop ps inspect wait attach rm spec events version";
    for verb in verbs.split(' ') {
        assert!(ran.text().lines().any(|line| line.trim_start().starts_with(verb)), "{verb} in {ran:?}");
    }
}

#[test]
fn a_container_whose_program_did_not_start_is_not_left() {
    let scratch = Scratch::new();
    let rootfs = rootfs::busybox().to_str().unwrap();
    for options in [&["run"][..], &["run", "-d"], &["create"]] {
        // What can be known of a program before it runs is known at `create` already.
        let words = [options, &["--name", "c", "--rootfs", rootfs, "--", "/no/such"]].concat();
        lctr(&scratch, words).complains("/no/such").code(127);
        lctr(&scratch, ["ps", "-a", "-q"]).stdout("").code(0);
    }
}
