//! C-52: a fork bomb stays within its limit, and goes at once when it is told to.

use std::fs;
use std::time::{Duration, Instant};

use libcontainerd_tests::host;

use crate::cell::{Cell, with_attacker};

const LIMIT: usize = 64;

/// A container in which the bomb has gone off.
fn bombed() -> Cell {
    let cell = Cell::running(&["--pids-limit", &LIMIT.to_string(), &with_attacker()], &["/attacker", "bomb"]);
    await_bomb(&cell);
    cell
}

fn await_bomb(cell: &Cell) {
    let late = Instant::now() + Duration::from_secs(20);
    while inhabitants(cell) < LIMIT {
        assert!(Instant::now() < late, "the bomb did not go off");
        std::thread::yield_now();
    }
    assert_eq!(inhabitants(cell), LIMIT);
}

/// How many processes count against its limit, those among them that are dead and that nobody has reaped.
fn inhabitants(cell: &Cell) -> usize {
    let groups = host::cgroups(&host::cgroup_prefix(&cell.scratch.state()));
    let counts = groups.iter().filter_map(|group| fs::read_to_string(group.join("pids.current")).ok());
    counts.filter_map(|count| count.trim().parse().ok()).max().unwrap_or(0)
}

/// Sets a bomb off and ends it with these words, within a second; a machine that is busy with other tests may need a
/// second or a third try.
#[track_caller]
fn within_a_second(set_off: impl Fn() -> Cell, args: &[&str]) -> Cell {
    let mut took = Vec::new();
    while took.len() < 3 {
        let cell = set_off();
        let begin = Instant::now();
        cell.lctr(args).quietly().code(0);
        took.push(begin.elapsed());
        assert_eq!(inhabitants(&cell), 0);
        if took[took.len() - 1] < Duration::from_secs(1) {
            return cell;
        }
    }
    panic!("{args:?} took {took:?}");
}

#[test]
fn c52_a_fork_bomb_is_removed_within_a_second() {
    within_a_second(bombed, &["rm", "-f", "cell"]);
}

#[test]
fn c52_a_fork_bomb_is_stopped_within_a_second() {
    let cell = within_a_second(bombed, &["stop", "-t", "0", "cell"]);
    cell.lctr(&["wait", "cell"]).stdout("137\n").code(0);
}

#[test]
fn c52_a_bomb_in_an_exec_is_in_the_same_limit() {
    let set_off = || {
        let cell = Cell::running(&["--pids-limit", &LIMIT.to_string(), &with_attacker()], &["sleep", "1000"]);
        cell.exec(&["-d"], &["/attacker", "bomb"]).quietly().code(0);
        await_bomb(&cell);
        cell
    };
    within_a_second(set_off, &["rm", "-f", "cell"]);
}
