//! C-51: whatever listens in a monitor's place, a client answers with an error within its deadline, and never panics.

use std::time::{Duration, Instant};

use libcontainerd_tests::fault;
use libcontainerd_tests::lctr::Ran;
use rustix::process::{Pid, Signal, kill_process};

use crate::cell::Cell;
use crate::liar::{Liar, Lie};

/// A monitor's deadline for what starts no program, and a little.
const DEADLINE: Duration = Duration::from_secs(15);

/// Verbs that ask the monitor.
const ASKING: [&[&str]; 4] =
    [&["kill", "-s", "CONT", "cell"], &["stop", "-t", "0", "cell"], &["exec", "cell", "true"], &["rm", "-f", "cell"]];

/// It failed in words, in time.
#[track_caller]
fn assert_fails(ran: &Ran, began: Instant, about: &str) {
    assert!(began.elapsed() < DEADLINE, "{about}: took {:?}", began.elapsed());
    assert!(matches!(ran.exit_code(), Some(1 | 125)), "{about}: {ran:#?}");
    assert!(ran.complaint().starts_with("lctr: ") && !ran.complaint().contains("panicked"), "{about}: {ran:#?}");
}

/// Asks everything of a liar, which must fail every time, and then the monitor that is back.
fn asked(lie: &Lie, verbs: &[&[&str]]) {
    let cell = Cell::asleep();
    for verb in verbs {
        let liar = Liar::in_place_of(cell.directory(), lie.clone());
        let began = Instant::now();
        let ran = cell.lctr(verb);
        assert_fails(&ran, began, &format!("{verb:?} of {lie:?}"));
        assert!(liar.heard() > 0, "{verb:?} asks nobody");
    }
    cell.exec(&[], &["echo", "well"]).quietly().stdout("well\n").code(0);
}

fn frame(body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len()).unwrap().to_le_bytes(), body].concat()
}

#[test]
fn c51_a_monitor_that_hangs_up_is_an_error() {
    asked(&Lie::HangUp, &ASKING);
    asked(&Lie::HalfClose, &ASKING);
}

#[test]
fn c51_garbage_is_an_error() {
    let deep = "[".repeat(100_000);
    let garbage = [
        frame(b"garbage"),
        frame(b""),
        frame(b"\xff\xfe\0\x1b[31m"),
        frame(deep.as_bytes()),
        b"\0\0".to_vec(),
        [&100_u32.to_le_bytes()[..], b"half of a frame"].concat(),
        frame(&[b"\"done\"".to_vec(), vec![b' '; 1 << 20], b"x".to_vec()].concat()),
    ];
    for bytes in garbage {
        asked(&Lie::Bytes(bytes), &ASKING);
    }
}

#[test]
fn c51_an_answer_from_the_future_or_to_another_question_is_an_error() {
    let answers = [
        r#"{"levitated":{"height":3}}"#,
        r#""levitated""#,
        "null",
        r#"{"created":{"pid":1}}"#,
        r#"{"here":{"monitor":1,"witness":1,"v":1}}"#,
        r#"{"started":{"pid":-1,"at":0}}"#,
        r#"{"started":{"pid":4294967296,"at":{"secs_since_epoch":0,"nanos_since_epoch":0}}}"#,
        r#"{"failed":{"kind":"warp-core-breach","message":"\u001b[31mred","start":null}}"#,
        r#"{"failed":{"kind":"start-failed","message":"x","start":{"stage":"nowhere"}}}"#,
    ];
    for answer in answers {
        asked(&Lie::Answer(answer.to_owned()), &ASKING);
    }
    asked(&Lie::Answer(r#""done""#.to_owned()), &[&["exec", "cell", "true"]]);
}

#[test]
fn c51_a_frame_without_end_is_refused_and_costs_no_memory() {
    for length in [u32::MAX, 16 << 20] {
        asked(&Lie::Flood(length), &ASKING);
    }
}

#[test]
fn c51_a_frozen_monitor_is_given_up_at_the_deadline() {
    asked(&Lie::Freeze, &[&["kill", "-s", "CONT", "cell"]]);
}

#[test]
fn c51_a_monitor_that_is_stopped_by_a_signal_hangs_nobody_and_goes_on() {
    let cell = Cell::asleep();
    let monitor = *fault::supervisors(&cell.scratch.state(), "cell").last().unwrap();
    let pid = Pid::from_raw(i32::try_from(monitor).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let began = Instant::now();
    cell.lctr(&["ps"]).quietly().code(0);
    cell.lctr(&["inspect", "cell"]).quietly().code(0);
    assert!(began.elapsed() < Duration::from_secs(5), "to look asks nobody");
    let began = Instant::now();
    assert_fails(&cell.lctr(&["kill", "-s", "CONT", "cell"]), began, "a stopped monitor");
    kill_process(pid, Signal::CONT).unwrap();
    cell.exec(&[], &["true"]).quietly().code(0);
}
