//! Measures the engine alone: each phase of a run of `/bin/true`, and runs from several threads.
//!
//! Usage: `start_stop [ROUNDS [THREADS]]`, as root, with a static busybox in /usr/bin.

// A measurement that cannot be made ends; what it prints is its purpose.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, dead_code)]

#[path = "../tests/containers/fixture.rs"]
mod fixture;

use std::fs::File;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use fixture::{Scratch, spec, wait};
use libcontainerd_engine::{Cgroup, InitRequest, Plan, Report, Root, Stdio};
use oci_spec::runtime::Spec;

const PHASES: [&str; 6] = ["cgroup", "plan", "clone", "set up", "run to exit", "remove"];

fn main() {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<usize>().unwrap());
    let rounds = arguments.next().unwrap_or(100);
    let threads = arguments.next().unwrap_or(1);
    let scratch = Scratch::new();
    let spec: Spec = serde_json::from_value(spec(&["/bin/true"])).unwrap();
    let begin = Instant::now();
    let runs: Vec<[Duration; 6]> = std::thread::scope(|scope| {
        let work = || (0..rounds).map(|_| one_run(&scratch, &spec)).collect::<Vec<_>>();
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let whole = begin.elapsed();
    for (phase, name) in PHASES.iter().enumerate() {
        show(name, runs.iter().map(|run| run[phase]).collect());
    }
    show("whole run", runs.iter().map(|run| run.iter().sum()).collect());
    println!("{:.0} runs a second", runs.len() as f64 / whole.as_secs_f64());
    measure_execs(&scratch, rounds);
}

fn show(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!("{name:12} least {:?}, median {:?}, p90 {:?}", at(0), at(50), at(90));
}

fn one_run(scratch: &Scratch, spec: &Spec) -> [Duration; 6] {
    let mut times = [Duration::ZERO; 6];
    let mut last = Instant::now();
    let mut phase = 0;
    let mut lap = || {
        times[phase] = last.elapsed();
        last = Instant::now();
        phase += 1;
    };
    let null = File::options().read(true).write(true).open("/dev/null").unwrap();
    let resources = spec.linux().as_ref().and_then(|linux| linux.resources().as_ref());
    let cgroup = Cgroup::create(&scratch.host, &scratch.place(), resources).unwrap();
    lap();
    let stdio = Stdio::Descriptors { stdin: null.as_fd(), stdout: null.as_fd(), stderr: null.as_fd() };
    let (root, bundle) = (Root::Directory(scratch.root()), scratch.path());
    let request = InitRequest { spec, bundle, id: "x", root, user: None, stdio, cgroup: &cgroup, cover: &[] };
    let plan = Plan::init(&scratch.host, request).unwrap();
    lap();
    let mut spawned = plan.spawn().unwrap();
    lap();
    assert_eq!(spawned.wait_report().unwrap(), Report::Ready);
    lap();
    spawned.open_gate().unwrap();
    assert_eq!(wait(&spawned), 0);
    lap();
    cgroup.remove().unwrap();
    lap();
    times
}

fn measure_execs(scratch: &Scratch, rounds: usize) {
    let container = scratch.start(fixture::spec(&["sleep", "1000"]));
    let leaf = container.cgroup.leaf("exec-x").unwrap();
    let one = || {
        let begin = Instant::now();
        wait(&container.spawn_in(scratch, &leaf, &["/bin/true"]));
        begin.elapsed()
    };
    show("exec", (0..rounds).map(|_| one()).collect());
    container.stop();
}
