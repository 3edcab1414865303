//! Leavings: children that outlive the process which started them, and its streams with them.

use super::reading::text;
use super::scene::{Scene, code, killed_by};
use super::suite;
use crate::ports::process_io::EndOfOutput;
use crate::signal::Signal;
use crate::stdio::{Drain, Stdio};

suite!(Nothing:
    a_child_that_stays_behind_delays_neither_exit_nor_end_of_file_for_ever,
    what_a_late_child_writes_arrives_when_the_drain_waits_for_it,
    a_drain_of_nothing_ends_the_streams_with_the_process,
    the_end_of_init_ends_every_child,
    a_child_that_stays_behind_is_counted_and_listed,
);

async fn a_child_that_stays_behind_delays_neither_exit_nor_end_of_file_for_ever(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let mut exec = scene.exec(&container, "e", &["spawn-leftover"], Stdio::output()).await;
    assert_eq!(exec.status().await, code(0));
    let stdout = exec.stdout();
    assert_eq!(text(stdout).await, "");
    assert!(stdout.end().is_none_or(|end| end == EndOfOutput::Drained), "{:?}", stdout.end());
}

async fn what_a_late_child_writes_arrives_when_the_drain_waits_for_it(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let stdio = Stdio::output().drained(Drain::UntilEof);
    let mut exec = scene.exec(&container, "e", &["spawn-late", "late words"], stdio).await;
    assert_eq!(exec.status().await, code(0));
    let stdout = exec.stdout();
    assert_eq!(text(stdout).await, "late words");
    assert!(stdout.end().is_none_or(|end| end == EndOfOutput::Closed), "{:?}", stdout.end());
}

async fn a_drain_of_nothing_ends_the_streams_with_the_process(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let stdio = Stdio::output().drained(Drain::None);
    let mut exec = scene.exec(&container, "e", &["spawn-leftover"], stdio).await;
    assert_eq!(text(exec.stdout()).await, "");
    assert_eq!(exec.status().await, code(0));
}

async fn the_end_of_init_ends_every_child(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let stdio = Stdio::output().drained(Drain::UntilEof);
    let mut exec = scene.exec(&container, "e", &["spawn-leftover"], stdio).await;
    assert_eq!(exec.status().await, code(0));
    container.signal(Signal::KILL).await;
    assert_eq!(container.status().await, killed_by(Signal::KILL));
    assert_eq!(text(exec.stdout()).await, "", "the child that held the stream is gone");
    assert!(scene.client.pids(&container.id).await.unwrap().is_empty());
}

async fn a_child_that_stays_behind_is_counted_and_listed(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let init = container.pid().await;
    let exec = scene.exec(&container, "e", &["spawn-leftover"], Stdio::null()).await;
    let exit = exec.exit().await;
    assert!(exit.left_overs.is_none_or(|count| count == 1), "{exit:?}");
    let pids = scene.client.pids(&container.id).await.unwrap();
    assert_eq!(pids.len(), 2, "{pids:?}");
    assert!(pids.contains(&init) && pids.is_sorted());
}
