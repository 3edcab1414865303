//! Followers: any number of readers of kept output, from anywhere, none of which holds up anybody.

use std::time::Duration;

use super::reading::{check_pattern, check_stretch, hear, hear_from, hear_some};
use super::scene::{Live, Scene, code, killed_by};
use super::suite;
use crate::ports::process_io::{OutputKind, Piece, ReadFrom};
use crate::signal::Signal;
use crate::stdio::{Keep, Stdio};

const READY: &str = "ready\n";
const SOME: u64 = 1 << 20;
const MUCH: usize = 8 << 20;

suite!(KeptOutput:
    many_readers_from_different_offsets_read_the_same,
    a_reader_that_never_reads_holds_up_nobody,
    a_follower_that_is_there_before_the_start_hears_everything,
    a_read_that_does_not_follow_ends_with_what_is_there,
    a_follower_from_now_on_hears_what_comes,
    a_read_from_a_time_begins_with_what_was_kept_then,
    the_last_lines_are_found,
    one_output_is_read_without_the_other,
    any_number_attach_to_kept_output_and_take_nothing_from_each_other,
    an_offset_that_is_not_written_yet_is_waited_for,
    who_goes_in_the_middle_continues_from_its_offset,
);

/// A container that has said that it is ready, and then says `bytes` bytes when it is told to.
async fn ready(scene: &Scene, bytes: u64, seed: u64) -> Live {
    let args = ["emit-late", &bytes.to_string(), &seed.to_string()];
    let container = scene.running("c", &args, Stdio::kept(Keep::unbounded())).await;
    scene.client.logs(&container.process).wait_for("ready", 1).await.unwrap();
    container
}

async fn many_readers_from_different_offsets_read_the_same(scene: Scene) {
    let container = ready(&scene, SOME, 61).await;
    let mut readers = tokio::task::JoinSet::new();
    for number in 0..8u64 {
        let (scene, process) = (scene.another(), container.process.clone());
        readers.spawn(async move {
            let offset = READY.len() as u64 + number * 100_003;
            let logs = scene.client.logs(&process).from(ReadFrom::Offset(offset)).follow();
            let heard = hear_from(logs, offset).await;
            check_stretch(&heard.stdout, 61, number * 100_003);
            assert_eq!(heard.offset, READY.len() as u64 + SOME);
        });
    }
    container.signal(Signal::USR1).await;
    while let Some(reader) = readers.join_next().await {
        reader.unwrap();
    }
    assert_eq!(container.status().await, code(0));
}

async fn a_reader_that_never_reads_holds_up_nobody(scene: Scene) {
    let container = scene.running("c", &["fill"], Stdio::kept(Keep::bounded(1 << 20, 4))).await;
    let asleep = scene.client.logs(&container.process).follow().open().await.unwrap();
    let mut awake = scene.another().client.logs(&container.process).follow().open().await.unwrap();
    let mut read = 0;
    while read < MUCH {
        match awake.next().await.unwrap().expect("it writes for ever") {
            Piece::Bytes { bytes, .. } => read += bytes.len(),
            Piece::Lost { from, to } => read += (to - from) as usize,
            other => panic!("{other:?}"),
        }
    }
    let exec = scene.exec(&container, "e", &["exit", "1"], Stdio::null()).await;
    assert_eq!(exec.status().await, code(1));
    container.signal(Signal::KILL).await;
    assert_eq!(container.status().await, killed_by(Signal::KILL));
    container.delete().await;
    drop(asleep);
}

async fn a_follower_that_is_there_before_the_start_hears_everything(scene: Scene) {
    let stdio = Stdio::kept(Keep::unbounded());
    let container = scene.created("c", &["emit", &SOME.to_string(), "62"], stdio).await;
    let follower = tokio::spawn(hear(scene.client.logs(&container.process).follow()));
    scene.client.start(&container.id).await.unwrap();
    let heard = follower.await.unwrap();
    assert_eq!(heard.offset, SOME);
    check_stretch(&heard.stdout, 62, 0);
}

async fn a_read_that_does_not_follow_ends_with_what_is_there(scene: Scene) {
    let container = ready(&scene, 1, 1).await;
    let heard = hear(scene.client.logs(&container.process)).await;
    assert_eq!((heard.text().as_str(), heard.ends.len()), (READY, 0));
    assert!(container.pid().await > 0, "it goes on");
}

async fn a_follower_from_now_on_hears_what_comes(scene: Scene) {
    let container = ready(&scene, SOME, 63).await;
    let mut streams = scene.client.attach(&container.process).await.unwrap();
    container.signal(Signal::USR1).await;
    check_pattern(streams.stdout.as_deref_mut().unwrap(), 63, SOME).await;
}

async fn a_read_from_a_time_begins_with_what_was_kept_then(scene: Scene) {
    let container = ready(&scene, 1000, 64).await;
    let mut stream = scene.client.logs(&container.process).open().await.unwrap();
    let Some(Piece::Bytes { at, .. }) = stream.next().await.unwrap() else { panic!("it has said something") };
    // What is kept later is told apart by its time.
    tokio::time::sleep(Duration::from_millis(50)).await;
    container.signal(Signal::USR1).await;
    container.exit().await;
    let later = ReadFrom::Time(at + Duration::from_millis(10));
    let heard = hear_some(scene.client.logs(&container.process).follow().from(later)).await;
    assert_eq!(heard.stdout.len(), 1000);
    check_stretch(&heard.stdout, 64, 0);
    let whole = hear(scene.client.logs(&container.process).from(ReadFrom::Time(at))).await;
    assert_eq!(whole.stdout.len(), READY.len() + 1000);
}

async fn the_last_lines_are_found(scene: Scene) {
    let container = scene.running("c", &["lines", "1000"], Stdio::kept(Keep::unbounded())).await;
    hear(scene.client.logs(&container.process).follow()).await;
    let last = async |count| {
        let logs = scene.client.logs(&container.process).from(ReadFrom::Lines(count));
        hear_some(logs).await.text()
    };
    assert_eq!(last(3).await, "line 998\nline 999\nline 1000\n");
    assert_eq!(last(1).await, "line 1000\n");
    assert_eq!(last(0).await, "");
    assert_eq!(last(2000).await.lines().count(), 1000);
}

async fn one_output_is_read_without_the_other(scene: Scene) {
    let args = ["emit", &SOME.to_string(), "65", "both"];
    let container = scene.running("c", &args, Stdio::kept(Keep::unbounded())).await;
    for (kind, seed) in [(OutputKind::Stdout, 65), (OutputKind::Stderr, 66)] {
        let heard = hear_some(scene.client.logs(&container.process).only(kind).follow()).await;
        let (its, other) = match kind {
            OutputKind::Stdout => (&heard.stdout, &heard.stderr),
            OutputKind::Stderr => (&heard.stderr, &heard.stdout),
        };
        assert_eq!((its.len() as u64, other.len()), (SOME, 0));
        check_stretch(its, seed, 0);
        assert!(heard.ends.iter().all(|(of, _)| *of == kind), "{:?}", heard.ends);
        assert!(heard.ended(kind).is_some());
    }
}

async fn any_number_attach_to_kept_output_and_take_nothing_from_each_other(scene: Scene) {
    let container = ready(&scene, SOME, 67).await;
    let other = scene.another();
    let from = ReadFrom::Offset(READY.len() as u64);
    let mut one = scene.client.attach_from(&container.process, from).await.unwrap();
    let mut two = other.client.attach_from(&container.process, from).await.unwrap();
    container.signal(Signal::USR1).await;
    let (one, two) = (one.stdout.as_deref_mut().unwrap(), two.stdout.as_deref_mut().unwrap());
    tokio::join!(check_pattern(one, 67, SOME), check_pattern(two, 67, SOME));
}

async fn an_offset_that_is_not_written_yet_is_waited_for(scene: Scene) {
    let container = ready(&scene, SOME, 68).await;
    let offset = READY.len() as u64 + SOME - 10;
    let logs = scene.client.logs(&container.process).from(ReadFrom::Offset(offset)).follow();
    let reader = tokio::spawn(hear_from(logs, offset));
    container.signal(Signal::USR1).await;
    let heard = reader.await.unwrap();
    assert_eq!(heard.stdout.len(), 10);
    check_stretch(&heard.stdout, 68, SOME - 10);
}

async fn who_goes_in_the_middle_continues_from_its_offset(scene: Scene) {
    let container = ready(&scene, SOME, 69).await;
    container.signal(Signal::USR1).await;
    let (mut offset, mut found) = (READY.len() as u64, Vec::new());
    while found.len() as u64 != SOME {
        let logs = scene.another().client.logs(&container.process).from(ReadFrom::Offset(offset)).follow();
        let mut stream = logs.open().await.unwrap();
        // A few pieces a reader.
        for _ in 0..3 {
            if let Some(Piece::Bytes { offset: at, bytes, .. }) = stream.next().await.unwrap() {
                assert_eq!(at, offset);
                offset += bytes.len() as u64;
                found.extend_from_slice(&bytes);
            }
        }
    }
    check_stretch(&found, 69, 0);
}
