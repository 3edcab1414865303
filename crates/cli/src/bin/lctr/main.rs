//! `lctr`: containers from the command line, over the library `libcontainerd`.
//!
//! - `args`: what was typed; `grammar/`: the small languages in it; `env`: the variables that are looked at;
//! - `verb/`: one verb a file; `foreground`, `signals`, `terminal`: what the attached ones share;
//! - `output/`: everything that is printed; `failure`, `exit_code`, `hint`: how it ends when it cannot.
//!
//! The very first act of `main` is the monitor's hook: this program is the image of every container's monitor too,
//! and a monitor must not pay for, or trip over, anything that the command line does.
#![forbid(unsafe_code)]

use std::process::ExitCode;

mod args;
mod container_flags;
mod context;
mod env;
mod exit_code;
mod failure;
mod foreground;
mod grammar;
mod hint;
mod keeping_flags;
mod limits;
mod logging;
mod output;
mod signals;
mod terminal;
mod until;
mod verb;

fn main() -> ExitCode {
    libcontainerd::monitor_hook();
    let arguments = match args::read() {
        Ok(arguments) => arguments,
        Err(refused) => return ExitCode::from(refused.print()),
    };
    logging::set_up(&arguments.global);
    let code = match run(arguments) {
        Ok(code) => code,
        Err(failure) => {
            output::error::print(&failure);
            exit_code::of(&failure)
        }
    };
    ExitCode::from(code)
}

fn run(arguments: args::Arguments) -> Result<u8, failure::Failure> {
    let executor =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failure::Failure::Executor)?;
    let context = context::Context::new(arguments.global, limits::raise_open_files());
    let code = executor.block_on(arguments.verb.go(&context));
    // A thread that still waits for the terminal must not hold us up.
    executor.shutdown_background();
    code
}
