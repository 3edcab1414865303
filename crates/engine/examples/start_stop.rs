//! Measures the engine alone: cgroup, plan, start, exit and removal of `/bin/true`, and an exec.
//!
//! Usage: `start_stop [ROUNDS [THREADS]]`, as root, with a static busybox in /usr/bin.

// A measurement that cannot be made ends; what it prints is its purpose.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, dead_code)]

#[path = "../tests/containers/fixture.rs"]
mod fixture;

use std::time::{Duration, Instant};

use fixture::{Scratch, process, spec};

fn main() {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<usize>().unwrap());
    let rounds = arguments.next().unwrap_or(100);
    let threads = arguments.next().unwrap_or(1);
    let scratch = Scratch::new();
    let begin = Instant::now();
    let mut runs: Vec<Duration> = std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| (0..rounds).map(|_| one_run(&scratch)).collect::<Vec<_>>())).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let whole = begin.elapsed();
    runs.sort();
    println!(
        "run:  median {:?}, p90 {:?}, {:.0} a second",
        runs[runs.len() / 2],
        runs[runs.len() * 9 / 10],
        runs.len() as f64 / whole.as_secs_f64()
    );
    let container = scratch.start(spec(&["sleep", "1000"]));
    let mut execs: Vec<_> = (0..rounds).map(|_| one_exec(&scratch, &container)).collect();
    execs.sort();
    println!("exec: median {:?}, p90 {:?}", execs[rounds / 2], execs[rounds * 9 / 10]);
    container.stop();
}

fn one_run(scratch: &Scratch) -> Duration {
    let begin = Instant::now();
    assert_eq!(scratch.run(spec(&["/bin/true"])).code, 0);
    begin.elapsed()
}

fn one_exec(scratch: &Scratch, container: &fixture::Running) -> Duration {
    let begin = Instant::now();
    assert_eq!(container.exec(scratch, process(&["/bin/true"])).unwrap().code, 0);
    begin.elapsed()
}
