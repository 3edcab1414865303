//! Many containers that end at once, one after the other and side by side.

use std::sync::Arc;

use libcontainerd::core::ports::process_io::{Piece, ReadFrom};
use libcontainerd::core::status::How;
use libcontainerd::core::stdio::{Keep, Stdio};
use libcontainerd::{ExitStatus, ProcessRef};
use tokio::io::AsyncReadExt;

use crate::scene::{SIDE_BY_SIDE, Scene, exit_at_once, remove, side_by_side, times, trials};

trials!(
    a_thousand_times_false_is_one_each_time,
    a_thousand_containers_that_write_and_end_lose_no_byte_live,
    a_thousand_containers_that_write_and_end_lose_no_byte_kept,
);

async fn a_thousand_times_false_is_one_each_time(scene: Arc<Scene>) {
    side_by_side(times(1000), SIDE_BY_SIDE, |turn| {
        let scene = Arc::clone(&scene);
        async move {
            let container = scene.script(&format!("f{turn}"), "exit 1", Stdio::null()).spawn().await.unwrap();
            let exit = exit_at_once(&container).await;
            assert_eq!((exit.status, exit.how), (ExitStatus::Code(1), How::Waited), "{exit:?}");
            assert!(exit.durable, "{exit:?}");
            remove(&scene, container.id()).await;
        }
    })
    .await;
}

/// 1 MiB, of which each KiB says whose it is and which.
fn mebibyte(turn: usize) -> Vec<u8> {
    (0..1024).flat_map(|line| format!("{:<1023}\n", format!("{turn} {line}")).into_bytes()).collect()
}

/// A program that writes it and ends.
fn writer(turn: usize) -> String {
    format!("i=0; while [ $i -lt 1024 ]; do printf '%-1023s\\n' \"{turn} $i\"; i=$((i + 1)); done; exit 5")
}

async fn a_thousand_containers_that_write_and_end_lose_no_byte_live(scene: Arc<Scene>) {
    side_by_side(times(500), SIDE_BY_SIDE, |turn| {
        let scene = Arc::clone(&scene);
        async move {
            let name = format!("l{turn}");
            let mut container = scene.script(&name, &writer(turn), Stdio::output()).spawn().await.unwrap();
            let mut read = Vec::new();
            container.init.stdout.take().unwrap().read_to_end(&mut read).await.unwrap();
            assert!(read == mebibyte(turn), "{name}: {} bytes, or others", read.len());
            assert_eq!(exit_at_once(&container).await.status, ExitStatus::Code(5));
            remove(&scene, container.id()).await;
        }
    })
    .await;
}

async fn a_thousand_containers_that_write_and_end_lose_no_byte_kept(scene: Arc<Scene>) {
    side_by_side(times(500), SIDE_BY_SIDE, |turn| {
        let scene = Arc::clone(&scene);
        async move {
            let name = format!("k{turn}");
            let container = scene.script(&name, &writer(turn), Stdio::kept(Keep::default())).spawn().await.unwrap();
            let process = ProcessRef::init(container.id().clone());
            assert_eq!(exit_at_once(&container).await.status, ExitStatus::Code(5));
            let logs = scene.supervisor().client().logs(&process).from(ReadFrom::Start).follow();
            let (mut stream, mut read) = (logs.open().await.unwrap(), Vec::new());
            while let Some(piece) = stream.next().await.unwrap() {
                match piece {
                    Piece::Bytes { bytes, .. } => read.extend_from_slice(&bytes),
                    Piece::Lost { .. } => panic!("{name}: {piece:?}"),
                    _ => {}
                }
            }
            assert!(read == mebibyte(turn), "{name}: {} bytes, or others", read.len());
            remove(&scene, container.id()).await;
        }
    })
    .await;
}
