//! The memory runtime judged by the conformance suite, and its faults by what they do.

use std::time::Duration;

use super::*;
use crate::cursor::Since;
use crate::error::ErrorKind;
use crate::event::EventKind;
use crate::id::{ContainerId, Instance, ProcessRef};
use crate::ports::process_io::{IoRequest, ProcessIo};
use crate::ports::runtime::{Sweep, Swept};
use crate::status::ExitStatus;
use crate::stdio::Keep;
use crate::testing::conformance::{Case, cases};
use crate::testing::{Break, Call, EventFault, Fault, Program, RecordingBackend};

fn id() -> ContainerId {
    "c".parse().unwrap()
}

#[test]
fn every_case_of_the_conformance_suite_passes() {
    let play = |case: &Case| {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        tokio.block_on((case.run)(Arc::new(MemoryHost::new())));
    };
    let failed = cases().into_iter().filter(|case| std::panic::catch_unwind(|| play(case)).is_err());
    let names: Vec<_> = failed.map(|case| case.name).collect();
    assert!(names.is_empty(), "{names:#?}");
}

async fn run(host: &MemoryHost, program: &str) -> crate::status::Exit {
    let client = host.client(RecordingBackend::new());
    client.create(&id(), host.container(vec![program.into()], Stdio::null())).await.unwrap();
    client.start(&id()).await.unwrap();
    client.wait(&ProcessRef::init(id())).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_scripted_program_ends_when_and_how_the_script_says() {
    let host = MemoryHost::new();
    let hour = Duration::from_secs(3600);
    host.runtime().install("/job", Program::new().waits(hour).ends(ExitStatus::Code(4)));
    let before = tokio::time::Instant::now();
    assert_eq!(run(&host, "/job").await.status, ExitStatus::Code(4));
    assert_eq!(before.elapsed(), hour);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_runs_out_of_memory_says_so_in_its_exit() {
    let host = MemoryHost::new();
    host.runtime().install("/hog", Program::new().runs_out_of_memory());
    assert!(run(&host, "/hog").await.oom);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_before_its_effect_had_none_and_after_it_had_one() {
    for (how, exists) in [(Break::Before(ErrorKind::Unavailable), false), (Break::After(ErrorKind::Unavailable), true)]
    {
        let host = MemoryHost::new();
        let runtime = host.runtime();
        run(&host, "true").await;
        runtime.order(Fault::new(Call::Delete, how).on(id()));
        let request = crate::ports::runtime::DeleteRequest::new(id(), None);
        assert_eq!(runtime.delete(request).await.unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(runtime.state(&id()).await.is_err(), exists);
    }
}

#[tokio::test(start_paused = true)]
async fn disturbed_events_arrive_late_twice_swapped_and_from_strangers() {
    let host = MemoryHost::new();
    let mut source = host.runtime().events(Since::Now).await.unwrap();
    host.runtime().disturb(EventFault::Swapped);
    host.runtime().disturb(EventFault::Twice);
    host.runtime().disturb(EventFault::Late(Duration::from_secs(5)));
    let before = tokio::time::Instant::now();
    run(&host, "true").await;
    let mut kinds = Vec::new();
    for _ in 0..4 {
        kinds.push(source.next().await.unwrap().unwrap().0.kind);
    }
    assert_eq!(before.elapsed(), Duration::from_secs(5));
    assert!(matches!(kinds[0], EventKind::Started { .. }) && kinds[0] == kinds[1], "{kinds:?}");
    assert!(kinds[2] == EventKind::Created && kinds[3] == EventKind::Created, "{kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn lost_events_are_a_gap_for_followers_and_for_old_cursors() {
    let host = MemoryHost::new();
    let runtime = host.runtime();
    let mut source = runtime.events(Since::Now).await.unwrap();
    run(&host, "true").await;
    let (_, cursor) = source.next().await.unwrap().unwrap();
    runtime.disturb(EventFault::Lost);
    assert_eq!(source.next().await.unwrap_err().kind(), ErrorKind::Gap);
    assert_eq!(runtime.events(Since::Cursor(cursor)).await.unwrap_err().kind(), ErrorKind::Gap);
    assert!(runtime.events(Since::Oldest).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_client_hears_the_exit_though_its_events_come_twice_late_and_through_a_broken_stream() {
    let host = MemoryHost::new();
    host.runtime().disturb(EventFault::Twice);
    host.runtime().disturb(EventFault::Late(Duration::from_secs(1)));
    let backend = RecordingBackend::new();
    let client = host.client(backend.clone());
    client
        .create(&id(), host.container(vec!["/probe".into(), "exit".into(), "7".into()], Stdio::null()))
        .await
        .unwrap();
    host.runtime().disturb(EventFault::Broken);
    client.start(&id()).await.unwrap();
    let wanted = |change: &crate::event::StateChange| matches!(change, crate::event::StateChange::Exited { .. });
    backend.until(&id(), wanted).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(backend.changes(&id()).iter().filter(|change| wanted(change)).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_sweep_finds_what_was_left_about_and_no_output_that_is_young_or_of_the_living() {
    let host = MemoryHost::new();
    let client = host.client(RecordingBackend::new());
    host.runtime().litter(Swept::new("cgroup", "/memory/cgroup/left"));
    client.create(&id(), host.container(vec!["true".into()], Stdio::kept(Keep::default()))).await.unwrap();
    let mut request = IoRequest::new(ProcessRef::init(id()), "/memory/elsewhere".into(), Stdio::kept(Keep::default()));
    request.instance = Some(Instance::from_bits(7));
    host.io().prepare(&request).await.unwrap();
    host.io().remove(&request).await.unwrap();
    assert_eq!(client.sweep(Sweep::Find).await.unwrap().len(), 1, "the output is young");
    tokio::time::sleep(Duration::from_secs(61)).await;
    let found = client.sweep(Sweep::Remove).await.unwrap();
    let kinds: Vec<&str> = found.iter().map(|swept| swept.kind.as_str()).collect();
    assert_eq!(kinds, ["cgroup", "directory"]);
    assert!(found[1].name.contains(&Instance::from_bits(7).to_string()), "{found:?}");
    assert_eq!(client.sweep(Sweep::Remove).await.unwrap(), []);
    client.delete(&id(), crate::client::Delete::default()).await.unwrap();
    assert_eq!(host.left_over().await.unwrap(), Vec::<String>::new());
}
