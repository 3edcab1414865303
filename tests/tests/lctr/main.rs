//! The command `lctr` on real containers, as a user or a script has it: one promise a test, by topic.
//!
//! - what it is for: `main_job`, `isolation`; how it ends: `exit_codes`, `signals`, `terminals`, `detaching`, `streams`;
//! - the verbs: `life`, `execs`, `attaching`, `looking`, `following`, `bundles`, `gc`;
//! - what outlives its writer: `keeping`, `logs`, `ledger`; and what ends in time: `deadlines`, `lifetime`;
//! - what it refuses, and how: `names`, `programs`, `hosts`; and the programs in the README: `readme`.
//!
//! The guard around each test is its [`Scratch`], which fails where anything is left over.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use libcontainerd_tests::lctr::{Ran, lctr};
use libcontainerd_tests::rootfs;
use libcontainerd_tests::scratch::Scratch;

mod attaching;
mod bundles;
mod deadlines;
mod detaching;
mod execs;
mod exit_codes;
mod following;
mod full_disks;
mod gc;
mod hosts;
mod isolation;
mod keeping;
mod ledger;
mod life;
mod lifetime;
mod logs;
mod looking;
mod main_job;
mod names;
mod programs;
mod readme;
mod signals;
mod streams;
mod terminals;

/// `run --rm` of a program in busybox' root file system, with further options.
fn run(options: &[&str], program: &[&str]) -> Vec<String> {
    run_on(rootfs::busybox(), options, program)
}

/// The same in any root file system.
fn run_on(rootfs: &Path, options: &[&str], program: &[&str]) -> Vec<String> {
    let rootfs = rootfs.to_str().unwrap();
    words(&[&["run", "--rm", "--rootfs", rootfs], options, &["--"], program].concat())
}

/// Runs a container of this name in the background.
#[track_caller]
fn background(scratch: &Scratch, name: &str, program: &[&str]) {
    background_with(scratch, name, &[], program);
}

/// The same with further options.
#[track_caller]
fn background_with(scratch: &Scratch, name: &str, options: &[&str], program: &[&str]) {
    let rootfs = rootfs::busybox().to_str().unwrap();
    let words = [&["run", "-d", "--name", name, "--rootfs", rootfs], options, &["--"], program].concat();
    lctr(scratch, words).quietly().stdout(&format!("{name}\n")).code(0);
}

/// Removes containers, whatever their state.
#[track_caller]
fn remove(scratch: &Scratch, names: &[&str]) {
    lctr(scratch, [&["rm", "-f"], names].concat()).code(0);
}

/// It failed as a user deserves: with this code, one line that says what, and one that says what to do.
#[track_caller]
fn refused(ran: Ran, code: i32, what: &str, cure: &str) {
    let ran = ran.code(code).stdout("").complains(what).complains(cure);
    let complaint = ran.complaint();
    let clean = |c: char| c == '\n' || !c.is_control();
    assert!(complaint.starts_with("lctr: ") && complaint.chars().all(clean), "{ran:#?}");
    assert!(complaint.lines().count() <= 2, "more than a line and its cure: {ran:#?}");
    assert!(!complaint.contains("panicked") && !complaint.contains("Error {"), "{ran:#?}");
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
