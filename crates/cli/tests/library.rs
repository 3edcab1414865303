//! The library over a machine in memory: what its users are promised, without root and without a container.
//!
//! Real containers run in the workspace's own tests; here it is decided what becomes of streams, names and left-overs
//! whatever runs below.

// Tests may: an unwrap that fails is the test that fails.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use libcontainerd::core::testing::{Break, Call, Fault, MemoryHost, Program};
use libcontainerd::{
    Container, ContainerBuilder, ContainerState, Delete, DetachKeys, ErrorKind, ExitStatus, Ports, Relay, Relayed,
    Signal, Stdio, Stop, Supervisor, TerminalSize,
};

fn supervisor(host: &MemoryHost) -> Supervisor {
    Supervisor::compose(Ports {
        runtime: host.runtime().clone(),
        io: host.io().clone(),
        bundles: host.bundles().clone(),
        backend: None,
    })
}

fn probe(host: &MemoryHost, args: &[&str]) -> ContainerBuilder {
    supervisor(host).container().rootfs("/").command("/probe").args(args.iter().copied())
}

/// Waits for what a background task does, in the time that the test's clock has.
async fn until_nothing_is_left(host: &MemoryHost) {
    let empty = async {
        while !host.left_over().await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), empty).await.expect("something was left over");
}

async fn sleeping(host: &MemoryHost) -> Container {
    probe(host, &["sleep"]).name("web").spawn().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn output_is_what_was_written_and_how_it_ended_and_nothing_is_left() {
    let host = MemoryHost::new();
    host.runtime().install("/job", Program::new().prints("out").complains("err").ends(ExitStatus::Code(7)));
    let output = supervisor(&host).container().rootfs("/").command("/job").output().await.unwrap();
    assert_eq!(output.stdout, b"out");
    assert_eq!(output.stderr, b"err");
    assert_eq!(output.exit.status, ExitStatus::Code(7));
    assert!(!output.truncated);
    assert_eq!(host.left_over().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn output_beyond_the_limit_is_read_and_thrown_away() {
    let host = MemoryHost::new();
    let output = probe(&host, &["emit", "1000000", "1"]).output_limit(1000).output().await.unwrap();
    assert_eq!(output.stdout.len(), 1000);
    assert!(output.truncated);
    assert_eq!(output.exit.status, ExitStatus::Code(0));
}

#[tokio::test(start_paused = true)]
async fn input_of_any_size_comes_back_through_cat() {
    let host = MemoryHost::new();
    let input: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
    let output = probe(&host, &["cat"]).input(input.clone()).output().await.unwrap();
    assert!(output.stdout == input);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_reads_none_of_its_input_still_ends() {
    let host = MemoryHost::new();
    let output = probe(&host, &["exit", "3"]).input(vec![0; 10_000_000]).output().await.unwrap();
    assert_eq!(output.exit.status, ExitStatus::Code(3));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_output_kills_and_removes() {
    let host = MemoryHost::new();
    let waited = tokio::time::timeout(Duration::from_secs(5), probe(&host, &["ignore-term"]).output()).await;
    assert!(waited.is_err());
    until_nothing_is_left(&host).await;
}

#[tokio::test(start_paused = true)]
async fn an_output_dropped_while_its_container_is_made_leaves_nothing_either() {
    let host = MemoryHost::new();
    host.runtime().order(Fault::new(Call::Create, Break::Late(Duration::from_secs(9))));
    let waited = tokio::time::timeout(Duration::from_secs(5), probe(&host, &["sleep"]).output()).await;
    assert!(waited.is_err());
    tokio::time::sleep(Duration::from_secs(10)).await;
    until_nothing_is_left(&host).await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_create_of_a_name_that_is_taken_spares_its_owner() {
    let host = MemoryHost::new();
    let owner = sleeping(&host).await;
    let second = probe(&host, &["sleep"]).name("web");
    assert!(tokio::time::timeout(Duration::ZERO, second.output()).await.is_err());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(owner.status().await.unwrap().state, ContainerState::Running);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_is_not_there_is_127_and_leaves_nothing() {
    let host = MemoryHost::new();
    let error = supervisor(&host).container().rootfs("/").command("/no/such").spawn().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StartFailed);
    assert_eq!(error.start_failure().unwrap().exit_code(), Some(127));
    assert_eq!(host.left_over().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_was_described_wrongly_is_told_before_anything_is_made() {
    let host = MemoryHost::new();
    let wrong = [
        probe(&host, &[]).name("../x"),
        probe(&host, &[]).env("A=B", "c"),
        probe(&host, &[]).cpus(0.0),
        probe(&host, &[]).rootfs("/no/such/rootfs"),
        supervisor(&host).container().rootfs("/"),
        supervisor(&host).container().command("/probe"),
    ];
    for builder in wrong {
        let shown = format!("{builder:?}");
        assert_eq!(builder.spawn().await.unwrap_err().kind(), ErrorKind::InvalidArgument, "{shown}");
    }
    assert_eq!(host.left_over().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_container_goes_on_unless_it_was_told_otherwise() {
    let host = MemoryHost::new();
    drop(sleeping(&host).await);
    let id = "web".parse().unwrap();
    let status = supervisor(&host).client().state(&id).await.unwrap();
    assert_eq!(status.state, ContainerState::Running);
    supervisor(&host).open(&id).await.unwrap().delete(Delete::killing()).await.unwrap();

    drop(probe(&host, &["sleep"]).kill_on_drop(true).spawn().await.unwrap());
    until_nothing_is_left(&host).await;
}

#[tokio::test(start_paused = true)]
async fn a_container_is_found_by_a_beginning_of_its_name() {
    let host = MemoryHost::new();
    let (_web, _west) = (sleeping(&host).await, probe(&host, &["sleep"]).name("west").spawn().await.unwrap());
    let supervisor = supervisor(&host);
    assert_eq!(supervisor.find("web").await.unwrap().as_str(), "web");
    assert_eq!(supervisor.find("wes").await.unwrap().as_str(), "west");
    assert_eq!(supervisor.find("we").await.unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(supervisor.find("x").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(supervisor.find("../x").await.unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[tokio::test(start_paused = true)]
async fn an_exec_gives_its_output_and_its_own_exit() {
    let host = MemoryHost::new();
    let container = sleeping(&host).await;
    let output = container.exec("/probe").arg("echo").arg("hello").output().await.unwrap();
    assert_eq!(output.stdout, b"hello\n");
    let output = container.exec("/probe").args(["exit", "9"]).output().await.unwrap();
    assert_eq!(output.exit.status, ExitStatus::Code(9));
    let error = container.exec("/no/such").output().await.unwrap_err();
    assert_eq!(error.start_failure().unwrap().exit_code(), Some(127));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_exec_output_kills_the_process_and_spares_the_container() {
    let host = MemoryHost::new();
    let container = sleeping(&host).await;
    let exec = container.exec("/probe").args(["ignore-term"]).name("job");
    assert!(tokio::time::timeout(Duration::from_secs(5), exec.output()).await.is_err());
    let job = libcontainerd::ProcessRef::new(container.id().clone(), "job".parse().unwrap());
    let exit = supervisor(&host).client().wait(&job).await.unwrap();
    assert_eq!(exit.status, ExitStatus::Signal(Signal::KILL));
    assert_eq!(container.status().await.unwrap().state, ContainerState::Running);
}

#[tokio::test(start_paused = true)]
async fn stop_ends_and_delete_leaves_nothing() {
    let host = MemoryHost::new();
    let container = sleeping(&host).await;
    let refused = supervisor(&host).open(container.id()).await.unwrap().delete(Delete::default()).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::WrongState);
    container.stop(Stop::default()).await.unwrap();
    container.delete(Delete::default()).await.unwrap();
    assert_eq!(host.left_over().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn detached_streams_wait_for_whoever_attaches() {
    let host = MemoryHost::new();
    let container = probe(&host, &["cat"]).stdio(Stdio::piped()).detached().spawn().await.unwrap();
    assert!(container.init.stdout.is_none());
    let mut child = supervisor(&host).attach(container.init.process()).await.unwrap();
    let (ours, mut end) = relayed(Some(b"through\n"), None);
    assert!(matches!(child.relay(ours).await.unwrap(), Relayed::Exited(exit) if exit.status.success()));
    assert_eq!(everything(&mut end), b"through\n");
}

#[tokio::test]
async fn a_relay_has_written_everything_before_it_tells_the_exit() {
    let host = MemoryHost::new();
    let mut container = probe(&host, &["emit", "60000", "1"]).spawn().await.unwrap();
    let (ours, mut end) = relayed(None, None);
    let relayed = container.init.relay(ours).await.unwrap();
    assert!(matches!(relayed, Relayed::Exited(exit) if exit.status.success()));
    assert_eq!(everything(&mut end).len(), 60_000);
}

#[tokio::test]
async fn a_relay_tells_that_its_reader_is_gone_and_leaves_the_process_alone() {
    let host = MemoryHost::new();
    let mut container = probe(&host, &["fill"]).spawn().await.unwrap();
    let (ours, end) = relayed(None, None);
    drop(end);
    assert_eq!(container.init.relay(ours).await.unwrap(), Relayed::ReaderGone);
    assert_eq!(container.status().await.unwrap().state, ContainerState::Running);
    container.init.kill().await.unwrap();
    let exit = container.init.wait_and_discard().await.unwrap();
    assert_eq!(exit.status, ExitStatus::Signal(Signal::KILL));
}

#[tokio::test]
async fn the_detaching_keys_end_a_relay_and_not_the_process() {
    let host = MemoryHost::new();
    let terminal = Stdio::terminal(TerminalSize { columns: 80, rows: 24 });
    let mut container = probe(&host, &["sleep"]).stdio(terminal).spawn().await.unwrap();
    let (ours, _end) = relayed(Some(b"x\x10\x11"), Some(DetachKeys::default()));
    assert_eq!(container.init.relay(ours).await.unwrap(), Relayed::Detached);
    assert_eq!(container.status().await.unwrap().state, ContainerState::Running);
}

#[tokio::test(start_paused = true)]
async fn streams_that_no_call_waits_for_go_to_the_programs_backend() {
    let host = MemoryHost::new();
    let backend = libcontainerd::core::testing::RecordingBackend::new();
    let program = Supervisor::compose(Ports {
        runtime: host.runtime().clone(),
        io: host.io().clone(),
        bundles: host.bundles().clone(),
        backend: Some(backend.clone() as Arc<_>),
    });
    let container = program.container().rootfs("/").command("/probe").arg("sleep").spawn().await.unwrap();
    assert!(container.init.stdout.is_some());
    assert!(backend.take_streams(container.init.process()).is_none());

    let name = "own".parse().unwrap();
    let process = libcontainerd::core::process::NewProcess::new(["/probe", "sleep"], Stdio::output());
    program.client().add_process(container.id(), &name, process).await.unwrap();
    let own = libcontainerd::ProcessRef::new(container.id().clone(), name);
    assert!(backend.take_streams(&own).is_some());
}

/// A relay onto pipes: what is typed into it, and the end where its stdout comes out.
fn relayed(typed: Option<&[u8]>, detach: Option<DetachKeys>) -> (Relay, std::io::PipeReader) {
    let (end, stdout) = std::io::pipe().unwrap();
    let mut relay = Relay::default();
    relay.stdout = Some(OwnedFd::from(stdout));
    relay.stdin = typed.map(|bytes| {
        let (stdin, mut ours) = std::io::pipe().unwrap();
        ours.write_all(bytes).unwrap();
        OwnedFd::from(stdin)
    });
    relay.detach = detach;
    (relay, end)
}

fn everything(end: &mut std::io::PipeReader) -> Vec<u8> {
    let mut all = Vec::new();
    end.read_to_end(&mut all).unwrap();
    all
}
