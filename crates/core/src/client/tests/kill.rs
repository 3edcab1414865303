//! Stop: the signal, the grace to the millisecond, and KILL for everyone.

use std::time::Duration;

use super::rig::{Rig, exit, killed, name};
use crate::client::Stop;
use crate::error::ErrorKind;
use crate::signal::Signal;
use crate::status::ProcessState;

#[tokio::test(start_paused = true)]
async fn who_ends_within_the_grace_is_not_killed() {
    let rig = Rig::running().await;
    rig.world.at("signal", |world| world.exit("web", "init", 0));
    let how = Stop::new(Signal::INT, Duration::from_secs(3));
    assert_eq!(rig.client.stop(&name("web"), how).await.unwrap(), exit(0));
    assert_eq!(rig.world.calls("signal"), ["signal one web/init SIGINT"]);
}

#[tokio::test(start_paused = true)]
async fn who_ignores_the_signal_is_killed_at_exactly_the_end_of_the_grace() {
    for grace in [0, 1, 250, 10_000] {
        let rig = Rig::running().await;
        let grace = Duration::from_millis(grace);
        let before = tokio::time::Instant::now();
        let exit = rig.client.stop(&name("web"), Stop::new(Signal::TERM, grace)).await.unwrap();
        assert_eq!(exit, killed());
        assert_eq!(before.elapsed(), grace);
        assert_eq!(rig.world.calls("signal"), ["signal one web/init SIGTERM", "signal everyone web/init SIGKILL"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_hangs_on_the_signal_does_not_prolong_the_grace() {
    let rig = Rig::running().await;
    let gate = rig.world.hang("signal");
    let id = name("web");
    let before = tokio::time::Instant::now();
    let (stopped, ()) = tokio::join!(rig.client.stop(&id, Stop::default()), async {
        while rig.world.calls("signal everyone").is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(before.elapsed().as_secs(), 10);
        gate.add_permits(1);
    });
    assert_eq!(stopped.unwrap(), killed());
}

#[tokio::test(start_paused = true)]
async fn who_has_ended_meanwhile_is_no_error_and_who_has_stopped_answers_with_its_exit() {
    let rig = Rig::running().await;
    rig.world.fail("signal", ErrorKind::WrongState);
    rig.world.set("web", "init", ProcessState::Exited(exit(9)));
    assert_eq!(rig.client.stop(&name("web"), Stop::default()).await.unwrap(), exit(9));
    let signals = rig.world.calls("signal").len();
    assert_eq!(rig.client.stop(&name("web"), Stop::default()).await.unwrap(), exit(9));
    assert_eq!(rig.world.calls("signal").len(), signals, "the dead are not signalled");
    assert_eq!(rig.client.stop(&name("nowhere"), Stop::default()).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn who_survives_a_kill_is_told_after_ten_seconds() {
    let rig = Rig::running().await;
    rig.world.fail("signal", ErrorKind::NotFound);
    let before = tokio::time::Instant::now();
    let error = rig.client.stop(&name("web"), Stop::new(Signal::TERM, Duration::from_secs(1))).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::DeadlineExceeded, "stop"));
    assert_eq!(before.elapsed().as_secs(), 11);
}

#[tokio::test(start_paused = true)]
async fn who_is_dead_is_not_called_a_survivor_because_the_exit_of_an_exec_was_lost() {
    let rig = Rig::running().await;
    rig.exec("e1").await.unwrap();
    rig.world.fail("signal", ErrorKind::WrongState);
    rig.world.at("signal", |world| {
        if world.calls("signal everyone").len() == 1 {
            world.exit("web", "init", 137);
        }
    });
    let stopped = rig.client.stop(&name("web"), Stop::new(Signal::TERM, Duration::ZERO)).await.unwrap();
    assert_eq!(stopped, exit(137));
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_is_dropped_in_its_grace_kills_nobody() {
    let rig = Rig::running().await;
    let id = name("web");
    let stop = rig.client.stop(&id, Stop::default());
    assert!(tokio::time::timeout(Duration::from_secs(5), stop).await.is_err());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(rig.world.calls("signal"), ["signal one web/init SIGTERM"]);
}
