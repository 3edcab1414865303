//! The probe: the one program that runs inside of the containers of the tests, a verb at a time.
//!
//! Static and without dependencies, so that it runs in an empty root file system. Verbs that wait for a signal say
//! `ready` first. A bad call exits with 2, a write that fails with 74: a broken pipe is never mistaken for an end.
//! The virtual processes of the core's in-memory runtime perform the same verbs: who adds one here adds it there.
//!
//! Does not know: containers.
#![deny(unsafe_code)]

#[path = "../../../crates/core/src/testing/pattern.rs"]
#[allow(unreachable_pub)]
mod pattern;
mod says;
mod streams;
mod sys;

use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use sys::{TERM, USR1, WINCH};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1..) {
        Some(rest) => run(rest).unwrap_or(ExitCode::from(2)),
        None => ExitCode::from(2),
    }
}

/// Performs a verb; `None` when there is no such verb or its arguments are bad.
fn run(args: &[String]) -> Option<ExitCode> {
    let (verb, rest) = args.split_first()?;
    let text = |at: usize| rest.get(at).map(String::as_str);
    let number = |at: usize| rest.get(at)?.parse::<u64>().ok();
    let code = |at: usize| rest.get(at)?.parse::<u8>().ok();
    match verb.as_str() {
        "exit" => return Some(ExitCode::from(code(0)?)),
        "drain" => return streams::drain().map(|()| code(0).unwrap_or(2)).map(ExitCode::from),
        "on-term" => return on_term(text(0)?, code(1)?),
        "fault" => sys::fault(),
        "hog" => hog(),
        "sleep" => sleep_for_ever(),
        "ignore-term" => ignore_term(),
        "cat" => streams::cat(),
        "emit" => streams::emit(number(0)?, number(1)?, rest.len() > 2),
        "emit-late" => emit_late(number(0)?, number(1)?),
        "lines" => (1..=number(0)?).for_each(|line| streams::print(&format!("line {line}\n"))),
        "fill" => streams::fill(),
        "size" => size(),
        "brood" => {
            leave(&["sleep"])?;
            sleep_for_ever()
        }
        "spawn-leftover" => leave(&["sleep"])?,
        "spawn-late" => leave(&["late", text(0)?])?,
        "late" => late(text(0)?),
        _ => streams::print(&says::answer(verb, rest)?),
    }
    Some(ExitCode::SUCCESS)
}

fn sleep_for_ever() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

/// Takes memory, and touches it, until somebody ends that.
fn hog() -> ! {
    let mut taken = Vec::new();
    loop {
        taken.push(vec![1u8; 1 << 20]);
        std::hint::black_box(&taken);
    }
}

fn ignore_term() -> ! {
    sys::block(&[TERM]);
    streams::print("ready\n");
    loop {
        sys::wait(&[TERM]);
    }
}

fn on_term(text: &str, code: u8) -> Option<ExitCode> {
    sys::block(&[TERM]);
    streams::print("ready\n");
    sys::wait(&[TERM]);
    streams::print(&format!("{text}\n"));
    Some(ExitCode::from(code))
}

fn emit_late(bytes: u64, seed: u64) {
    sys::block(&[USR1]);
    streams::print("ready\n");
    sys::wait(&[USR1]);
    streams::emit(bytes, seed, false);
}

fn size() {
    sys::block(&[TERM, WINCH]);
    loop {
        let now = sys::terminal_size();
        streams::print(&now.map_or("no terminal\n".into(), |(columns, rows)| format!("{columns}x{rows}\n")));
        if sys::wait(&[TERM, WINCH]) == TERM {
            return;
        }
    }
}

/// Starts itself again with a verb, with the same streams, and does not wait for it.
fn leave(args: &[&str]) -> Option<()> {
    let own = std::env::args_os().next()?;
    Command::new(own).args(args).stdin(Stdio::null()).spawn().ok().map(drop)
}

fn late(text: &str) {
    std::thread::sleep(Duration::from_millis(50));
    streams::print(text);
}
