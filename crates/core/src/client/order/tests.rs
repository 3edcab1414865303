//! Every order in which the facts of a life may arrive.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;
use crate::id::{ContainerId, Instance};
use crate::status::{ContainerState, ContainerStatus, ProcessState, ProcessStatus};

fn exit(code: u8) -> Exit {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(code.into());
    Exit { run: Run::FIRST, ..Exit::new(ExitStatus::Code(code), How::Waited, at) }
}

fn event(sequence: u64, kind: EventKind) -> Event {
    let id: ContainerId = "web".parse().unwrap();
    Event::new(id, Instance::from_bits(1), Run::FIRST, sequence, SystemTime::UNIX_EPOCH, kind)
}

fn this(process: &str) -> ProcessId {
    process.parse().unwrap()
}

/// The events of a life with two execs, in the order in which they happened.
fn life() -> Vec<Event> {
    let started = |process, pid| EventKind::ExecStarted { process: this(process), pid };
    let exited = |process, code| EventKind::Exited { process: this(process), exit: exit(code) };
    let kinds = [
        EventKind::Started { pid: 1 },
        started("a", 2),
        started("b", 3),
        exited("b", 4),
        exited("a", 5),
        exited("init", 6),
        EventKind::Deleted,
    ];
    kinds.into_iter().enumerate().map(|(at, kind)| event(at as u64 + 1, kind)).collect()
}

/// A created container whose start and execs this client has asked for.
fn asked() -> (Order, [u64; 3]) {
    let mut order = Order::making();
    order.made();
    let init = order.begin_init().unwrap();
    let a = order.begin(&this("a")).unwrap();
    let b = order.begin(&this("b")).unwrap();
    (order, [init, a, b])
}

fn position(told: &[StateChange], want: impl Fn(&StateChange) -> bool) -> usize {
    let found: Vec<usize> = (0..told.len()).filter(|at| want(&told[*at])).collect();
    assert_eq!(found.len(), 1, "exactly once in {told:?}");
    found[0]
}

/// What is promised of the telling of that life, whatever the order of arrival.
fn check(told: &[StateChange]) {
    let init = position(told, |change| matches!(change, StateChange::Started { .. }));
    let end = position(told, |change| *change == StateChange::Exited { exit: exit(6) });
    let deleted = position(told, |change| *change == StateChange::Deleted);
    assert!(init < end && end < deleted && deleted == told.len() - 1, "{told:?}");
    for (name, code) in [("a", 5), ("b", 4)] {
        let start = position(
            told,
            |change| matches!(change, StateChange::ProcessStarted { process, .. } if *process == this(name)),
        );
        let process = this(name);
        let exited = StateChange::ProcessExited { process, exit: exit(code) };
        let exited = position(told, |change| *change == exited);
        assert!(start < exited && exited < end, "{told:?}");
    }
}

proptest! {
    #[test]
    fn any_order_of_events_and_answers_with_any_twins_is_told_in_one_order_and_once(
        order in Just((0..10usize).collect::<Vec<_>>()).prop_shuffle(),
        twins in proptest::collection::vec(0..7usize, 0..10),
    ) {
        let (mut story, [init, a, b]) = asked();
        let events = life();
        let mut told = Vec::new();
        for (at, step) in order.iter().enumerate() {
            match step {
                7 => story.started(&ProcessId::init(), init, 1),
                8 => story.started(&this("a"), a, 2),
                9 => story.started(&this("b"), b, 3),
                event => story.event(&events[*event]),
            }
            // A twin of something that was told already.
            if let Some(twin) = twins.get(at).filter(|twin| order[..=at].contains(twin)) {
                story.event(&events[*twin]);
            }
            told.extend(story.take());
        }
        check(&told);
    }
}

#[test]
fn the_answer_of_an_ended_exec_does_not_start_the_next_of_that_name() {
    let (mut order, [init, a, _]) = asked();
    order.started(&ProcessId::init(), init, 1);
    order.event(&event(1, EventKind::ExecStarted { process: this("a"), pid: 2 }));
    order.event(&event(2, EventKind::Exited { process: this("a"), exit: exit(1) }));
    let again = order.begin(&this("a")).unwrap();
    order.take();
    order.started(&this("a"), a, 2);
    assert_eq!(order.take(), [], "the answer belongs to the first");
    order.started(&this("a"), again, 3);
    assert_eq!(order.take(), [StateChange::ProcessStarted { process: this("a"), pid: 3 }]);
}

#[test]
fn two_execs_of_one_name_that_end_alike_at_the_same_moment_are_two_exits() {
    let (mut order, [init, a, _]) = asked();
    order.started(&ProcessId::init(), init, 1);
    order.started(&this("a"), a, 2);
    order.event(&event(2, EventKind::Exited { process: this("a"), exit: exit(1) }));
    let again = order.begin(&this("a")).unwrap();
    order.started(&this("a"), again, 2);
    order.event(&event(4, EventKind::Exited { process: this("a"), exit: exit(1) }));
    let exits = order.take().into_iter().filter(|change| matches!(change, StateChange::ProcessExited { .. }));
    assert_eq!(exits.count(), 2);
}

/// A state of the running container in which `a` is so.
fn with_a(state: ProcessState) -> ContainerStatus {
    let id: ContainerId = "web".parse().unwrap();
    let mut status = ContainerStatus::new(id, Instance::from_bits(1), "/b".into(), SystemTime::UNIX_EPOCH);
    (status.run, status.state) = (Run::FIRST, ContainerState::Running);
    let mut a = ProcessStatus::new(this("a"), vec![]);
    (a.state, a.pid) = (state, Some(2));
    status.processes.push(a);
    status
}

/// A running container in which `a` runs, and nothing is told any more of that.
fn with_a_running() -> Order {
    let (mut order, [init, a, b]) = asked();
    order.started(&ProcessId::init(), init, 1);
    order.failed(&this("b"), b);
    order.started(&this("a"), a, 2);
    order.take();
    order
}

#[test]
fn a_state_older_than_an_exec_says_nothing_about_it() {
    let (mut order, [init, a, b]) = asked();
    order.started(&ProcessId::init(), init, 1);
    order.failed(&this("b"), b);
    let mark = order.mark();
    // The state was asked for before this answer, and shows an earlier exec of that name.
    order.started(&this("a"), a, 2);
    order.take();
    order.observe(mark, &with_a(ProcessState::Exited(exit(1))));
    assert_eq!(order.take(), []);
    assert!(order.is_running(&this("a")));
}

#[test]
fn a_state_older_than_an_exit_does_not_bring_the_dead_back() {
    let mut order = with_a_running();
    let mark = order.mark();
    order.event(&event(5, EventKind::Exited { process: this("a"), exit: exit(1) }));
    order.take();
    order.observe(mark, &with_a(ProcessState::Running));
    assert_eq!(order.take(), []);
    assert!(!order.is_live(&this("a")));
}

#[test]
fn the_late_event_of_an_exit_read_from_a_state_does_not_end_the_next_of_that_name() {
    let late = event(5, EventKind::Exited { process: this("a"), exit: exit(1) });
    for start_is_heard in [false, true] {
        let mut order = with_a_running();
        let mark = order.mark();
        order.observe(mark, &with_a(ProcessState::Exited(exit(1))));
        let again = order.begin(&this("a")).unwrap();
        if start_is_heard {
            order.event(&event(6, EventKind::ExecStarted { process: this("a"), pid: 3 }));
        }
        order.started(&this("a"), again, 3);
        order.take();
        order.event(&late);
        assert_eq!(order.take(), [], "the start was heard: {start_is_heard}");
        order.event(&event(7, EventKind::Exited { process: this("a"), exit: exit(1) }));
        let second = StateChange::ProcessExited { process: this("a"), exit: exit(1) };
        assert_eq!(order.take(), [second], "the start was heard: {start_is_heard}");
    }
}

#[test]
fn a_start_and_an_exit_that_were_answered_and_read_are_not_told_again_by_their_late_events() {
    for again in [false, true] {
        let mut order = with_a_running();
        let mark = order.mark();
        order.observe(mark, &with_a(ProcessState::Exited(exit(1))));
        if again {
            order.begin(&this("a")).unwrap();
        }
        order.take();
        order.event(&event(4, EventKind::ExecStarted { process: this("a"), pid: 2 }));
        order.event(&event(5, EventKind::Exited { process: this("a"), exit: exit(1) }));
        assert_eq!(order.take(), [], "while the next one starts: {again}");
        assert!(!order.is_running(&this("a")));
        order.event(&event(6, EventKind::ExecStarted { process: this("a"), pid: 9 }));
        assert_eq!(order.take(), [StateChange::ProcessStarted { process: this("a"), pid: 9 }]);
    }
}

#[test]
fn a_start_that_is_heard_after_a_state_has_told_the_end_is_no_second_run() {
    let mut order = Order::making();
    order.made();
    let mark = order.mark();
    let mut status = with_a(ProcessState::Exited(exit(1)));
    status.processes[0].id = ProcessId::init();
    order.observe(mark, &status);
    order.event(&event(1, EventKind::Started { pid: 1 }));
    assert_eq!(order.take(), [StateChange::Exited { exit: exit(1) }]);
}

#[test]
fn a_failed_start_tells_the_end_that_came_meanwhile() {
    let (mut order, [init, a, b]) = asked();
    order.failed(&this("a"), a);
    order.failed(&this("b"), b);
    order.event(&event(1, EventKind::Exited { process: ProcessId::init(), exit: exit(127) }));
    assert_eq!(order.take(), []);
    order.failed(&ProcessId::init(), init);
    assert_eq!(order.take(), [StateChange::Exited { exit: exit(127) }]);
}

#[test]
fn a_late_start_is_no_second_run_and_a_second_run_is_none_that_is_late() {
    let mut order = Order::making();
    order.made();
    let init = order.begin_init().unwrap();
    order.started(&ProcessId::init(), init, 1);
    order.event(&event(2, EventKind::Exited { process: ProcessId::init(), exit: exit(1) }));
    order.event(&event(1, EventKind::Started { pid: 1 }));
    assert_eq!(order.take(), [StateChange::Started { pid: 1 }, StateChange::Exited { exit: exit(1) }]);
    let again = Event { run: Run(2), ..event(3, EventKind::Started { pid: 2 }) };
    order.event(&again);
    order.event(&Event { run: Run(2), ..event(4, EventKind::Exited { process: ProcessId::init(), exit: exit(1) }) });
    assert_eq!(order.take(), [StateChange::Started { pid: 2 }, StateChange::Exited { exit: exit(1) }]);
}

#[test]
fn a_container_that_is_being_made_is_not_gone_because_nobody_knows_it_yet() {
    let mut order = Order::making();
    order.gone();
    assert!(!order.is_deleted());
    order.made();
    order.gone();
    assert_eq!(order.take(), [StateChange::Deleted]);
}
