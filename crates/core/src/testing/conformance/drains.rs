//! The end of kept output: how long what is left behind is still listened to, and what the end says of that.

use super::reading::{Heard, hear};
use super::scene::{Scene, code};
use super::suite;
use crate::ports::process_io::{EndOfOutput, OutputKind};
use crate::signal::Signal;
use crate::stdio::{Drain, Keep, Stdio};

suite!(KeptOutput:
    what_a_late_child_writes_is_kept_when_the_drain_waits_for_it,
    a_drain_of_nothing_ends_the_log_with_the_process,
    a_quiet_child_does_not_keep_the_log_open,
    the_end_of_init_ends_every_log,
);

async fn leaving(scene: &Scene, args: &[&str], drain: Drain) -> Heard {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let stdio = Stdio::kept(Keep::default()).drained(drain);
    let exec = scene.exec(&container, "e", args, stdio).await;
    assert_eq!(exec.status().await, code(0));
    hear(scene.client.logs(&exec.process).follow()).await
}

async fn what_a_late_child_writes_is_kept_when_the_drain_waits_for_it(scene: Scene) {
    let heard = leaving(&scene, &["spawn-late", "late words"], Drain::UntilEof).await;
    assert_eq!(heard.text(), "late words");
    assert_eq!(heard.ended(OutputKind::Stdout), Some(EndOfOutput::Closed));
}

async fn a_drain_of_nothing_ends_the_log_with_the_process(scene: Scene) {
    let heard = leaving(&scene, &["spawn-leftover"], Drain::None).await;
    assert_eq!(heard.ended(OutputKind::Stdout), Some(EndOfOutput::Drained));
}

async fn a_quiet_child_does_not_keep_the_log_open(scene: Scene) {
    let heard = leaving(&scene, &["spawn-leftover"], Drain::Quiet).await;
    assert_eq!(heard.ended(OutputKind::Stdout), Some(EndOfOutput::Drained));
    assert_eq!(heard.ended(OutputKind::Stderr), Some(EndOfOutput::Drained));
}

async fn the_end_of_init_ends_every_log(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let stdio = Stdio::kept(Keep::default()).drained(Drain::UntilEof);
    let exec = scene.exec(&container, "e", &["spawn-leftover"], stdio).await;
    assert_eq!(exec.status().await, code(0));
    let follower = tokio::spawn(hear(scene.client.logs(&exec.process).follow()));
    container.signal(Signal::KILL).await;
    container.exit().await;
    assert_eq!(follower.await.unwrap().ends.len(), 2);
}
