//! Many clients of one machine: races that somebody wins, and clients that go while containers stay.

use super::reading::{check_pattern, until_line};
use super::scene::{Scene, code, id, killed_by};
use super::suite;
use crate::client::{Delete, Stop};
use crate::error::ErrorKind;
use crate::event::StateChange;
use crate::id::ProcessRef;
use crate::process::NewProcess;
use crate::signal::Signal;
use crate::status::ContainerState;
use crate::stdio::Stdio;

const ROUNDS: u32 = 5;
const FITS: u64 = 48 << 10;

suite!(OutlivesClient:
    one_of_two_that_create_a_name_at_once_wins,
    stop_and_delete_at_once_leave_nothing,
    exec_and_stop_at_once_hang_nobody,
    two_that_delete_at_once_leave_nothing,
    a_container_outlives_its_client_and_is_read_by_the_next,
    an_exit_while_no_client_lived_is_told_to_the_next,
    looking_takes_no_stream_from_its_reader,
    a_delete_elsewhere_answers_who_waits,
);

async fn one_of_two_that_create_a_name_at_once_wins(scene: Scene) {
    let other = scene.another();
    for round in 0..ROUNDS {
        let name = format!("c{round}");
        let (one, two) = tokio::join!(
            scene.try_create(&name, &["exit", "0"], Stdio::piped()),
            other.try_create(&name, &["exit", "0"], Stdio::piped()),
        );
        let (winner, loser) = match (one, two) {
            (Ok(winner), Err(loser)) | (Err(loser), Ok(winner)) => (winner, loser),
            (one, two) => panic!("one wins and one loses, not {one:?} and {two:?}"),
        };
        assert_eq!(loser.kind(), ErrorKind::AlreadyExists, "{loser}");
        winner.client.start(&winner.id).await.unwrap();
        assert_eq!(winner.status().await, code(0), "the loser has not harmed the winner");
        winner.delete().await;
    }
}

async fn stop_and_delete_at_once_leave_nothing(scene: Scene) {
    let other = scene.another();
    for round in 0..ROUNDS {
        let container = scene.running(&format!("c{round}"), &["on-term", "bye", "0"], Stdio::piped()).await;
        let how = Stop::new(Signal::TERM, std::time::Duration::from_millis(200));
        let (stopped, deleted) =
            tokio::join!(scene.client.stop(&container.id, how), other.client.delete(&container.id, Delete::killing()),);
        deleted.unwrap();
        if let Err(error) = stopped {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        }
        drop(container);
        scene.is_empty().await;
    }
}

async fn exec_and_stop_at_once_hang_nobody(scene: Scene) {
    let other = scene.another();
    for round in 0..ROUNDS {
        let container = scene.running(&format!("c{round}"), &["sleep"], Stdio::null()).await;
        let process = super::scene::process_id("e");
        let new = NewProcess::new(scene.stage.probe(&["sleep"]), Stdio::piped());
        let how = Stop::new(Signal::KILL, std::time::Duration::from_secs(60));
        let (started, stopped) = tokio::join!(
            scene.client.add_process(&container.id, &process, new),
            other.client.stop(&container.id, how),
        );
        assert_eq!(stopped.unwrap().status, killed_by(Signal::KILL));
        match started {
            Ok(_) => {
                let exec = ProcessRef::new(container.id.clone(), process);
                assert_eq!(scene.client.wait(&exec).await.unwrap().status, killed_by(Signal::KILL));
            }
            Err(error) => {
                let kind = error.kind();
                assert!(matches!(kind, ErrorKind::WrongState | ErrorKind::StartFailed), "{error}");
            }
        }
        container.delete().await;
    }
}

async fn two_that_delete_at_once_leave_nothing(scene: Scene) {
    let other = scene.another();
    for round in 0..ROUNDS {
        let container = scene.running(&format!("c{round}"), &["sleep"], Stdio::piped()).await;
        let (one, two) = tokio::join!(
            scene.client.delete(&container.id, Delete::killing()),
            other.client.delete(&container.id, Delete::killing()),
        );
        assert!(one.is_ok() || two.is_ok(), "{one:?} {two:?}");
        for error in [one, two].into_iter().filter_map(Result::err) {
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        }
        drop(container);
        scene.is_empty().await;
    }
}

async fn a_container_outlives_its_client_and_is_read_by_the_next(scene: Scene) {
    let first = scene.another();
    let mut container = first.running("c", &["emit-late", &FITS.to_string(), "31"], Stdio::output()).await;
    until_line(container.stdout(), "ready").await;
    let process = container.process.clone();
    drop((container, first));
    let status = scene.client.open(&process.container).await.unwrap();
    assert_eq!(status.state, ContainerState::Running);
    let mut again = scene.attached(&process).await;
    again.signal(Signal::USR1).await;
    check_pattern(again.stdout(), 31, FITS).await;
    assert_eq!(again.status().await, code(0));
    let told = scene.changes_to_exit(&process.container).await;
    assert!(matches!(told.last(), Some(StateChange::Exited { .. })), "{told:?}");
}

async fn an_exit_while_no_client_lived_is_told_to_the_next(scene: Scene) {
    let first = scene.another();
    let mut container = first.running("c", &["emit-late", &FITS.to_string(), "32"], Stdio::output()).await;
    until_line(container.stdout(), "ready").await;
    let (process, pid) = (container.process.clone(), container.pid().await);
    drop((container, first));
    scene.stage.kill_outside(pid);
    let next = scene.another();
    next.client.open(&process.container).await.unwrap();
    assert_eq!(next.client.wait(&process).await.unwrap().status, killed_by(Signal::KILL));
    assert_eq!(next.client.state(&process.container).await.unwrap().state, ContainerState::Stopped);
}

async fn looking_takes_no_stream_from_its_reader(scene: Scene) {
    let mut container = scene.running("c", &["cat"], Stdio::piped()).await;
    let other = scene.another();
    other.client.open(&container.id).await.unwrap();
    other.client.state(&container.id).await.unwrap();
    other.client.list().await.unwrap();
    tokio::io::AsyncWriteExt::write_all(container.stdin(), b"still mine\n").await.unwrap();
    assert_eq!(super::reading::line(container.stdout()).await, "still mine");
}

async fn a_delete_elsewhere_answers_who_waits(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let other = scene.another();
    let (client, process) = (other.client.clone(), container.process.clone());
    other.client.open(&id("c")).await.unwrap();
    let waiter = tokio::spawn(async move { client.wait(&process).await });
    scene.client.delete(&container.id, Delete::killing()).await.unwrap();
    match waiter.await.unwrap() {
        Ok(exit) => assert_eq!(exit.status, killed_by(Signal::KILL)),
        Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
    }
}
