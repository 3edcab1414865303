//! Side-by-side benchmarks of `lctr` and `runc` on the same bundle, alternating in one run.
//!
//! Output that is kept is measured beside conmon, podman and docker too, as far as they are installed.
//!
//! `cargo run --release -p libcontainerd-benches` builds lctr and the small static monitor, makes a busybox bundle with
//! the specification of `lctr spec`, and prints a table of medians with the ratio to runc. Figures are whole processes,
//! from spawn to reaped. `--runs N` sets how many of each (30), `--only NAME` picks one measure.
//!
//! Needs: root, runc, busybox (static).
#![allow(clippy::print_stdout, reason = "the table is what it is for")]

mod bundle;
mod contender;
mod error;
mod keeping;
mod latency;
mod machine;
mod measure;
mod memory;
mod peers;

use std::env;
use std::process::ExitCode;

use contender::Contender;
use error::Error;

/// What the command line asks for.
#[derive(Debug)]
struct Options {
    runs: usize,
    only: Option<String>,
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{}", error::chain(&error));
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options, Error> {
    let mut options = Options { runs: 30, only: None };
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args.next().ok_or(Error::Usage)?;
        match arg.as_str() {
            "--runs" => options.runs = value.parse().map_err(|_| Error::Usage)?,
            "--only" => options.only = Some(value),
            _ => return Err(Error::Usage),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<(), Error> {
    let programs = bundle::build()?;
    let place = bundle::Place::make(&programs)?;
    println!("{}\n", machine::describe(&place)?);
    println!("| what | lctr | lctr, small monitor | runc | lctr to runc | small to runc | mark |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let contenders =
        [Contender::lctr(&place, &programs), Contender::lctr_small(&place, &programs), Contender::runc(&place)];
    type Measure = fn(&[Contender; 3], usize) -> Result<measure::Row, Error>;
    let measures: [(&str, Measure); 4] = [
        ("run", measure::run_to_exit),
        ("exec", measure::exec_to_exit),
        ("many", measure::sixteen_at_a_time),
        ("stdout", measure::stdout_throughput),
    ];
    let wanted = |name: &str| options.only.as_deref().is_none_or(|only| only == name);
    for (name, measure) in measures {
        if wanted(name) {
            println!("{}", measure(&contenders, options.runs)?);
        }
    }
    if wanted("kept") {
        let [lctr, small, _] = &contenders;
        keeping::of_everybody(&place, [lctr, small], options.runs.div_ceil(6))?;
    }
    if wanted("latency") {
        println!("\n{}", latency::of_an_exit(&place, &programs, options.runs.max(100))?);
    }
    if wanted("memory") {
        let [lctr, small, _] = &contenders;
        println!("\n{}", memory::of_idle_containers(lctr)?);
        println!("{}", memory::of_idle_containers(small)?);
    }
    Ok(())
}
