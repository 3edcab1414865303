//! Lines of kept output: waited for, and read one by one.

use super::scene::{Scene, code};
use super::suite;
use crate::client::{LogEntry, LogLine, LogLines};
use crate::error::ErrorKind;
use crate::ports::process_io::{OutputKind, Piece};
use crate::stdio::{Keep, Stdio};

suite!(KeptOutput:
    a_line_is_waited_for_while_the_process_runs,
    the_nth_line_is_waited_for_and_one_too_many_is_told,
    lines_come_whole_in_their_order_with_time_and_offset,
    the_two_outputs_have_lines_of_their_own,
    after_a_rotation_lines_begin_with_a_whole_one,
);

async fn a_line_is_waited_for_while_the_process_runs(scene: Scene) {
    let container = scene.created("c", &["ignore-term"], Stdio::kept(Keep::default())).await;
    let waiter = tokio::spawn(scene.client.logs(&container.process).wait_for("ready", 1));
    scene.client.start(&container.id).await.unwrap();
    waiter.await.unwrap().unwrap();
    assert!(container.pid().await > 0, "it goes on");
}

async fn the_nth_line_is_waited_for_and_one_too_many_is_told(scene: Scene) {
    let container = scene.running("c", &["lines", "50"], Stdio::kept(Keep::default())).await;
    // 4, and 40 to 49.
    scene.client.logs(&container.process).wait_for("line 4", 11).await.unwrap();
    let error = scene.client.logs(&container.process).wait_for("line 4", 12).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert_eq!(container.status().await, code(0));
}

async fn all(mut lines: LogLines) -> Vec<LogEntry> {
    let mut entries = Vec::new();
    while let Some(entry) = lines.next().await.unwrap() {
        entries.push(entry);
    }
    entries
}

fn of(entries: &[LogEntry], kind: OutputKind) -> Vec<&LogLine> {
    let lines = entries.iter().filter_map(|entry| match entry {
        LogEntry::Line(line) => Some(line),
        _ => None,
    });
    lines.filter(|line| line.kind == kind).collect()
}

async fn lines_come_whole_in_their_order_with_time_and_offset(scene: Scene) {
    let container = scene.running("c", &["lines", "2000"], Stdio::kept(Keep::default())).await;
    let logs = scene.client.logs(&container.process).follow();
    let entries = all(logs.open().await.unwrap().lines()).await;
    let lines = of(&entries, OutputKind::Stdout);
    let mut offset = 0;
    for (at, line) in lines.iter().enumerate() {
        assert_eq!((line.bytes.as_ref(), line.complete), (format!("line {}", at + 1).as_bytes(), true));
        assert_eq!(line.offset, offset);
        offset += line.bytes.len() as u64 + 1;
    }
    assert_eq!(lines.len(), 2000);
    assert!(lines.is_sorted_by(|a, b| a.at <= b.at));
    assert!(matches!(entries.last(), Some(LogEntry::End { .. })), "{:?}", entries.last());
}

async fn the_two_outputs_have_lines_of_their_own(scene: Scene) {
    let args = ["emit", "300000", "81", "both"];
    let container = scene.running("c", &args, Stdio::kept(Keep::default())).await;
    let logs = scene.client.logs(&container.process).follow();
    let entries = all(logs.open().await.unwrap().lines()).await;
    for (kind, seed) in [(OutputKind::Stdout, 81), (OutputKind::Stderr, 82)] {
        let mut bytes = Vec::new();
        for line in of(&entries, kind) {
            bytes.extend_from_slice(&line.bytes);
            bytes.extend_from_slice(if line.complete { b"\n" } else { b"" });
        }
        assert_eq!(bytes.len(), 300_000);
        super::reading::check_stretch(&bytes, seed, 0);
    }
}

async fn after_a_rotation_lines_begin_with_a_whole_one(scene: Scene) {
    let container = scene.running("c", &["lines", "30000"], Stdio::kept(Keep::bounded(64 << 10, 2))).await;
    assert_eq!(container.status().await, code(0));
    let mut follower = scene.client.logs(&container.process).follow().open().await.unwrap();
    while !matches!(follower.next().await.unwrap(), None | Some(Piece::End { kind: OutputKind::Stdout, .. })) {}
    let entries = all(scene.client.logs(&container.process).open().await.unwrap().lines()).await;
    assert!(matches!(entries.first(), Some(LogEntry::Lost { from: 0, .. })), "{:?}", entries.first());
    let lines = of(&entries, OutputKind::Stdout);
    assert!(lines.len() > 5000, "{} lines", lines.len());
    for (line, number) in lines.iter().zip(30_000 - lines.len() + 1..) {
        assert_eq!(line.bytes.as_ref(), format!("line {number}").as_bytes());
    }
}
