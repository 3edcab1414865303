//! Signals to `lctr` are signals to its program; three interrupts are an order.

use libcontainerd_tests::lctr::{command, lctr};
use libcontainerd_tests::running::Running;
use libcontainerd_tests::scratch::Scratch;
use rustix::process::Signal;

use crate::{background, remove, run};

/// Says each signal that it gets, and does not end by one.
const STUBBORN: &str = "trap 'echo interrupted' INT; trap 'echo hup' HUP; trap 'echo usr1' USR1; \
                        echo ready; while :; do sleep 1000 & wait $!; done";

#[test]
fn a_signal_to_lctr_reaches_the_program_which_decides() {
    let scratch = Scratch::new();
    let running = Running::start(command(&scratch, run(&[], &["/probe", "on-term", "bye", "9"])));
    running.says("ready\n");
    running.gets(Signal::TERM);
    running.ends().quietly().stdout("ready\nbye\n").code(9);
}

#[test]
fn a_program_that_dies_of_the_signal_passed_on_is_told_as_such() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    let script = "echo ready; exec sleep 1000";
    let running = Running::start(command(&scratch, ["exec", "c", "sh", "-c", script]));
    running.says("ready");
    running.gets(Signal::TERM);
    running.ends().code(128 + 15);
    remove(&scratch, &["c"]);
}

#[test]
fn every_signal_is_passed_on_as_itself() {
    let scratch = Scratch::new();
    let running = Running::start(command(&scratch, run(&["--name", "c"], &["sh", "-c", STUBBORN])));
    running.says("ready");
    for (signal, name) in [(Signal::HUP, "hup"), (Signal::USR1, "usr1"), (Signal::INT, "interrupted")] {
        running.gets(signal);
        running.says(name);
    }
    lctr(&scratch, ["kill", "-s", "9", "c"]).code(0);
    running.ends().code(128 + 9);
}

#[test]
fn the_second_interrupt_says_what_to_do_and_the_third_kills() {
    let scratch = Scratch::new();
    let running = Running::start(command(&scratch, run(&[], &["sh", "-c", STUBBORN])));
    running.says("ready");
    running.gets(Signal::INT);
    running.says("interrupted");
    running.gets(Signal::INT);
    running.says("interrupted");
    running.complains("interrupt once more to kill it");
    running.gets(Signal::INT);
    let ran = running.ends().code(128 + 9);
    assert_eq!(ran.complaint().lines().count(), 1, "{ran:?}");
}

#[test]
fn with_sig_proxy_off_the_container_goes_on_without_lctr() {
    let scratch = Scratch::new();
    let program = ["/probe", "on-term", "bye", "9"];
    let words: Vec<_> = run(&["--name", "c", "--sig-proxy=false"], &program);
    let running = Running::start(command(&scratch, words));
    running.says("ready");
    running.gets(Signal::TERM);
    let _ = running.ends();
    lctr(&scratch, ["ps", "-q"]).stdout("c\n").code(0);
    remove(&scratch, &["c"]);
}
