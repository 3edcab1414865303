//! Promises of `recover`, on containers of which only the directory, the journal and perhaps a process are left.
//! What takes a real container to leave behind is in the tests of whole monitors.

use std::process::{Child, Command, Stdio};

use libcontainerd_core::Instance;
use libcontainerd_core::rootfs::Rootfs;
use libcontainerd_core::stdio::Endpoints;
use libcontainerd_durable::write_new;
use tempfile::TempDir;

use super::*;
use crate::record::{Bounds, Descriptors, Lifetime, Process};

/// A container's directory and journal, as a monitor and a witness that both died have left it.
struct Orphan {
    root: TempDir,
    state: Dir,
    id: ContainerId,
}

impl Orphan {
    fn with(facts: Vec<Fact>) -> Orphan {
        let root = TempDir::new().unwrap();
        let state = Dir::open_root(&root.path().join("state"), 0o700).unwrap();
        let run = state.ensure(layout::RUN, 0o700).unwrap().ensure("c", 0o700).unwrap();
        write_new(&run, layout::SPEC, 0o600, None, b"{}", false).unwrap();
        let creating = Creating {
            id: "c".parse().unwrap(),
            instance: Instance::from_bits(u128::from(std::process::id())),
            bundle: root.path().to_owned(),
            rootfs: Rootfs::Directory("/".into()),
            boot: identity::boot().unwrap(),
            cgroup_parent: "/lctr-recover-test".into(),
            cgroup_name: "none".into(),
            user: None,
            lifetime: Lifetime::default(),
        };
        let mut journal = ContainerJournal::create(&state, &run, creating).unwrap();
        facts.into_iter().for_each(|fact| journal.record(fact));
        journal.flush(None);
        Orphan { root, state, id: "c".parse().unwrap() }
    }

    fn settle(&self) -> Settled {
        settle(&self.state, &self.root.path().join("data"), &self.id).unwrap()
    }

    fn history(&self) -> History {
        let run = open_run(&self.state, &self.id).unwrap().unwrap();
        ContainerJournal::take_over(&self.state, &run, None).unwrap().history().clone()
    }

    fn is_there(&self) -> bool {
        open_run(&self.state, &self.id).unwrap().is_some()
    }
}

fn process(id: &str, number: u64, pid: u32, start_time: u64) -> Process {
    Process {
        id: id.parse().unwrap(),
        number,
        pid,
        start_time,
        stream_owner: 0,
        args: vec!["sleep".into()],
        endpoints: Endpoints::default(),
        descriptors: Descriptors::default(),
        bounds: Bounds::default(),
    }
}

fn sleeper() -> (Child, u64) {
    let child = Command::new("sleep").arg("1000").stdout(Stdio::null()).spawn().unwrap();
    let start_time = identity::stat(child.id()).unwrap().start_time;
    (child, start_time)
}

fn started(init: Process) -> Vec<Fact> {
    vec![Fact::Created(init), Fact::Started { run: Run::FIRST }]
}

#[test]
fn a_container_whose_init_is_gone_is_settled_as_unknown_and_its_execs_with_it() {
    let mut facts = started(process("init", 0, 1, u64::MAX));
    facts.push(Fact::ExecCreated(process("e", 1, 1, u64::MAX)));
    facts.push(Fact::ExecStarted { process: "e".parse().unwrap() });
    facts.push(Fact::ExecCreated(process("pending", 2, 1, u64::MAX)));
    let orphan = Orphan::with(facts);
    assert_eq!(orphan.settle(), Settled::Stopped);
    let history = orphan.history();
    let exit = |id: &str| history.process(&id.parse().unwrap()).unwrap().exit.clone().unwrap();
    assert_eq!((exit("init").status, exit("init").how), (ExitStatus::Unknown, How::Unknown));
    assert_eq!(exit("e").how, How::Inferred(Evidence::ContainerGone));
    assert!(history.process(&"pending".parse().unwrap()).is_none());
    assert!(history.cleaned && history.stopped());
    // Settling again changes nothing.
    assert_eq!(orphan.settle(), Settled::Stopped);
    assert_eq!(orphan.history(), history);
}

#[test]
fn a_container_that_runs_is_left_to_be_adopted() {
    let (mut child, start_time) = sleeper();
    let orphan = Orphan::with(started(process("init", 0, child.id(), start_time)));
    let before = orphan.history();
    assert_eq!(orphan.settle(), Settled::Adopt);
    assert_eq!(orphan.history(), before);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(orphan.settle(), Settled::Stopped);
}

#[test]
fn what_a_zombie_still_tells_is_told_as_inferred() {
    let (mut child, start_time) = sleeper();
    let orphan = Orphan::with(started(process("init", 0, child.id(), start_time)));
    child.kill().unwrap();
    while !identity::stat(child.id()).unwrap().zombie {
        std::thread::yield_now();
    }
    assert_eq!(orphan.settle(), Settled::Stopped);
    let exit = orphan.history().init().unwrap().exit.clone().unwrap();
    assert_eq!(exit.status, ExitStatus::Signal(libcontainerd_core::Signal::KILL));
    assert_eq!(exit.how, How::Inferred(Evidence::ProcessDescriptor));
    child.wait().unwrap();
}

#[test]
fn c31_a_stranger_who_has_the_pid_of_a_dead_init_is_left_in_peace() {
    let (mut stranger, start_time) = sleeper();
    let orphan = Orphan::with(started(process("init", 0, stranger.id(), start_time - 1)));
    assert_eq!(orphan.settle(), Settled::Stopped);
    assert!(stranger.try_wait().unwrap().is_none());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn a_container_that_was_never_made_is_removed() {
    let orphan = Orphan::with(Vec::new());
    assert_eq!(orphan.settle(), Settled::Removed);
    assert!(!orphan.is_there());
    assert_eq!(orphan.settle(), Settled::Removed);
}

#[test]
fn a_container_that_is_deleted_is_removed_to_the_end() {
    let mut facts = started(process("init", 0, 1, u64::MAX));
    facts.push(Fact::Deleted);
    let orphan = Orphan::with(facts);
    assert_eq!(orphan.settle(), Settled::Removed);
    assert!(!orphan.is_there());
}

#[test]
fn a_settled_container_can_be_removed_and_that_is_told() {
    let orphan = Orphan::with(started(process("init", 0, 1, u64::MAX)));
    assert_eq!(orphan.settle(), Settled::Stopped);
    remove(&orphan.state, &orphan.root.path().join("data"), &orphan.id).unwrap();
    assert!(!orphan.is_there());
    let events = orphan.state.open(layout::EVENTS).unwrap();
    let mut reader = libcontainerd_durable::log::Reader::open(&events, None).unwrap();
    let told = reader.next_batch().unwrap().records;
    assert!(told.last().unwrap().ends_with(br#""kind":"deleted"}"#), "{:?}", told.last());
}

#[test]
fn output_that_was_kept_for_a_container_that_is_gone_is_said_to_be_broken_off() {
    use libcontainerd_core::stdio::{Endpoint, Keep, Log, Stdio as Streams};
    use libcontainerd_stream::log::{Channel, Next, Piece, Read, Reader, Why};
    let output = TempDir::new().unwrap();
    let kept = |process: &str| {
        let log = Log::new(output.path().join(process), Keep::default());
        std::fs::create_dir(&log.directory).unwrap();
        let endpoint = |stream: &str| Endpoint::Kept(output.path().join(format!("{process}-{stream}")));
        let stdio = Streams::kept(Keep::default());
        let endpoints = Endpoints::new(Endpoint::Null, endpoint("stdout"), endpoint("stderr"), &stdio);
        let mut writer = output_log::open(&log, &[Channel::Stdout, Channel::Stderr]).unwrap();
        // Its stderr had come to its end.
        writer.end(Channel::Stderr, Why::Closed).unwrap();
        endpoints.kept_in(Some(log))
    };
    let (init, exec) = (kept("init"), kept("e"));
    let mut facts = started(Process { endpoints: init, ..process("init", 0, 1, u64::MAX) });
    facts.push(Fact::ExecCreated(Process { endpoints: exec, ..process("e", 1, 1, u64::MAX) }));
    assert_eq!(Orphan::with(facts).settle(), Settled::Stopped);
    for process in ["init", "e"] {
        let log = std::fs::File::open(output.path().join(process)).unwrap();
        let mut reader = Reader::open(log.into(), Read { follow: true, ..Read::default() }).unwrap();
        let mut ends = Vec::new();
        while let Next::Piece(piece) = reader.advance().unwrap() {
            if let Piece::End { channel, why, .. } = piece {
                ends.push((channel, why));
            }
        }
        assert_eq!(ends, [(Channel::Stderr, Why::Closed), (Channel::Stdout, Why::Broken)]);
    }
}

#[test]
fn a_torn_end_of_a_journal_is_cut_off_and_said() {
    let orphan = Orphan::with(started(process("init", 0, 1, u64::MAX)));
    let run = open_run(&orphan.state, &orphan.id).unwrap().unwrap();
    let whole = ContainerJournal::take_over(&orphan.state, &run, None).unwrap().history().clone();
    let directory = orphan.root.path().join("state").join(layout::RUN).join("c");
    let mut journal = std::fs::OpenOptions::new().append(true).open(directory.join(layout::JOURNAL)).unwrap();
    std::io::Write::write_all(&mut journal, br#"0badc0de {"torn":"#).unwrap();
    let diary = crate::diary::Diary::open(&run).unwrap();
    let taken = ContainerJournal::take_over(&orphan.state, &run, Some(&diary)).unwrap();
    assert_eq!(taken.history(), &whole);
    let said = std::fs::read_to_string(directory.join(layout::LOG)).unwrap();
    assert!(said.contains("the journal is repaired: a torn record"), "{said}");
}
