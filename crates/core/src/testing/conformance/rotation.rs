//! Rotation: kept output that is bounded keeps the newest, and says of every other byte that it is lost.

use super::reading::{check_stretch, hear, hear_from};
use super::scene::{Live, Scene, code};
use super::suite;
use crate::ports::process_io::{Piece, ReadFrom};
use crate::signal::Signal;
use crate::stdio::{Keep, Stdio};

const SEGMENT: u64 = 256 << 10;
const SEGMENTS: u32 = 4;
const MOST: u64 = SEGMENT * SEGMENTS as u64;
const ALL: u64 = 8 << 20;

suite!(KeptOutput:
    the_newest_is_kept_and_the_rest_is_said_to_be_lost,
    offsets_stay_good_when_what_was_before_them_goes,
    a_reader_that_rotation_overtakes_is_told_what_it_missed,
    what_is_not_bounded_is_kept_whole,
);

async fn written(scene: &Scene, keep: Keep, seed: u64) -> Live {
    let args = ["emit", &ALL.to_string(), &seed.to_string()];
    let container = scene.running("c", &args, Stdio::kept(keep)).await;
    assert_eq!(container.status().await, code(0));
    container
}

async fn the_newest_is_kept_and_the_rest_is_said_to_be_lost(scene: Scene) {
    let container = written(&scene, Keep::bounded(SEGMENT, SEGMENTS), 71).await;
    let heard = hear(scene.client.logs(&container.process).follow()).await;
    // Of a reader that came while it was still written there may be more than one loss.
    let lost: u64 = heard.lost.iter().map(|(from, to)| to - from).sum();
    assert_eq!((heard.offset, lost + heard.stdout.len() as u64), (ALL, ALL));
    let again = hear(scene.client.logs(&container.process)).await;
    let kept = again.stdout.len() as u64;
    assert!((MOST - SEGMENT..=MOST).contains(&kept), "{kept} bytes are kept");
    assert_eq!(again.lost, [(0, ALL - kept)]);
    check_stretch(&again.stdout, 71, ALL - kept);
}

async fn offsets_stay_good_when_what_was_before_them_goes(scene: Scene) {
    let container = written(&scene, Keep::bounded(SEGMENT, SEGMENTS), 72).await;
    hear(scene.client.logs(&container.process).follow()).await;
    for offset in [ALL - MOST / 2, ALL - 1000, ALL - 1] {
        let logs = scene.client.logs(&container.process).from(ReadFrom::Offset(offset));
        let heard = hear_from(logs, offset).await;
        assert_eq!(heard.stdout.len() as u64, ALL - offset);
        check_stretch(&heard.stdout, 72, offset);
    }
    let old = scene.client.logs(&container.process).from(ReadFrom::Offset(10));
    let heard = hear_from(old, 10).await;
    assert_eq!(heard.lost, [(10, ALL - heard.stdout.len() as u64)]);
}

async fn a_reader_that_rotation_overtakes_is_told_what_it_missed(scene: Scene) {
    let args = ["emit-late", &ALL.to_string(), "73"];
    let container = scene.running("c", &args, Stdio::kept(Keep::bounded(SEGMENT, SEGMENTS))).await;
    scene.client.logs(&container.process).wait_for("ready", 1).await.unwrap();
    let mut stream = scene.client.logs(&container.process).follow().open().await.unwrap();
    let first = stream.next().await.unwrap();
    assert!(matches!(first, Some(Piece::Bytes { offset: 0, .. })), "{first:?}");
    container.signal(Signal::USR1).await;
    assert_eq!(container.status().await, code(0));
    hear(scene.client.logs(&container.process).follow()).await;
    let ready = "ready\n".len() as u64;
    let mut next = ready;
    while let Some(piece) = stream.next().await.unwrap() {
        match piece {
            Piece::Bytes { offset, bytes, .. } => {
                assert_eq!(offset, next);
                check_stretch(&bytes, 73, offset - ready);
                next += bytes.len() as u64;
            }
            Piece::Lost { from, to } => {
                assert_eq!(from, next);
                next = to;
            }
            Piece::End { .. } => {}
        }
    }
    assert_eq!(next, ready + ALL, "every byte is there or said to be lost");
}

async fn what_is_not_bounded_is_kept_whole(scene: Scene) {
    let keep = Keep { segment: SEGMENT, ..Keep::unbounded() };
    let container = written(&scene, keep, 74).await;
    let heard = hear(scene.client.logs(&container.process).follow()).await;
    assert_eq!((heard.stdout.len() as u64, heard.lost.len()), (ALL, 0));
    check_stretch(&heard.stdout, 74, 0);
}
