//! The library's kept output, deadlines and lifetimes over a machine in memory: what its users are promised of them.
//!
//! That containers keep, end and go as promised is the conformance suite's; here it is decided what the builders and
//! handles make of it.

// Tests may: an unwrap that fails is the test that fails.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Read;
use std::os::fd::OwnedFd;
use std::time::Duration;

use libcontainerd::core::testing::MemoryHost;
use libcontainerd::{
    Container, ContainerBuilder, ErrorKind, ExitStatus, Keep, LogEntry, Ports, ReadFrom, Relay, Relayed, Supervisor,
};
use tokio::io::AsyncReadExt;

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

async fn sleeping(host: &MemoryHost) -> Container {
    probe(host, &["sleep"]).name("web").spawn().await.unwrap()
}

/// The lines of kept output, to its end.
async fn lines(logs: libcontainerd::Logs) -> Vec<String> {
    let (mut lines, mut all) = (logs.follow().open().await.unwrap().lines(), Vec::new());
    while let Some(entry) = lines.next().await.unwrap() {
        if let LogEntry::Line(line) = entry {
            all.push(String::from_utf8_lossy(&line.bytes).into_owned());
        }
    }
    all
}

#[tokio::test(start_paused = true)]
async fn kept_output_comes_to_the_handle_and_stays_to_be_read_again() {
    let host = MemoryHost::new();
    let mut container = probe(&host, &["lines", "3"]).kept(Keep::default()).spawn().await.unwrap();
    let mut stdout = String::new();
    container.init.stdout.as_mut().unwrap().read_to_string(&mut stdout).await.unwrap();
    assert_eq!(stdout, "line 1\nline 2\nline 3\n");
    container.wait().await.unwrap();
    assert_eq!(lines(container.logs()).await, ["line 1", "line 2", "line 3"]);
    assert_eq!(lines(container.logs().from(ReadFrom::Lines(1))).await, ["line 3"]);
}

#[tokio::test]
async fn a_relay_of_kept_output_has_written_everything_before_it_tells_the_exit() {
    let host = MemoryHost::new();
    let mut container = probe(&host, &["emit", "60000", "1"]).kept(Keep::default()).spawn().await.unwrap();
    let (mut end, stdout) = std::io::pipe().unwrap();
    let mut relay = Relay::default();
    relay.stdout = Some(OwnedFd::from(stdout));
    let relayed = container.init.relay(relay).await.unwrap();
    assert!(matches!(relayed, Relayed::Exited(exit) if exit.status.success()));
    let mut all = Vec::new();
    end.read_to_end(&mut all).unwrap();
    assert_eq!(all.len(), 60_000);
}

#[tokio::test(start_paused = true)]
async fn output_is_the_same_when_it_is_kept() {
    let host = MemoryHost::new();
    let output = probe(&host, &["cat"]).kept(Keep::default()).input("through").output().await.unwrap();
    assert_eq!(output.stdout, b"through");
    let container = sleeping(&host).await;
    let exec = container.exec("/probe").arg("cat").kept(Keep::default()).input("through too").output().await.unwrap();
    assert_eq!(exec.stdout, b"through too");
}

#[tokio::test(start_paused = true)]
async fn a_kept_exec_is_read_by_its_name_after_its_end() {
    let host = MemoryHost::new();
    let container = sleeping(&host).await;
    let exec = container.exec("/probe").args(["echo", "hello"]).kept(Keep::default()).detached();
    let child = exec.name("job").spawn().await.unwrap();
    assert!(child.stdout.is_none());
    assert_eq!(child.wait().await.unwrap().status, ExitStatus::Code(0));
    assert_eq!(lines(child.logs()).await, ["hello"]);
}

#[tokio::test(start_paused = true)]
async fn an_exec_whose_time_is_up_says_so_in_its_exit() {
    let host = MemoryHost::new();
    let container = sleeping(&host).await;
    let exec = container.exec("/probe").arg("ignore-term").timeout(Duration::from_secs(2));
    let output = exec.output().await.unwrap();
    assert!(output.exit.timed_out, "{output:?}");
    let output = container.exec("/probe").args(["exit", "3"]).timeout(Duration::from_secs(2)).output().await.unwrap();
    assert!(!output.exit.timed_out, "{output:?}");
}

#[tokio::test(start_paused = true)]
async fn removed_when_ended_it_leaves_its_exit_and_nothing_else() {
    let host = MemoryHost::new();
    let container = probe(&host, &["exit", "7"]).remove_when_ended().detached().spawn().await.unwrap();
    let supervisor = supervisor(&host);
    let exit = supervisor.client().wait_until(container.init.process(), libcontainerd::Until::Removed).await.unwrap();
    assert_eq!(exit.unwrap().status, ExitStatus::Code(7));
    assert_eq!(host.left_over().await.unwrap(), Vec::<String>::new());
    assert_eq!(supervisor.client().past(Some(container.id())).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_descriptor_that_the_runtime_cannot_take_is_refused_and_closed() {
    let host = MemoryHost::new();
    let (mut end, stdout) = std::io::pipe().unwrap();
    let refused = probe(&host, &["sleep"]).stdout_to(stdout).spawn().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert_eq!(end.read(&mut [0; 1]).unwrap(), 0);
    assert_eq!(host.left_over().await.unwrap(), Vec::<String>::new());
}
