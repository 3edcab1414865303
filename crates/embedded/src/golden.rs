//! What releases have written and said, kept as files: every later build reads it.
//!
//! The files are never changed; a release that says something new adds its own.

use std::time::Duration;

use libcontainerd_core::ports::runtime::Removal;
use libcontainerd_core::process::{LeftOvers, User};
use libcontainerd_core::{ContainerState, ExitStatus, ProcessId};
use libcontainerd_durable::{Dir, journal};

use crate::journal::ContainerJournal;
use crate::record::{History, VERSION};
use crate::wire::{Answer, Envelope, Request};

const JOURNAL_1: &[u8] = include_bytes!("../tests/golden/journal-1");
const REQUESTS_1: &str = include_str!("../tests/golden/requests-1");
const JOURNAL_2: &[u8] = include_bytes!("../tests/golden/journal-2");
const REQUESTS_2: &str = include_str!("../tests/golden/requests-2");
const LEDGER_1: &[u8] = include_bytes!("../tests/golden/ledger-1");
const ANSWERS_1: &str = include_str!("../tests/golden/answers-1");

/// A container's directory with a journal in it, below a STATE.
fn with_journal(bytes: &[u8]) -> (tempfile::TempDir, Dir, Dir) {
    let place = tempfile::tempdir().unwrap();
    let state = Dir::open_root(&place.path().join("state"), 0o700).unwrap();
    let run = state.make("web", 0o700, None).unwrap();
    libcontainerd_durable::write_new(&run, "journal", 0o600, None, bytes, false).unwrap();
    (place, state, run)
}

fn history(bytes: &[u8]) -> History {
    let (_place, _state, run) = with_journal(bytes);
    History::of(&journal::read(&run, "journal").unwrap().records).unwrap().unwrap()
}

#[test]
fn a_journal_of_version_1_tells_today_what_it_told_then() {
    let history = history(JOURNAL_1);
    assert_eq!((history.state, history.run.0), (ContainerState::Stopped, 1));
    assert!(history.cleaned && !history.deleted && history.creating.lifetime.is_plain());
    let status = |id: &str| {
        let process = history.process(&id.parse().unwrap()).unwrap();
        (process.made.pid, process.exit.as_ref().unwrap().status)
    };
    assert_eq!(status("init"), (9799, ExitStatus::Code(9)));
    assert_eq!(status("health"), (9815, ExitStatus::Code(5)));
    let killed = ExitStatus::Signal(libcontainerd_core::Signal::KILL);
    assert_eq!(status("sleeper"), (9825, killed));
    let init = history.process(&ProcessId::init()).unwrap();
    assert!(init.stdin_closed && init.made.bounds.is_none());
    assert_eq!(init.made.descriptors.pidfd, Some(55));
}

#[test]
fn a_journal_of_version_2_tells_today_what_it_told_then() {
    let history = history(JOURNAL_2);
    assert!(history.owner_gone && history.deleted && history.removes_itself());
    let what = &history.creating;
    assert_eq!(what.lifetime.removal, Removal::Ended);
    assert_eq!(what.lifetime.owner.unwrap().start_time, 1_603_493);
    assert_eq!(what.user, Some(User::Named("user".into())));
    let health = history.process(&"health".parse().unwrap()).unwrap();
    assert!(health.timed_out && health.exit.as_ref().unwrap().timed_out);
    assert!(health.made.bounds.deadline.is_some() && health.made.bounds.left_overs == LeftOvers::Kill);
    let counters = history.init().unwrap().exit.as_ref().unwrap().counters.unwrap();
    assert_eq!(counters.oom_kills, Some(0));
}

#[test]
fn every_beginning_of_a_journal_can_be_gone_on_with() {
    let beginnings = |journal: &[u8]| -> Vec<Vec<u8>> {
        let lines: Vec<&[u8]> = journal.split_inclusive(|byte| *byte == b'\n').collect();
        (1..=lines.len()).map(|count| lines[..count].concat()).collect()
    };
    for beginning in [beginnings(JOURNAL_1), beginnings(JOURNAL_2)].concat() {
        let (_place, state, run) = with_journal(&beginning);
        let mut journal = ContainerJournal::take_over(&state, &run, None).unwrap();
        let next = journal.history().next_seq;
        journal.record(crate::record::Fact::Cleaned);
        journal.flush(None);
        drop(journal);
        assert_eq!(ContainerJournal::take_over(&state, &run, None).unwrap().history().next_seq, next + 1);
    }
}

#[test]
fn what_clients_of_version_1_ask_is_understood() {
    let requests = REQUESTS_1.lines().map(|line| serde_json::from_str::<Envelope>(line).unwrap());
    let mut everybody = 0;
    for envelope in requests {
        assert_eq!(envelope.v, 1);
        everybody += usize::from(envelope.request.is_for_everybody());
        if let Request::Exec { what, .. } = &envelope.request {
            assert!(what.timeout.is_none());
        }
        // Said again in the oldest words.
        assert_eq!(Envelope::of(envelope.request).v, 1);
    }
    assert_eq!((everybody, REQUESTS_1.lines().count()), (7, 11));
}

#[test]
fn what_only_version_2_can_say_is_said_in_it() {
    let requests = REQUESTS_2.lines().map(|line| serde_json::from_str::<Envelope>(line).unwrap());
    let mut seen = 0;
    for envelope in requests {
        match &envelope.request {
            Request::Create(launch) => assert_eq!(launch.lifetime.removal, Removal::Ended),
            Request::Exec { what, .. } => assert_eq!(what.timeout, Some(Duration::from_millis(300))),
            _ => panic!("nothing else was said"),
        }
        assert_eq!(Envelope::of(envelope.request).v, 2);
        seen += 1;
    }
    assert_eq!(seen, 2);
}

#[test]
fn a_ledger_of_version_1_tells_today_what_it_told_then() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Dir::open_root(data.path(), 0o700).unwrap().make("exits", 0o700, None).unwrap();
    libcontainerd_durable::write_new(&ledger, "1795473180", 0o600, None, LEDGER_1, false).unwrap();
    let past = crate::ledger::read("/run/libcontainerd".as_ref(), data.path(), None).unwrap();
    assert_eq!((past.len(), past[0].id.as_str()), (1, "web"));
    let status = |id: &str| past[0].exit(&id.parse().unwrap()).unwrap().status;
    let killed = ExitStatus::Signal(libcontainerd_core::Signal::KILL);
    assert_eq!((status("init"), status("health")), (killed, killed));
}

#[test]
fn what_monitors_of_version_1_answer_is_understood() {
    let answers: Vec<Answer> = ANSWERS_1.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(matches!(answers[0], Answer::Created { pid: 9799 }));
    assert!(matches!(answers[1], Answer::Here { v: 1, .. }));
    assert!(matches!(&answers[4], Answer::Failed(failure) if failure.start.is_some()));
    assert_eq!(answers.len(), 9);
}

#[test]
fn a_later_version_is_refused_in_words_and_nothing_is_changed() {
    let entry = format!(r#"{{"v":{},"seq":99,"at":{{}},"fact":{{"teleported":{{}}}}}}"#, VERSION + 1);
    let (_place, state, run) = with_journal(JOURNAL_1);
    let (mut later, _) = libcontainerd_durable::Journal::open(&run, "journal", 0).unwrap();
    later.append(entry.as_bytes()).unwrap();
    drop(later);
    let before = run.read("journal", 1 << 20).unwrap();
    let fault = ContainerJournal::take_over(&state, &run, None).unwrap_err();
    let cause = std::error::Error::source(&fault).unwrap().to_string();
    assert!(cause.contains("use the newer one"), "{cause}");
    let after = run.read("journal", 1 << 20).unwrap();
    assert_eq!(before.iter().rposition(|byte| *byte == b'\n'), after.iter().rposition(|byte| *byte == b'\n'));
}

#[test]
fn fields_that_are_new_are_left_alone() {
    let text = std::str::from_utf8(JOURNAL_1).unwrap();
    let first = text.lines().next().unwrap().split_once(' ').unwrap().1;
    let later =
        first.replace(r#""id":"web""#, r#""id":"web","aura":{"colour":"green"}"#).replacen('{', r#"{"hue":1,"#, 1);
    let history = History::of(&[later.as_bytes()]).unwrap().unwrap();
    assert_eq!(history.creating.id.as_str(), "web");
}
