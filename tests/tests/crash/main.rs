//! Everything that supervises is killed, at every moment of a container's life, and nothing may be lost by it.
//!
//! Killed are clients, monitors, witnesses, both of the two, and whatever is in the caller's cgroup: at moments that
//! are awaited (the modules named after who dies), and at random ones, over and over (`sweeps`). The measure is what
//! the containers themselves wrote down before they wrote or ended; the account of events must come to the same.
//!
//! Keeps: exits, output and recovery of the promises, whoever is killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use std::process::ExitCode;

use libcontainerd_tests::scratch::left_on_host;
use libtest_mimic::Arguments;

mod account;
mod cgroup_killed;
mod client_killed;
mod dice;
mod life;
mod mixed;
mod pair;
mod pair_killed;
mod process;
mod scene;
mod stdin;
mod successor;
mod supervisor_killed;
mod sweeps;
mod terminals;

fn main() -> ExitCode {
    // This very program is the image of the monitors that its clients make.
    libcontainerd_embedded::monitor_hook();
    let mut arguments = Arguments::from_args();
    // The moments of one test are not to depend on another.
    arguments.test_threads = Some(1);
    let trials = [
        client_killed::trials(),
        supervisor_killed::trials(),
        pair_killed::trials(),
        terminals::trials(),
        stdin::trials(),
        cgroup_killed::trials(),
        sweeps::trials(),
        mixed::trials(),
    ];
    let conclusion = libtest_mimic::run(&arguments, trials.into_iter().flatten().collect());
    let left = left_on_host();
    if !left.is_empty() {
        eprintln!("left on the host: {left:#?}");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}
