//! Input: eight bits clean, closed exactly once and never too early.

use tokio::io::AsyncWriteExt;

use super::reading::{all, check_pattern, line, text, write_pattern};
use super::scene::{Scene, code};
use super::suite;
use crate::stdio::{Place, Stdio};

const MANY: u64 = 64 << 20;

suite!(Nothing:
    every_byte_of_stdin_arrives,
    every_value_of_a_byte_passes,
    stdin_closed_before_the_start_is_at_its_end_after_it,
    stdin_closed_while_it_starts_is_at_its_end,
    stdin_closed_after_the_start_is_at_its_end,
    what_was_written_before_the_close_is_read_before_the_end,
    stdin_of_an_exec_can_be_closed,
    closing_stdin_again_or_after_the_exit_is_no_error,
    no_stdin_is_dev_null,
    no_stdin_of_an_exec_is_dev_null,
    a_writer_that_goes_closes_nothing_and_may_come_back,
);

async fn every_byte_of_stdin_arrives(scene: Scene) {
    let mut container = scene.running("c", &["cat"], Stdio::piped()).await;
    let mut stdin = container.streams.stdin.take().expect("stdin is a stream");
    let write = async {
        write_pattern(&mut *stdin, 21, MANY).await;
        stdin.shutdown().await.unwrap();
    };
    tokio::join!(write, check_pattern(container.stdout(), 21, MANY));
    assert_eq!(container.status().await, code(0));
}

async fn every_value_of_a_byte_passes(scene: Scene) {
    let mut container = scene.running("c", &["cat"], Stdio::piped()).await;
    let bytes: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
    container.stdin().write_all(&bytes).await.unwrap();
    container.stdin().shutdown().await.unwrap();
    assert_eq!(all(container.stdout()).await, bytes);
}

async fn stdin_closed_before_the_start_is_at_its_end_after_it(scene: Scene) {
    let mut container = scene.created("c", &["drain", "6"], Stdio::piped()).await;
    container.stdin().shutdown().await.unwrap();
    scene.client.start(&container.id).await.unwrap();
    assert_eq!(container.status().await, code(6));
}

async fn stdin_closed_while_it_starts_is_at_its_end(scene: Scene) {
    for round in 0..5 {
        let mut container = scene.created(&format!("c{round}"), &["drain", "6"], Stdio::piped()).await;
        let (id, client) = (container.id.clone(), scene.client.clone());
        let (started, closed) = tokio::join!(client.start(&id), container.stdin().shutdown());
        assert!(started.is_ok() && closed.is_ok());
        assert_eq!(container.status().await, code(6));
    }
}

async fn stdin_closed_after_the_start_is_at_its_end(scene: Scene) {
    let mut container = scene.running("c", &["drain", "6"], Stdio::piped()).await;
    container.stdin().shutdown().await.unwrap();
    assert_eq!(container.status().await, code(6));
}

async fn what_was_written_before_the_close_is_read_before_the_end(scene: Scene) {
    let mut container = scene.created("c", &["cat"], Stdio::piped()).await;
    container.stdin().write_all(b"early").await.unwrap();
    container.stdin().shutdown().await.unwrap();
    scene.client.start(&container.id).await.unwrap();
    assert_eq!(text(container.stdout()).await, "early");
}

async fn stdin_of_an_exec_can_be_closed(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let mut exec = scene.exec(&container, "e", &["cat"], Stdio::piped()).await;
    exec.stdin().write_all(b"to the exec").await.unwrap();
    exec.stdin().shutdown().await.unwrap();
    assert_eq!(text(exec.stdout()).await, "to the exec");
    assert_eq!(exec.status().await, code(0));
}

async fn closing_stdin_again_or_after_the_exit_is_no_error(scene: Scene) {
    let mut container = scene.running("c", &["drain", "0"], Stdio::piped()).await;
    container.stdin().shutdown().await.unwrap();
    scene.client.close_stdin(&container.process).await.unwrap();
    container.exit().await;
    scene.client.close_stdin(&container.process).await.unwrap();
    container.delete().await;
}

async fn no_stdin_is_dev_null(scene: Scene) {
    let mut container = scene.running("c", &["stdin-is"], Stdio::output()).await;
    assert_eq!(line(container.stdout()).await, "null");
}

async fn no_stdin_of_an_exec_is_dev_null(scene: Scene) {
    let container = scene.running("c", &["cat"], Stdio::null().with_stdin(Place::Stream)).await;
    let mut exec = scene.exec(&container, "e", &["stdin-is"], Stdio::output()).await;
    assert_eq!(line(exec.stdout()).await, "null");
}

async fn a_writer_that_goes_closes_nothing_and_may_come_back(scene: Scene) {
    let mut container = scene.running("c", &["cat"], Stdio::piped()).await;
    container.stdin().write_all(b"one\n").await.unwrap();
    assert_eq!(line(container.stdout()).await, "one");
    container.streams = Default::default();
    let mut again = scene.attached(&container.process).await;
    again.stdin().write_all(b"two\n").await.unwrap();
    again.stdin().shutdown().await.unwrap();
    assert_eq!(text(again.stdout()).await, "two\n");
    assert_eq!(container.status().await, code(0));
}
