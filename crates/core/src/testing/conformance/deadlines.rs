//! Execs with an end: a deadline that kills the whole tree, and left-overs that go on or are killed, as asked.

use std::time::Duration;

use super::scene::{Live, Scene, code, killed_by};
use super::suite;
use crate::error::ErrorKind;
use crate::process::{LeftOvers, NewProcess};
use crate::signal::Signal;
use crate::status::Exit;
use crate::stdio::{Keep, Stdio};

const SOON: Duration = Duration::from_millis(300);
const NEVER: Duration = Duration::from_secs(3600);

suite!(
    EndsExecs:
    a_deadline_kills_the_process_and_says_so,
    a_deadline_kills_everything_that_the_process_has_started,
    a_process_that_ends_in_time_is_not_timed_out,
    a_deadline_harms_nobody_who_comes_later_under_its_name,
    left_overs_go_on_and_are_counted,
    left_overs_are_killed_and_counted_where_asked;
    KeptEndsExecs:
    what_was_written_before_the_deadline_is_kept;
    Nothing:
    a_time_limit_of_nothing_is_refused
);

async fn limited(scene: &Scene, container: &Live, args: &[&str], limit: Duration) -> Live {
    let mut new = NewProcess::new(scene.stage.probe(args), Stdio::null());
    new.timeout = Some(limit);
    scene.try_exec_of(container, "e", new).await.unwrap()
}

async fn a_deadline_kills_the_process_and_says_so(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let exit = limited(&scene, &container, &["ignore-term"], SOON).await.exit().await;
    assert_eq!((exit.status, exit.timed_out), (killed_by(Signal::KILL), true));
    assert!(container.pid().await > 0, "the container goes on");
}

async fn a_deadline_kills_everything_that_the_process_has_started(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let exit = limited(&scene, &container, &["brood"], SOON).await.exit().await;
    assert!(exit.timed_out, "{exit:?}");
    assert_eq!(scene.client.pids(&container.id).await.unwrap(), [container.pid().await]);
}

async fn a_process_that_ends_in_time_is_not_timed_out(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let exit = limited(&scene, &container, &["exit", "5"], NEVER).await.exit().await;
    assert_eq!((exit.status, exit.timed_out), (code(5), false));
}

async fn a_deadline_harms_nobody_who_comes_later_under_its_name(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    limited(&scene, &container, &["exit", "0"], SOON).await.exit().await;
    let mut next = scene.exec(&container, "e", &["cat"], Stdio::piped()).await;
    // Past the deadline of the one before, which nothing tells.
    tokio::time::sleep(SOON * 2).await;
    tokio::io::AsyncWriteExt::write_all(next.stdin(), b"alive\n").await.unwrap();
    assert_eq!(super::reading::line(next.stdout()).await, "alive");
}

async fn leaving(scene: &Scene, container: &Live, left_overs: LeftOvers) -> Exit {
    let mut new = NewProcess::new(scene.stage.probe(&["spawn-leftover"]), Stdio::null());
    new.left_overs = left_overs;
    scene.try_exec_of(container, "e", new).await.unwrap().exit().await
}

async fn left_overs_go_on_and_are_counted(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let exit = leaving(&scene, &container, LeftOvers::Leave).await;
    assert_eq!((exit.status, exit.left_overs), (code(0), Some(1)));
    assert_eq!(scene.client.pids(&container.id).await.unwrap().len(), 2);
}

async fn left_overs_are_killed_and_counted_where_asked(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    for _ in 0..5 {
        let exit = leaving(&scene, &container, LeftOvers::Kill).await;
        assert_eq!((exit.status, exit.left_overs), (code(0), Some(1)));
        assert_eq!(scene.client.pids(&container.id).await.unwrap(), [container.pid().await]);
    }
}

async fn what_was_written_before_the_deadline_is_kept(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let mut new = NewProcess::new(scene.stage.probe(&["ignore-term"]), Stdio::kept(Keep::default()));
    new.timeout = Some(Duration::from_secs(2));
    let exec = scene.try_exec_of(&container, "e", new).await.unwrap();
    scene.client.logs(&exec.process).wait_for("ready", 1).await.unwrap();
    assert!(exec.exit().await.timed_out);
    assert_eq!(super::reading::hear(scene.client.logs(&exec.process).follow()).await.text(), "ready\n");
}

async fn a_time_limit_of_nothing_is_refused(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let mut new = NewProcess::new(scene.stage.probe(&["exit", "0"]), Stdio::null());
    new.timeout = Some(Duration::ZERO);
    let refused = scene.try_exec_of(&container, "e", new).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{refused}");
}
