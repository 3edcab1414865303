//! Bytes: every one of them, in order, whoever is slow, and nobody hangs when somebody leaves.

use std::io::{Read, Write};
use std::process::Stdio;
use std::thread;

use libcontainerd::core::testing::pattern;
use libcontainerd_tests::lctr::{command, lctr, lctr_with};
use libcontainerd_tests::running::Running;
use libcontainerd_tests::scratch::Scratch;

use crate::{background, remove, run};

const MUCH: usize = 64 << 20;

pub(crate) fn patterned(seed: u64, bytes: usize) -> Vec<u8> {
    let mut buffer = vec![0; bytes];
    pattern::fill(seed, 0, &mut buffer);
    buffer
}

/// Compares without showing 64 MiB.
#[track_caller]
pub(crate) fn same(found: &[u8], wanted: &[u8]) {
    assert_eq!(found.len(), wanted.len());
    assert!(found == wanted, "as many bytes, but others");
}

#[test]
fn much_piped_through_stdin_comes_out_byte_for_byte() {
    let scratch = Scratch::new();
    let mut running = Running::start(command(&scratch, run(&["-i"], &["/probe", "cat"])));
    let input = patterned(1, MUCH);
    running.is_told(&input);
    running.is_told_all();
    let (status, stdout, _) = running.ends_with_bytes();
    same(&stdout, &input);
    assert!(status.success());
}

#[test]
fn much_on_stdout_and_stderr_at_once_comes_byte_for_byte() {
    let scratch = Scratch::new();
    let program = ["/probe", "emit", &MUCH.to_string(), "5", "both"];
    let (status, stdout, stderr) = Running::start(command(&scratch, run(&[], &program))).ends_with_bytes();
    same(&stdout, &patterned(5, MUCH));
    same(&stderr, &patterned(6, MUCH));
    assert!(status.success());
}

#[test]
fn much_through_an_exec_comes_out_byte_for_byte() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    let mut running = Running::start(command(&scratch, ["exec", "-i", "c", "/probe", "cat"]));
    let input = patterned(2, MUCH / 4);
    running.is_told(&input);
    let (status, stdout, _) = running.ends_with_bytes();
    same(&stdout, &input);
    assert!(status.success());
    remove(&scratch, &["c"]);
}

#[test]
fn output_appended_to_a_file_is_whole() {
    let scratch = Scratch::new();
    let path = scratch.place("log");
    std::fs::write(&path, "before\n").unwrap();
    let file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    let mut command = command(&scratch, run(&[], &["/probe", "emit", "3000000", "5"]));
    let status = command.stdin(Stdio::null()).stdout(file).status().unwrap();
    assert!(status.success());
    let found = std::fs::read(&path).unwrap();
    same(&found, &[&b"before\n"[..], &patterned(5, 3_000_000)].concat());
}

#[test]
fn stdin_from_a_file_is_read_to_its_end() {
    let scratch = Scratch::new();
    let path = scratch.place("input");
    std::fs::write(&path, patterned(3, 3_000_000)).unwrap();
    let mut command = command(&scratch, run(&["-i"], &["/probe", "cat"]));
    let output = command.stdin(std::fs::File::open(&path).unwrap()).output().unwrap();
    assert!(output.status.success());
    same(&output.stdout, &patterned(3, 3_000_000));
}

#[test]
fn without_i_a_program_reads_the_end_at_once_and_the_callers_stdin_is_left_alone() {
    let scratch = Scratch::new();
    lctr_with(&scratch, run(&[], &["/probe", "cat"]), b"not for you").quietly().stdout("").code(0);
    lctr(&scratch, run(&[], &["/probe", "stdin-is"])).stdout("null\n").code(0);
}

#[test]
fn a_program_that_does_not_read_its_stdin_does_not_hold_lctr_up() {
    let scratch = Scratch::new();
    let mut child = command(&scratch, run(&["-i"], &["/probe", "exit", "3"]))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // More than any pipe holds; held open until the end.
    let mut stdin = child.stdin.take().unwrap();
    let feed = thread::spawn(move || {
        let _ = stdin.write_all(&vec![0; 8 << 20]);
        stdin
    });
    assert_eq!(child.wait().unwrap().code(), Some(3));
    drop(feed.join().unwrap());
}

#[test]
fn a_reader_of_our_output_that_leaves_hangs_nobody() {
    let scratch = Scratch::new();
    let mut child = command(&scratch, run(&[], &["/probe", "fill"]))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 100]).unwrap();
    drop(stdout);
    // That it ends is what is promised; how, depends on the program.
    let code = child.wait().unwrap().code();
    assert!(code.is_some_and(|code| code > 125), "{code:?}");
}

#[test]
fn what_was_written_before_a_quick_end_is_never_lost() {
    let scratch = Scratch::new();
    for _ in 0..20 {
        lctr(&scratch, run(&[], &["/probe", "lines", "3"])).quietly().stdout("line 1\nline 2\nline 3\n").code(0);
    }
}

#[test]
fn a_program_of_another_user_can_open_its_stdout_again() {
    let scratch = Scratch::new();
    let program = ["/probe", "reopen-stdout", "here"];
    lctr(&scratch, run(&["-u", "tester"], &program)).quietly().stdout("here").code(0);
}
