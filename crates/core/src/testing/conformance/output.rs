//! Output: every byte that was written before the end, whatever its reader does.

use super::reading::{all, check_pattern, line, text, until_line};
use super::scene::{Scene, code, killed_by};
use super::suite;
use crate::client::Stop;
use crate::error::ErrorKind;
use crate::signal::Signal;
use crate::stdio::Stdio;

const MANY: u64 = 64 << 20;
const FITS: u64 = 48 << 10;

suite!(Nothing:
    every_byte_of_stdout_and_stderr_arrives_when_both_are_flooded,
    a_last_line_without_an_end_arrives,
    what_was_written_before_the_exit_is_read_after_it,
    what_was_written_before_a_kill_is_read_after_it,
    a_reader_that_goes_and_comes_back_loses_nothing,
    a_writer_whose_reader_is_gone_waits_and_can_be_killed,
    a_second_reader_is_refused_until_the_first_is_gone,
    nothing_is_read_of_streams_that_were_not_asked_for,
    a_non_root_program_can_open_its_stdout_again,
    a_large_output_of_an_exec_arrives_after_its_exit_was_seen,
    the_streams_of_an_exec_can_be_opened_again_elsewhere,
);

async fn every_byte_of_stdout_and_stderr_arrives_when_both_are_flooded(scene: Scene) {
    let mut container = scene.running("c", &["emit", &MANY.to_string(), "11", "both"], Stdio::output()).await;
    let mut stdout = container.streams.stdout.take().expect("stdout is a stream");
    let stderr = container.stderr();
    tokio::join!(check_pattern(&mut *stdout, 11, MANY), check_pattern(stderr, 12, MANY));
    assert_eq!(container.status().await, code(0));
}

async fn a_last_line_without_an_end_arrives(scene: Scene) {
    let mut container = scene.running("c", &["print", "no end"], Stdio::output()).await;
    assert_eq!(text(container.stdout()).await, "no end");
    assert_eq!(text(container.stderr()).await, "");
}

async fn what_was_written_before_the_exit_is_read_after_it(scene: Scene) {
    let mut container = scene.running("c", &["emit", &FITS.to_string(), "5"], Stdio::output()).await;
    assert_eq!(container.status().await, code(0));
    check_pattern(container.stdout(), 5, FITS).await;
}

async fn what_was_written_before_a_kill_is_read_after_it(scene: Scene) {
    let mut container = scene.running("c", &["ignore-term"], Stdio::output()).await;
    container.signal(Signal::TERM).await;
    let mut early = vec![0; 3];
    tokio::io::AsyncReadExt::read_exact(container.stdout(), &mut early).await.unwrap();
    container.signal(Signal::KILL).await;
    assert_eq!(container.status().await, killed_by(Signal::KILL));
    assert_eq!([early, all(container.stdout()).await].concat(), b"ready\n");
}

async fn a_reader_that_goes_and_comes_back_loses_nothing(scene: Scene) {
    let mut container = scene.running("c", &["emit-late", &FITS.to_string(), "6"], Stdio::output()).await;
    until_line(container.stdout(), "ready").await;
    let process = container.process.clone();
    drop(container);
    scene.client.signal_process(&process, Signal::USR1).await.unwrap();
    assert_eq!(scene.client.wait(&process).await.unwrap().status, code(0));
    let mut again = scene.attached(&process).await;
    check_pattern(again.stdout(), 6, FITS).await;
}

async fn a_writer_whose_reader_is_gone_waits_and_can_be_killed(scene: Scene) {
    let mut container = scene.running("c", &["fill"], Stdio::output()).await;
    tokio::io::AsyncReadExt::read_u8(container.stdout()).await.unwrap();
    container.streams = Default::default();
    let exec = scene.exec(&container, "e", &["exit", "1"], Stdio::null()).await;
    assert_eq!(exec.status().await, code(1));
    let grace = std::time::Duration::from_millis(50);
    let exit = scene.client.stop(&container.id, Stop::new(Signal::TERM, grace)).await.unwrap();
    assert_eq!(exit.status, killed_by(Signal::KILL), "neither a broken pipe nor an end of its own");
}

async fn a_second_reader_is_refused_until_the_first_is_gone(scene: Scene) {
    let mut container = scene.running("c", &["cat"], Stdio::piped()).await;
    for client in [&scene.client, &scene.another().client] {
        let refused = client.attach(&container.process).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::WrongState);
    }
    container.streams = Default::default();
    let mut second = scene.attached(&container.process).await;
    tokio::io::AsyncWriteExt::write_all(second.stdin(), b"mine\n").await.unwrap();
    assert_eq!(line(second.stdout()).await, "mine");
}

async fn nothing_is_read_of_streams_that_were_not_asked_for(scene: Scene) {
    let container = scene.running("c", &["emit", "1000000", "1", "both"], Stdio::null()).await;
    assert!(container.streams.stdout.is_none() && container.streams.stderr.is_none());
    assert!(container.streams.stdin.is_none());
    assert_eq!(container.status().await, code(0), "nobody reads, and it does not wait");
}

async fn a_non_root_program_can_open_its_stdout_again(scene: Scene) {
    let program = scene.stage.probe(&["reopen-stdout", "again"]);
    let id = super::scene::id("c");
    let mut new = scene.stage.container(program, Stdio::output());
    new.user = Some(crate::process::User::Ids { uid: 1000, gid: 1000, groups: Vec::new() });
    scene.client.create(&id, new).await.unwrap();
    let process = crate::id::ProcessRef::init(id.clone());
    let mut streams = scene.backend.take_streams(&process).unwrap();
    scene.client.start(&id).await.unwrap();
    let said = text(streams.stdout.as_deref_mut().unwrap()).await;
    assert_eq!((said.as_str(), scene.client.wait(&process).await.unwrap().status), ("again", code(0)));
}

async fn a_large_output_of_an_exec_arrives_after_its_exit_was_seen(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let mut exec = scene.exec(&container, "e", &["emit", &FITS.to_string(), "8"], Stdio::output()).await;
    assert_eq!(exec.status().await, code(0));
    check_pattern(exec.stdout(), 8, FITS).await;
}

async fn the_streams_of_an_exec_can_be_opened_again_elsewhere(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let mut exec = scene.exec(&container, "e", &["cat"], Stdio::piped()).await;
    exec.streams = Default::default();
    let mut again = scene.another().attached(&exec.process).await;
    tokio::io::AsyncWriteExt::write_all(again.stdin(), b"elsewhere").await.unwrap();
    tokio::io::AsyncWriteExt::shutdown(again.stdin()).await.unwrap();
    assert_eq!(text(again.stdout()).await, "elsewhere");
    assert_eq!(exec.status().await, code(0));
}
