//! The same thing very often, or very much of it: what is lost once in a thousand times is found here.
//!
//! Sizes are such that all of it takes minutes; `LCTR_LOAD_FACTOR` multiplies the counts. Nothing is timed: what must
//! not wait is given ten seconds, which is for ever beside what it takes.
//!
//! Keeps: exits and output of the promises, under load.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use std::process::ExitCode;

use libcontainerd_tests::scratch::left_on_host;
use libtest_mimic::Arguments;

mod bytes;
mod execs;
mod many;
mod scene;

fn main() -> ExitCode {
    // This very program is the image of the monitors that its containers have.
    libcontainerd_embedded::monitor_hook();
    let mut arguments = Arguments::from_args();
    // Each test has the machine for itself.
    arguments.test_threads = Some(1);
    let trials = [bytes::trials(), many::trials(), execs::trials()];
    let conclusion = libtest_mimic::run(&arguments, trials.into_iter().flatten().collect());
    let left = left_on_host();
    if !left.is_empty() {
        eprintln!("left on the host: {left:#?}");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}
