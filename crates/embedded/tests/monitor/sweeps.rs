//! Finding and clearing away what was left behind, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, SystemTime};

use libcontainerd_core::Instance;
use libcontainerd_core::ports::runtime::{DeleteRequest, Runtime, Sweep};
use libcontainerd_core::process::NewProcess;
use libcontainerd_core::rootfs::Rootfs;
use libcontainerd_core::stdio::Stdio;
use serde_json::json;

use crate::container::{eventually, kill, recipe, shell};
use crate::runtime::{block_on, runtime};
use crate::scratch::{Scratch, hierarchies};

/// What a sweep names, kind and name.
fn sweep(scratch: &Scratch, how: Sweep) -> BTreeSet<(String, String)> {
    let swept = block_on(async { runtime(scratch).sweep(how).await }).unwrap();
    swept
        .into_iter()
        .map(|swept| {
            assert_eq!(swept.failed, None, "{} {}", swept.kind, swept.name);
            (swept.kind, swept.name)
        })
        .collect()
}

/// Finds the same as is then removed, after which there is nothing more.
fn swept(scratch: &Scratch) -> BTreeSet<(String, String)> {
    let found = sweep(scratch, Sweep::Find);
    assert_eq!(sweep(scratch, Sweep::Find), found);
    assert_eq!(sweep(scratch, Sweep::Remove), found);
    assert_eq!(sweep(scratch, Sweep::Remove), BTreeSet::new());
    found
}

fn entry(kind: &str, path: impl AsRef<Path>) -> (String, String) {
    (kind.to_owned(), path.as_ref().display().to_string())
}

fn directory(path: PathBuf) -> PathBuf {
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path
}

fn age(path: &Path) {
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    fs::File::open(path).unwrap().set_modified(long_ago).unwrap();
}

/// A program in a cgroup of that name; killed when dropped.
struct Inhabitant(Child, Vec<PathBuf>);

impl Inhabitant {
    fn of(scratch: &Scratch, name: &str) -> Inhabitant {
        let child = Command::new("/bin/sleep").arg("1000").spawn().unwrap();
        let mut made = Vec::new();
        for hierarchy in hierarchies() {
            let path = PathBuf::from(format!("{hierarchy}{}/{name}", scratch.cgroup_parent()));
            fs::create_dir(&path).unwrap();
            made.push(path);
        }
        let leaf = scratch.cgroup(&format!("{name}/init"));
        fs::create_dir(&leaf).unwrap();
        fs::write(leaf.join("cgroup.procs"), child.id().to_string()).unwrap();
        Inhabitant(child, made)
    }

    fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Inhabitant {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        for path in &self.1 {
            let _ = fs::remove_dir(path.join("init"));
            let _ = fs::remove_dir(path);
        }
    }
}

fn delete(scratch: &Scratch, id: &str) {
    let request = DeleteRequest::new(id.parse().unwrap(), None);
    block_on(async { runtime(scratch).delete(request).await }).unwrap();
}

fn random() -> String {
    Instance::random().unwrap().to_string()
}

pub(crate) fn a_sweep_leaves_alone_what_lives_and_what_is_anothers() {
    let scratch = Scratch::new();
    let living = recipe("living", &["/bin/sleep", "1000"]).on(Rootfs::Overlay(scratch.path("rootfs")));
    let living = living.create(&scratch);
    living.start();
    let ended = shell("ended", "exit 3").create(&scratch);
    ended.start();
    ended.ends_with(json!({"code": 3}));
    let _waiting = recipe("waiting", &["/bin/true"]).create(&scratch);
    // About to become a container, for all that one can see.
    let young = directory(scratch.path("state/run/young"));
    let mut stranger = Inhabitant::of(&scratch, &format!("{:016x}-{}", 7, random()));
    let layer = directory(scratch.path(&format!("data/overlay/{}", random())));
    let not_ours = directory(scratch.path("state/run/.hidden"));
    age(&not_ours);
    assert_eq!(swept(&scratch), BTreeSet::new());
    assert!(stranger.is_alive() && layer.exists() && young.exists() && not_ours.exists());
    drop(stranger);
    living.exec("e", NewProcess::new(["/bin/sh", "-c", "exit 4"], Stdio::null()));
    assert_eq!(living.exit("e")["status"], json!({"code": 4}));
    for path in [layer, young, not_ours] {
        fs::remove_dir(path).unwrap();
    }
    living.signal("init", 9, "process");
    living.ends_with(json!({"signal": 9}));
    for id in ["living", "ended", "waiting"] {
        delete(&scratch, id);
    }
    eventually(|| scratch.left_overs().is_empty().then_some(()));
}

pub(crate) fn a_sweep_clears_what_no_journal_knows() {
    let scratch = Scratch::new();
    // So that there is a parent.
    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    let half = directory(scratch.path("state/run/half"));
    fs::write(half.join("spec.json"), "{}").unwrap();
    age(&half);
    let name = scratch.cgroup_name(&random());
    let mut inhabitant = Inhabitant::of(&scratch, &name);
    let layer = directory_with_parent(scratch.path(&format!("data/overlay/{}", random())));
    fs::write(layer.join("state"), name.split('-').next().unwrap()).unwrap();
    fs::create_dir_all(layer.join("upper/deep")).unwrap();
    let watchers = directory_with_parent(scratch.path("state/watchers"));
    let bell = watchers.join(random());
    drop(std::os::unix::net::UnixDatagram::bind(&bell).unwrap());
    let found = swept(&scratch);
    let cgroups = inhabitant.1.iter().map(|path| entry("cgroup", path));
    let mut all: BTreeSet<_> = cgroups.collect();
    all.extend([entry("directory", &half), entry("directory", &layer), entry("file", &bell)]);
    assert_eq!(found, all);
    assert!(!inhabitant.is_alive() && !half.exists() && !layer.exists() && !bell.exists());
    container.delete();
}

fn directory_with_parent(path: PathBuf) -> PathBuf {
    let parent = path.parent().unwrap();
    if !parent.exists() {
        directory(parent.to_owned());
    }
    if path.exists() { path } else { directory(path) }
}

pub(crate) fn a_sweep_settles_the_dead_and_leaves_orphans_that_live_to_be_adopted() {
    let scratch = Scratch::new();
    let dead = recipe("dead", &["/bin/sleep", "1000"]).create(&scratch);
    dead.start();
    let init = dead.created["created"]["pid"].as_u64().unwrap() as u32;
    let mut orphan = recipe("orphan", &["/bin/sleep", "1000"]).create(&scratch);
    orphan.start();
    let going = recipe("going", &["/bin/sleep", "1000"]).lasting(json!({ "removal": "ended" })).create(&scratch);
    going.start();
    let its_init = going.created["created"]["pid"].as_u64().unwrap() as u32;
    [&dead, &orphan, &going].into_iter().for_each(|container| container.lose_supervisors());
    kill(init);
    kill(its_init);
    for pid in [init, its_init] {
        eventually(|| (!Path::new(&format!("/proc/{pid}")).exists()).then_some(()));
    }
    let found = swept(&scratch);
    assert!(found.contains(&entry("directory", scratch.path("state/run/going"))), "{found:?}");
    assert!(found.iter().filter(|(kind, _)| kind == "cgroup").count() >= 2, "{found:?}");
    assert_eq!(found.iter().filter(|(kind, _)| kind != "cgroup").count(), 1, "{found:?}");
    assert_eq!(dead.exits("init")[0]["how"], "unknown");
    assert!(!going.run().exists() && going.past().len() == 1);
    assert_eq!(orphan.adopt(), "done");
    orphan.signal("init", 9, "process");
    orphan.exit("init");
    orphan.delete();
    delete(&scratch, "dead");
}

pub(crate) fn a_monitor_without_a_directory_is_ended_with_its_container() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    container.start();
    let (monitor, witness) = container.supervisors();
    let init = container.created["created"]["pid"].as_u64().unwrap();
    fs::remove_dir_all(container.run()).unwrap();
    let found = sweep(&scratch, Sweep::Find);
    for pid in [monitor, witness] {
        assert!(found.contains(&("process".into(), pid.to_string())), "{found:?}");
    }
    assert!(found.iter().any(|(kind, _)| kind == "cgroup"), "{found:?}");
    assert_eq!(sweep(&scratch, Sweep::Remove), found);
    eventually(|| (!Path::new(&format!("/proc/{init}")).exists()).then_some(()));
    assert_eq!(sweep(&scratch, Sweep::Find), BTreeSet::new());
    eventually(|| scratch.left_overs().is_empty().then_some(()));
}

pub(crate) fn a_journal_of_a_later_version_protects_its_container_from_sweeps() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    container.start();
    container.append(&json!({ "v": 99, "seq": 99, "at": SystemTime::now(), "fact": "improved" }));
    let name = scratch.cgroup_name(&random());
    let mut inhabitant = Inhabitant::of(&scratch, &name);
    let found = swept(&scratch);
    assert!(!found.is_empty() && found.iter().all(|(_, path)| path.contains(&name)), "{found:?}");
    assert!(!inhabitant.is_alive());
    let init = container.created["created"]["pid"].as_u64().unwrap();
    assert!(Path::new(&format!("/proc/{init}")).exists());
    assert_eq!(container.signal("init", 9, "process"), "done");
    eventually(|| (!Path::new(&format!("/proc/{init}")).exists()).then_some(()));
    let _ = container.ask(&json!({ "delete": { "instance": null } }));
    eventually(|| scratch.left_overs().is_empty().then_some(()));
}
