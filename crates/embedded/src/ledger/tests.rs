//! Promises of the ledger.

use libcontainerd_core::rootfs::Rootfs;
use libcontainerd_core::stdio::Endpoints;
use libcontainerd_core::{Exit, ExitStatus, How, Instance, ProcessId, Run};

use super::*;
use crate::record::{Bounds, Creating, Descriptors, Entry as JournalEntry, Fact, Lifetime, Process};

fn history(id: &str, instance: u128, code: u8) -> History {
    let creating = Creating {
        id: id.parse().unwrap(),
        instance: Instance::from_bits(instance),
        bundle: "/b".into(),
        rootfs: Rootfs::Directory("/".into()),
        boot: "boot".into(),
        cgroup_parent: "/p".into(),
        cgroup_name: "n".into(),
        user: None,
        lifetime: Lifetime::default(),
    };
    let init = Process {
        id: ProcessId::init(),
        number: 0,
        pid: 10,
        start_time: 1,
        stream_owner: 0,
        args: vec!["sh".into(), "-c".into()],
        endpoints: Endpoints::default(),
        descriptors: Descriptors::default(),
        bounds: Bounds::default(),
    };
    let exit = Exit::new(ExitStatus::Code(code), How::Waited, SystemTime::UNIX_EPOCH);
    let facts = [
        Fact::Creating(Box::new(creating)),
        Fact::Created(init),
        Fact::Started { run: Run::FIRST },
        Fact::Exited { process: ProcessId::init(), exit },
    ];
    let entries = facts.into_iter().map(|fact| JournalEntry::new(0, SystemTime::UNIX_EPOCH, fact).encode().unwrap());
    History::of(&entries.collect::<Vec<_>>()).unwrap().unwrap()
}

#[test]
fn a_removed_container_is_remembered_by_name_newest_first() {
    let root = tempfile::tempdir().unwrap();
    let (state, data) = (root.path().join("state"), root.path().join("data"));
    assert!(read(&state, &data, None).unwrap().is_empty());
    for (id, instance, code) in [("a", 1, 1), ("b", 2, 2), ("a", 3, 3)] {
        remember(&state, &data, &history(id, instance, code)).unwrap();
    }
    // A successor of a remover that died writes it down again.
    remember(&state, &data, &history("a", 3, 3)).unwrap();
    let codes = |id: Option<&str>| -> Vec<ExitStatus> {
        let id = id.map(|id| id.parse().unwrap());
        let past = read(&state, &data, id.as_ref()).unwrap();
        past.iter().map(|past| past.exit(&ProcessId::init()).unwrap().status).collect()
    };
    assert_eq!(codes(None), [3, 2, 1].map(ExitStatus::Code));
    assert_eq!(codes(Some("a")), [3, 1].map(ExitStatus::Code));
    assert_eq!(read(&state, &data, None).unwrap()[0].args, ["sh", "-c"]);
}

#[test]
fn another_state_with_the_same_data_has_a_past_of_its_own() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    remember(&root.path().join("one"), &data, &history("a", 1, 1)).unwrap();
    assert!(read(&root.path().join("other"), &data, None).unwrap().is_empty());
    assert_eq!(read(&root.path().join("one"), &data, None).unwrap().len(), 1);
}

#[test]
fn the_ledger_is_bounded_and_keeps_the_newest() {
    let root = tempfile::tempdir().unwrap();
    let (state, data) = (root.path().join("state"), root.path().join("data"));
    let mut long = history("a", 0, 0);
    long.processes[0].made.args = vec!["x".repeat(60_000)];
    for instance in 0..60 {
        long.creating.instance = Instance::from_bits(instance);
        remember(&state, &data, &long).unwrap();
    }
    let left = read(&state, &data, None).unwrap();
    assert!(left.len() < 60 && left.len() > 3, "{}", left.len());
    assert_eq!(left[0].instance, Instance::from_bits(59));
}
