//! Execs that end in time: with `--timeout` whatever they do, with `--kill-leftovers` whatever they leave.

use libcontainerd_tests::lctr::lctr;
use libcontainerd_tests::scratch::Scratch;

use crate::{background, remove};

/// The pids of a program's processes in the container.
fn running(scratch: &Scratch, program: &str) -> usize {
    let script = format!("ps | grep -v grep | grep -c '{program}'");
    lctr(scratch, ["exec", "c", "sh", "-c", &script]).text().trim().parse().unwrap()
}

/// The exit of an exec as the events tell it.
fn exit_of(scratch: &Scratch, exec: &str) -> serde_json::Value {
    let filters = ["--filter", "event=exited", "--filter", &format!("process={exec}")];
    let words = [&["events", "--since", "1h", "--until", "0s", "--format", "json"][..], &filters].concat();
    lctr(scratch, words).quietly().code(0).json()["exit"].clone()
}

#[test]
fn an_exec_whose_time_is_up_is_killed_with_all_that_it_has_started() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    let script = "trap '' TERM; setsid sleep 54321 & sleep 54321 & echo begun; wait";
    let words = ["exec", "--exec-id", "job", "--timeout", "2s", "c", "sh", "-c", script];
    lctr(&scratch, words).stdout("begun\n").complains("its time of 2s was up").code(137);
    assert_eq!(running(&scratch, "sleep 54321"), 0);
    let exit = exit_of(&scratch, "job");
    assert_eq!((&exit["timed_out"], &exit["signal"]), (&true.into(), &"SIGKILL".into()), "{exit:#}");
    remove(&scratch, &["c"]);
}

#[test]
fn an_exec_that_ends_in_time_is_not_touched() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    let words = ["exec", "--exec-id", "job", "--timeout", "10m", "c", "sh", "-c", "echo done; exit 7"];
    lctr(&scratch, words).quietly().stdout("done\n").code(7);
    assert_eq!(exit_of(&scratch, "job")["timed_out"], false);
    remove(&scratch, &["c"]);
}

#[test]
fn in_the_background_a_deadline_holds_too() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    lctr(&scratch, ["exec", "-d", "--exec-id", "job", "--timeout", "1", "c", "sleep", "54321"]).stdout("job\n").code(0);
    // Its log ends with it.
    lctr(&scratch, ["logs", "-f", "--exec", "job", "c"]).quietly().stdout("").code(0);
    assert_eq!(exit_of(&scratch, "job")["timed_out"], true);
    remove(&scratch, &["c"]);
}

#[test]
fn left_overs_go_on_and_are_counted_unless_they_are_to_be_killed() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    let script = "sleep 54321 & exit 3";
    lctr(&scratch, ["exec", "--exec-id", "leaves", "c", "sh", "-c", script]).quietly().code(3);
    assert_eq!(exit_of(&scratch, "leaves")["left_overs"], 1);
    assert_eq!(running(&scratch, "sleep 54321"), 1);
    let words = ["exec", "--exec-id", "takes", "--kill-leftovers", "c", "sh", "-c", "sleep 65432 & exit 3"];
    lctr(&scratch, words).quietly().code(3);
    assert_eq!(exit_of(&scratch, "takes")["left_overs"], 1);
    assert_eq!((running(&scratch, "sleep 65432"), running(&scratch, "sleep 54321")), (0, 1));
    remove(&scratch, &["c"]);
}

#[test]
fn what_is_no_duration_is_refused() {
    let scratch = Scratch::new();
    for wrong in ["0", "soon", "-1s", "10x"] {
        let ran = lctr(&scratch, ["exec", &format!("--timeout={wrong}"), "c", "true"]);
        let _ = ran.stdout("").complains("a duration is as 10s").code(125);
    }
}
