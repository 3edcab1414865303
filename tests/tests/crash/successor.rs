//! The next client: it finds a container in whatever state a killed one has left it, and brings its life to an end.
//!
//! What both have read, one after the other, must be what the container says it wrote, and the exit what it says.

use libcontainerd::core::status::How;
use libcontainerd::{Child, ContainerState, Delete, ErrorKind, Exit, ExitStatus, ProcessId, ProcessRef, Supervisor};
use tokio::io::AsyncReadExt;

use crate::life::Life;
use crate::process::NOT_HANGING;
use crate::scene::{Scene, id, init};

/// What is to be expected of how an exit is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// As if nobody had been killed.
    Waited,
    /// Both of its supervisors may have been killed while it lived: found out afterwards, but not wrong.
    Inferred,
}

/// Goes on where a killed client was, which had read `before`, until the container has ended; then removes it.
///
/// Says whether there was a container.
pub(crate) async fn carry_on(scene: &Scene, life: &mut Life, before: Vec<u8>, known: Known) -> bool {
    let next = scene.client();
    let found = tokio::time::timeout(NOT_HANGING, scene.looked_up(&next, life.name())).await;
    let is_there = found.expect("looking does not hang").is_some();
    if is_there {
        let (after, exit) = rest_of(&next, life).await;
        judge(life, &[before, after].concat(), &exit, known);
    }
    scene.remove(life.name()).await;
    assert_eq!(scene.left_over(), Vec::<String>::new(), "of {}", life.name());
    is_there
}

/// Starts a container if nobody has, lets its program go to its end, and gives what was still to be read.
pub(crate) async fn rest_of(next: &Supervisor, life: &mut Life) -> (Vec<u8>, Exit) {
    let process = init(life.name());
    let mut child = next.attach(&process).await.unwrap_or_else(|error| panic!("{}: {error:?}", life.name()));
    let state = next.client().open(&process.container).await.unwrap().state;
    assert_ne!(state, ContainerState::Creating, "{}: nobody is told of what is not made yet", life.name());
    if state == ContainerState::Created
        && let Err(error) = next.client().start(&process.container).await
    {
        // What the killed client asked for last may come to pass after all.
        assert_eq!(error.kind(), ErrorKind::WrongState, "{}: {error:?}", life.name());
    }
    life.go_to_its_end().await;
    to_its_end(&mut child).await
}

/// Reads a process's output to its end, and waits for its exit.
pub(crate) async fn to_its_end(child: &mut Child) -> (Vec<u8>, Exit) {
    let mut stdout = child.stdout.take().expect("its output is placed here");
    let mut rest = Vec::new();
    let all = async {
        stdout.read_to_end(&mut rest).await.unwrap();
        child.wait().await.unwrap_or_else(|error| panic!("{:?}: {error:?}", child.process()))
    };
    let exit = tokio::time::timeout(NOT_HANGING, all).await;
    let exit = exit.unwrap_or_else(|_| panic!("{:?} hangs after {} bytes", child.process(), rest.len()));
    (rest, exit)
}

/// The exit of a process, which must be known at once or come without hanging.
pub(crate) async fn exit_of(next: &Supervisor, container: &str, process: &ProcessId) -> Exit {
    let process = ProcessRef::new(id(container), process.clone());
    let exit = tokio::time::timeout(NOT_HANGING, next.client().wait(&process)).await;
    exit.expect("waiting does not hang").unwrap_or_else(|error| panic!("{process:?}: {error:?}"))
}

/// Compares what was read, and the exit that was told, with what the program wrote down.
#[track_caller]
pub(crate) fn judge(life: &Life, read: &[u8], exit: &Exit, known: Known) {
    let name = life.name();
    let wrote = life.wrote().unwrap_or_else(|| panic!("{name} has not run, and yet it is told: {exit:?}"));
    same_bytes(name, read, &wrote);
    assert_eq!(exit.status, ExitStatus::Code(life.code()), "{name}: {exit:?}");
    let fits = exit.how == How::Waited || (known == Known::Inferred && matches!(exit.how, How::Inferred(_)));
    assert!(fits, "{name}: {exit:?}");
    assert!(exit.durable, "{name}: {exit:?}");
}

/// Says where two streams differ, not what is in them.
#[track_caller]
pub(crate) fn same_bytes(name: &str, read: &[u8], wrote: &[u8]) {
    let differs = read.iter().zip(wrote).position(|(a, b)| a != b);
    let (read, wrote) = (read.len(), wrote.len());
    assert!(
        differs.is_none() && read == wrote,
        "{name}: of {wrote} bytes {read} were read, different from {differs:?}"
    );
}

/// Removes a container by a client of this process, as programs do.
pub(crate) async fn removed(next: &Supervisor, name: &str) {
    next.client().delete(&id(name), Delete::killing()).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
}
