//! Places: each output of a process where it is to go, whatever becomes of the other.

use super::reading::{check_pattern, check_stretch, hear, hear_some};
use super::scene::{Scene, code};
use super::suite;
use crate::error::ErrorKind;
use crate::ports::process_io::OutputKind;
use crate::stdio::{Keep, Place, Stdio, TerminalSize, Unread};

const FITS: u64 = 48 << 10;
/// More than any pipe holds.
const FLOOD: u64 = 4 << 20;

suite!(
    KeptOutput:
    stdout_is_kept_while_stderr_is_live,
    stderr_is_kept_while_stdout_goes_nowhere,
    output_that_is_not_kept_cannot_be_read_later,
    live_output_that_nobody_reads_is_thrown_away_where_asked,
    live_output_that_nobody_reads_is_kept_where_asked,
    the_backend_is_given_the_live_streams_alone;
    KeptTerminals:
    the_output_of_a_terminal_is_kept_as_one;
    Nothing:
    stdin_cannot_be_kept,
    a_terminal_takes_no_descriptors
);

async fn stdout_is_kept_while_stderr_is_live(scene: Scene) {
    let stdio = Stdio { stdout: Place::Kept, stderr: Place::Stream, ..Stdio::null() };
    let mut container = scene.running("c", &["emit", &FLOOD.to_string(), "51", "both"], stdio).await;
    let logs = scene.client.logs(&container.process).follow();
    let (heard, ()) = tokio::join!(hear(logs), check_pattern(container.stderr(), 52, FLOOD));
    assert_eq!((heard.stdout.len() as u64, heard.stderr.len()), (FLOOD, 0));
    check_stretch(&heard.stdout, 51, 0);
    assert_eq!(heard.ends.len(), 1, "{:?}", heard.ends);
    assert_eq!(container.status().await, code(0));
}

async fn stderr_is_kept_while_stdout_goes_nowhere(scene: Scene) {
    let stdio = Stdio { stderr: Place::Kept, ..Stdio::null() };
    let container = scene.running("c", &["emit", &FITS.to_string(), "53", "both"], stdio).await;
    let heard = hear(scene.client.logs(&container.process).follow()).await;
    check_stretch(&heard.stderr, 54, 0);
    assert_eq!((heard.stdout.len(), heard.stderr.len() as u64), (0, FITS));
    assert_eq!(container.status().await, code(0), "nobody reads stdout, and it does not wait");
}

async fn output_that_is_not_kept_cannot_be_read_later(scene: Scene) {
    let container = scene.running("c", &["exit", "0"], Stdio::output()).await;
    container.exit().await;
    let refused = scene.client.logs(&container.process).open().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound, "{refused}");
}

async fn flood(scene: &Scene, unread: Unread) -> super::scene::Live {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let stdio = Stdio { unread, ..Stdio::output() };
    let mut exec = scene.exec(&container, "e", &["emit", &FLOOD.to_string(), "55"], stdio).await;
    exec.streams = Default::default();
    assert_eq!(exec.status().await, code(0));
    exec
}

async fn live_output_that_nobody_reads_is_thrown_away_where_asked(scene: Scene) {
    flood(&scene, Unread::Discard).await;
}

async fn live_output_that_nobody_reads_is_kept_where_asked(scene: Scene) {
    let exec = flood(&scene, Unread::Keep).await;
    let heard = hear_some(scene.client.logs(&exec.process).follow()).await;
    assert_eq!(heard.stdout.len() as u64, FLOOD);
    check_stretch(&heard.stdout, 55, 0);
}

async fn the_backend_is_given_the_live_streams_alone(scene: Scene) {
    let stdio = Stdio::kept(Keep::default()).with_stdin(Place::Stream);
    let mut container = scene.running("c", &["cat"], stdio).await;
    assert!(container.streams.stdout.is_none() && container.streams.stderr.is_none());
    tokio::io::AsyncWriteExt::write_all(container.stdin(), b"through\n").await.unwrap();
    container.close_stdin().await;
    assert_eq!(hear(scene.client.logs(&container.process).follow()).await.text(), "through\n");
    assert_eq!(container.status().await, code(0));
}

async fn the_output_of_a_terminal_is_kept_as_one(scene: Scene) {
    let size = TerminalSize { columns: 61, rows: 17 };
    let stdio = Stdio { terminal: Some(size), ..Stdio::kept(Keep::unbounded()) };
    let container = scene.running("c", &["lines", "5000"], stdio).await;
    let heard = hear(scene.client.logs(&container.process).follow()).await;
    let wanted: String = (1..=5000).map(|line| format!("line {line}\n")).collect();
    assert!(heard.text() == wanted, "{} bytes instead of {}", heard.text().len(), wanted.len());
    assert!(heard.ends.iter().all(|(kind, _)| *kind == OutputKind::Stdout), "{:?}", heard.ends);
    assert_eq!(container.status().await, code(0));
}

async fn refused(scene: &Scene, stdio: Stdio) {
    let error = scene.try_create("c", &["exit", "0"], stdio).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    scene.is_empty().await;
}

async fn stdin_cannot_be_kept(scene: Scene) {
    refused(&scene, Stdio::null().with_stdin(Place::Kept)).await;
}

async fn a_terminal_takes_no_descriptors(scene: Scene) {
    let terminal = Stdio::terminal(TerminalSize::default());
    refused(&scene, Stdio { stdout: Place::Descriptor(1), ..terminal }).await;
}
