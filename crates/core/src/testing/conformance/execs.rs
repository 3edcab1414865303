//! Further processes: in a running container only, each with a name, streams and an exit of its own.

use tokio::task::JoinSet;

use super::reading::{line, text};
use super::scene::{Scene, code, id, killed_by, process_id};
use super::{MISSING, NOT_EXECUTABLE, suite};
use crate::error::ErrorKind;
use crate::event::StateChange;
use crate::process::{Environment, NewProcess, User};
use crate::signal::Signal;
use crate::stdio::Stdio;

suite!(Nothing:
    an_exec_runs_beside_init_and_ends_alone,
    exits_of_execs_are_told_before_the_exit_of_init,
    fifty_execs_at_once_all_end_truly,
    an_exec_of_a_missing_program_is_127_and_leaves_nothing,
    an_exec_of_a_file_that_is_no_program_is_126_and_leaves_nothing,
    an_exec_needs_a_running_container,
    the_name_of_a_living_process_is_taken,
    the_name_of_an_ended_process_is_free,
    an_exec_takes_environment_directory_and_user_from_its_request,
    an_exec_takes_what_it_is_not_told_from_the_container,
    large_arguments_arrive_whole,
    a_killed_exec_cannot_be_signalled_again,
);

async fn an_exec_runs_beside_init_and_ends_alone(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let mut exec = scene.exec(&container, "e", &["echo", "from", "inside"], Stdio::output()).await;
    assert_eq!(text(exec.stdout()).await, "from inside\n");
    assert_eq!(exec.status().await, code(0));
    assert!(container.pid().await > 0, "the container goes on");
}

async fn exits_of_execs_are_told_before_the_exit_of_init(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    for number in 0..5 {
        scene.exec(&container, &format!("e{number}"), &["sleep"], Stdio::null()).await;
    }
    container.signal(Signal::KILL).await;
    assert_eq!(container.status().await, killed_by(Signal::KILL));
    let changes = scene.changes_to_exit(&container.id).await;
    let exits = changes.iter().filter(|change| matches!(change, StateChange::ProcessExited { .. })).count();
    assert_eq!(exits, 5, "{changes:?}");
    assert!(matches!(changes.last(), Some(StateChange::Exited { .. })), "{changes:?}");
}

async fn fifty_execs_at_once_all_end_truly(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let mut execs = JoinSet::new();
    for number in 0..50u8 {
        let (scene, id) = (scene.clone(), container.id.clone());
        execs.spawn(async move {
            let process = process_id(&format!("e{number}"));
            let new = NewProcess::new(scene.stage.probe(&["exit", &number.to_string()]), Stdio::null());
            scene.client.add_process(&id, &process, new).await.unwrap();
            let process = crate::id::ProcessRef::new(id, process);
            assert_eq!(scene.client.wait(&process).await.unwrap().status, code(number));
        });
    }
    while let Some(done) = execs.join_next().await {
        done.unwrap();
    }
}

async fn refused_exec(scene: Scene, program: &str, wanted: u8) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let new = NewProcess::new([program], Stdio::piped());
    let error = scene.try_exec_of(&container, "e", new).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StartFailed, "{error}");
    assert_eq!(error.start_failure().and_then(|failure| failure.exit_code()), Some(wanted), "{error}");
    let state = scene.client.state(&container.id).await.unwrap();
    assert!(state.process(&process_id("e")).is_none(), "{state:?}");
    assert_eq!(scene.client.pids(&container.id).await.unwrap().len(), 1);
    // Had anything of the failed one been left, the name and its streams would be taken.
    let second = scene.exec(&container, "e", &["exit", "1"], Stdio::piped()).await;
    assert_eq!(second.status().await, code(1));
}

async fn an_exec_of_a_missing_program_is_127_and_leaves_nothing(scene: Scene) {
    refused_exec(scene, MISSING, 127).await;
}

async fn an_exec_of_a_file_that_is_no_program_is_126_and_leaves_nothing(scene: Scene) {
    refused_exec(scene, NOT_EXECUTABLE, 126).await;
}

async fn an_exec_needs_a_running_container(scene: Scene) {
    let mut container = scene.created("c", &["drain", "0"], Stdio::piped()).await;
    let kind = async |name: &str| {
        let new = NewProcess::new(scene.stage.probe(&["exit", "0"]), Stdio::piped());
        let process = process_id(name);
        scene.client.add_process(&id("c"), &process, new).await.unwrap_err().kind()
    };
    assert_eq!(kind("too-early").await, ErrorKind::WrongState);
    scene.client.start(&container.id).await.unwrap();
    container.close_stdin().await;
    container.exit().await;
    assert_eq!(kind("too-late").await, ErrorKind::WrongState);
    container.delete().await;
    assert_eq!(kind("gone").await, ErrorKind::NotFound);
}

async fn the_name_of_a_living_process_is_taken(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let first = scene.exec(&container, "e", &["cat"], Stdio::piped()).await;
    for (name, kind) in [("e", ErrorKind::AlreadyExists), ("init", ErrorKind::InvalidArgument)] {
        let refused = scene.try_exec(&container, name, &["exit", "0"], Stdio::piped()).await.unwrap_err();
        assert_eq!(refused.kind(), kind, "{name}");
    }
    first.signal(Signal::KILL).await;
    assert_eq!(first.status().await, killed_by(Signal::KILL), "the first one was not harmed before");
}

async fn the_name_of_an_ended_process_is_free(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    for round in 0..5u8 {
        let mut exec = scene.exec(&container, "e", &["echo", &round.to_string()], Stdio::output()).await;
        assert_eq!(line(exec.stdout()).await, round.to_string());
        assert_eq!(exec.status().await, code(0));
    }
}

async fn an_exec_takes_environment_directory_and_user_from_its_request(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let said = async |name: &str, args: &[&str]| {
        let mut new = NewProcess::new(scene.stage.probe(args), Stdio::output());
        new.extra_env = Environment(vec!["STAGE=changed".into(), "MORE=yes".into()]);
        new.cwd = Some("/etc".into());
        new.user = Some(User::Ids { uid: 1234, gid: 567, groups: vec![8, 9] });
        let mut exec = scene.try_exec_of(&container, name, new).await.unwrap();
        text(exec.stdout()).await
    };
    assert_eq!(said("e1", &["env", "STAGE"]).await, "changed\n");
    assert_eq!(said("e2", &["env", "MORE"]).await, "yes\n");
    assert_eq!(said("e3", &["cwd"]).await, "/etc\n");
    assert_eq!(said("e4", &["whoami"]).await, "1234 567 8,9\n");
}

async fn an_exec_takes_what_it_is_not_told_from_the_container(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let mut env = scene.exec(&container, "e1", &["env", "STAGE"], Stdio::output()).await;
    assert_eq!(text(env.stdout()).await, "set\n");
    let mut cwd = scene.exec(&container, "e2", &["cwd"], Stdio::output()).await;
    assert_eq!(text(cwd.stdout()).await, "/\n");
}

async fn large_arguments_arrive_whole(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let large = "x".repeat(100_000);
    let mut exec = scene.exec(&container, "e", &["args-length", &large, &large], Stdio::output()).await;
    assert_eq!(text(exec.stdout()).await, "200000\n");
}

async fn a_killed_exec_cannot_be_signalled_again(scene: Scene) {
    let container = scene.running("c", &["sleep"], Stdio::null()).await;
    let exec = scene.exec(&container, "e", &["sleep"], Stdio::null()).await;
    exec.signal(Signal::KILL).await;
    assert_eq!(exec.status().await, killed_by(Signal::KILL));
    let refused = scene.client.signal_process(&exec.process, Signal::KILL).await.unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::WrongState | ErrorKind::NotFound), "{refused}");
}
