//! Cgroups on hosts of either version, as far as this one can play them: a host without its unified
//! hierarchy is one of version 1, and device programs attach to the unified one of a hybrid.

use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::sys;

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A place of this test's own, removed with its parent.
struct Scratch {
    host: Host,
    place: CgroupPlace,
}

impl Scratch {
    fn new(keep: impl Fn(&Hierarchy) -> bool) -> Self {
        let mut host = Host::probe().unwrap();
        host.hierarchies.retain(|hierarchy| keep(hierarchy));
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let parent = format!("/engine-unit-{}-{number}", std::process::id());
        Self { host, place: CgroupPlace { parent, name: "c".into() } }
    }

    fn create(&self) -> Cgroup {
        Cgroup::create(&self.host, &self.place, None).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let gone = remove_parent(&self.host, &self.place.parent);
        assert!(std::thread::panicking() || gone.unwrap());
    }
}

/// Starts a shell that enters a leaf and then forks for ever.
fn start_in(cgroup: &Cgroup, leaf: &Leaf) -> Child {
    let mut child = wait_in(cgroup, leaf);
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"go\n").unwrap();
    child
}

/// Starts a shell that enters a leaf and then waits.
fn wait_in(cgroup: &Cgroup, leaf: &Leaf) -> Child {
    let child = Command::new("sh")
        .args(["-c", "read go; while :; do sleep 1000 & wait $!; done"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    for entrance in cgroup.entrances(leaf).unwrap() {
        rustix::io::write(&entrance, pid.as_bytes()).unwrap();
    }
    child
}

fn is_v1(hierarchy: &Hierarchy) -> bool {
    hierarchy.kind == Kind::V1
}

#[test]
fn on_version_one_leaves_are_in_the_freezer_and_die_by_walking() {
    let scratch = Scratch::new(is_v1);
    if !scratch.host.hierarchies.iter().any(|hierarchy| hierarchy.controls("freezer")) {
        return;
    }
    let cgroup = scratch.create();
    let leaf = cgroup.leaf("init").unwrap();
    assert!(leaf.birthplace().is_none());
    let mut child = start_in(&cgroup, &leaf);
    while cgroup.pids().unwrap().len() < 2 {
        std::thread::yield_now();
    }
    assert!(cgroup.is_populated().unwrap());
    cgroup.freeze().unwrap();
    cgroup.kill().unwrap();
    child.wait().unwrap();
    cgroup.remove().unwrap();
    assert!(Cgroup::open(&scratch.host, &scratch.place).unwrap().is_none());
}

#[test]
fn a_host_with_neither_device_rules_nor_programs_is_refused() {
    let scratch = Scratch::new(|hierarchy| hierarchy.controls("pids"));
    let refused = Cgroup::create(&scratch.host, &scratch.place, None);
    assert!(matches!(refused, Err(Error::Unsupported { .. })), "{refused:?}");
}

#[test]
fn the_kernel_takes_the_device_program_and_it_decides() {
    let scratch = Scratch::new(|hierarchy| hierarchy.kind == Kind::Unified);
    if scratch.host.hierarchies.is_empty() {
        return;
    }
    let cgroup = scratch.create();
    let leaf = cgroup.leaf("init").unwrap();
    let mut child = Command::new("sh")
        .args(["-c", "read go; (: < /dev/null) && (: < /dev/zero) && ! (: < /dev/kmsg)"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (_, directory) = leaf.tracked.as_ref().unwrap();
    directory.set("cgroup.procs", &child.id().to_string()).unwrap();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"go\n").unwrap();
    assert!(child.wait().unwrap().success());
    cgroup.remove().unwrap();
}

#[test]
fn a_program_with_nonsense_in_it_is_refused_by_the_kernel() {
    let nonsense = [sys::BpfInstruction { code: 0xff, registers: 0, offset: 0, immediate: 0 }];
    assert!(sys::load_device_program(&nonsense).is_err());
}

#[test]
fn the_unified_hierarchy_is_where_a_process_is_born() {
    let scratch = Scratch::new(|_| true);
    let cgroup = scratch.create();
    let leaf = cgroup.leaf("exec-1").unwrap();
    let unified = scratch.host.hierarchies.iter().any(|hierarchy| hierarchy.kind == Kind::Unified);
    assert_eq!(leaf.birthplace().is_some(), unified);
    if let Some(place) = leaf.birthplace() {
        assert!(born_in(place, || true));
    }
    cgroup.remove().unwrap();
}

#[test]
fn a_monitor_that_a_caller_makes_is_neither_listed_nor_killed() {
    let scratch = Scratch::new(|_| true);
    let cgroup = scratch.create();
    let leaf = cgroup.leaf(MONITOR_LEAF).unwrap();
    // One that forks might have a child already that stayed outside.
    let mut child = wait_in(&cgroup, &leaf);
    if let Some((Kind::Unified, directory)) = &leaf.tracked {
        directory.set("cgroup.procs", &child.id().to_string()).unwrap();
        assert!(cgroup.pids().unwrap().is_empty());
        cgroup.kill().unwrap();
        assert!(child.try_wait().unwrap().is_none());
    }
    cgroup.kill_leaf(MONITOR_LEAF).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    cgroup.remove().unwrap();
}

#[test]
fn leaf_names_are_plain() {
    let scratch = Scratch::new(|_| true);
    let cgroup = scratch.create();
    for name in ["", "..", "a/b", "a b", "cgroup.procs", "é"] {
        assert!(matches!(cgroup.leaf(name), Err(Error::Invalid { .. })), "{name}");
        assert!(matches!(cgroup.kill_leaf(name), Err(Error::Invalid { .. })), "{name}");
    }
    cgroup.remove().unwrap();
}

/// Clones a process into a cgroup, which asks one question of the kernel and ends.
fn born_in(place: BorrowedFd<'_>, question: impl FnOnce() -> bool) -> bool {
    let request = sys::CloneRequest { namespaces: 0, cgroup: Some(place), sibling: false };
    let blocked = sys::block_signals();
    let pidfd = match sys::clone3(request).unwrap() {
        sys::Cloned::Child => sys::exit_now(i32::from(!question())),
        sys::Cloned::Parent { pidfd, .. } => pidfd,
    };
    drop(blocked);
    let options = rustix::process::WaitIdOptions::EXITED;
    let status = rustix::process::waitid(rustix::process::WaitId::PidFd(pidfd.as_fd()), options).unwrap();
    status.unwrap().exit_status() == Some(0)
}

#[test]
fn a_monitor_can_be_born_in_its_place() {
    let scratch = Scratch::new(|_| true);
    let Some(birthplace) = monitor_birthplace(&scratch.host, &scratch.place).unwrap() else { return };
    let expected = format!("0::{}/monitors\n", scratch.place.parent);
    // System calls only: another test's thread may hold any lock.
    let is_there = || {
        let mut text = [0_u8; 4096];
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
        let read = rustix::fs::open(c"/proc/self/cgroup", flags, rustix::fs::Mode::empty())
            .and_then(|file| rustix::io::read(file, &mut text));
        read.is_ok_and(|length| text[..length].ends_with(expected.as_bytes()))
    };
    assert!(born_in(birthplace.as_fd(), is_there));
}
