//! Terminals: their size from the first instruction on, and everything that is written to them.

use super::reading::{line, text, until_line};
use super::scene::{Scene, code};
use super::suite;
use crate::error::ErrorKind;
use crate::signal::Signal;
use crate::stdio::{Stdio, TerminalSize};

const SMALL: TerminalSize = TerminalSize { columns: 61, rows: 17 };
const LARGE: TerminalSize = TerminalSize { columns: 203, rows: 88 };

suite!(Terminals:
    a_terminal_has_its_size_from_the_start,
    a_resize_reaches_the_program,
    a_resize_before_the_start_is_kept_for_it,
    a_resize_after_the_exit_is_no_error,
    a_process_without_a_terminal_cannot_be_resized,
    an_exec_has_a_terminal_of_its_own,
    stdin_of_a_terminal_is_one,
    every_line_of_a_large_output_arrives,
);

async fn a_terminal_has_its_size_from_the_start(scene: Scene) {
    let mut container = scene.running("c", &["size"], Stdio::terminal(SMALL)).await;
    assert_eq!(line(container.stdout()).await, "61x17");
    assert!(container.streams.stderr.is_none(), "a terminal has one output");
    container.signal(Signal::TERM).await;
    assert_eq!(container.status().await, code(0));
}

async fn a_resize_reaches_the_program(scene: Scene) {
    let mut container = scene.running("c", &["size"], Stdio::terminal(SMALL)).await;
    assert_eq!(line(container.stdout()).await, "61x17");
    scene.client.resize(&container.process, LARGE).await.unwrap();
    until_line(container.stdout(), "203x88").await;
}

async fn a_resize_before_the_start_is_kept_for_it(scene: Scene) {
    let mut container = scene.created("c", &["size"], Stdio::terminal(SMALL)).await;
    scene.client.resize(&container.process, LARGE).await.unwrap();
    scene.client.start(&container.id).await.unwrap();
    assert_eq!(line(container.stdout()).await, "203x88");
}

async fn a_resize_after_the_exit_is_no_error(scene: Scene) {
    let container = scene.running("c", &["exit", "0"], Stdio::terminal(SMALL)).await;
    container.exit().await;
    scene.client.resize(&container.process, LARGE).await.unwrap();
}

async fn a_process_without_a_terminal_cannot_be_resized(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let refused = scene.client.resize(&container.process, LARGE).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WrongState);
}

async fn an_exec_has_a_terminal_of_its_own(scene: Scene) {
    let mut container = scene.running("c", &["size"], Stdio::terminal(SMALL)).await;
    let mut exec = scene.exec(&container, "e", &["size"], Stdio::terminal(LARGE)).await;
    assert_eq!(line(container.stdout()).await, "61x17");
    assert_eq!(line(exec.stdout()).await, "203x88");
    exec.signal(Signal::TERM).await;
    assert_eq!(exec.status().await, code(0));
}

async fn stdin_of_a_terminal_is_one(scene: Scene) {
    let mut container = scene.running("c", &["stdin-is"], Stdio::terminal(SMALL)).await;
    assert_eq!(line(container.stdout()).await, "terminal");
}

async fn every_line_of_a_large_output_arrives(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let mut exec = scene.exec(&container, "e", &["lines", "20000"], Stdio::terminal(SMALL)).await;
    let said = text(exec.stdout()).await;
    let wanted: String = (1..=20_000).map(|line| format!("line {line}\n")).collect();
    assert!(said == wanted, "{} bytes instead of {}", said.len(), wanted.len());
    assert_eq!(exec.status().await, code(0));
}
