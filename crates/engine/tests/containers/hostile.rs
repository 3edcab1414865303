//! Root file systems and specs that try to reach the host.

use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use libcontainerd_engine::Stage;
use serde_json::{Value, json};

use crate::fixture::{Scratch, failure, process, spec};

/// Puts a link in the place of a directory of the root.
fn replace(root: &Path, name: &str, target: &Path) {
    let place = root.join(name);
    let _ = std::fs::remove_dir_all(&place);
    symlink(target, place).unwrap();
}

fn without_dev(mut spec: Value) -> Value {
    let mounts = spec["mounts"].as_array_mut().unwrap();
    mounts.retain(|mount| !mount["destination"].as_str().unwrap().starts_with("/dev"));
    spec
}

/// A directory of the host that must stay as it is.
struct Canary(tempfile::TempDir);

impl Canary {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("file"), "canary").unwrap();
        Self(directory)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn assert_alive(&self) {
        let names: Vec<_> = std::fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["file"]);
        assert_eq!(std::fs::read_to_string(self.path().join("file")).unwrap(), "canary");
    }
}

#[test]
fn c7_linked_proc_sys_and_dev_are_refused() {
    for (name, link) in [("proc", "/tmp"), ("sys", "tmp"), ("dev", "/etc")] {
        let scratch = Scratch::new();
        replace(&scratch.root(), name, Path::new(link));
        let failed = failure(scratch.try_run(spec(&["true"])));
        assert_eq!((failed.stage, failed.errno), (Stage::Mount, nix::libc::ELOOP), "{name}");
    }
}

#[test]
fn c6_a_linked_dev_without_a_file_system_over_it_is_refused() {
    let canary = Canary::new();
    let scratch = Scratch::new();
    replace(&scratch.root(), "dev", canary.path());
    let failed = failure(scratch.try_run(without_dev(spec(&["true"]))));
    assert_eq!((failed.stage, failed.errno), (Stage::Device, nix::libc::ELOOP));
    canary.assert_alive();
}

#[test]
fn c6_a_linked_null_in_the_images_own_dev_is_refused() {
    let canary = Canary::new();
    let scratch = Scratch::new();
    symlink(canary.path().join("null"), scratch.root().join("dev/null")).unwrap();
    let failed = failure(scratch.try_run(without_dev(spec(&["true"]))));
    assert_eq!((failed.stage, failed.errno), (Stage::Device, nix::libc::EEXIST));
    canary.assert_alive();
}

#[test]
fn c3_a_false_null_masks_nothing_and_changes_nothing() {
    let before = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let scratch = Scratch::new();
    let mut own = without_dev(spec(&["true"]));
    own["linux"]["maskedPaths"] = json!(["/proc/kcore"]);
    std::fs::create_dir_all(scratch.root().join("dev")).unwrap();
    symlink("/proc/sys/kernel/core_pattern", scratch.root().join("dev/null")).unwrap();
    assert_eq!(failure(scratch.try_run(own)).stage, Stage::Device);
    // With a file system of ours on /dev the image's null is never looked at.
    assert_eq!(scratch.run(spec(&["true"])).code, 0);
    assert_eq!(std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap(), before);
}

#[test]
fn c7_a_mount_point_behind_links_stays_inside() {
    let canary = Canary::new();
    let scratch = Scratch::new();
    replace(&scratch.root(), "var", canary.path());
    replace(&scratch.root(), "run", Path::new("../../../../../../../etc"));
    let mut linked = spec(&["sh", "-c", "ls -d /etc/made/below"]);
    let mounts = linked["mounts"].as_array_mut().unwrap();
    mounts.push(json!({"destination": "/run/made/below", "type": "tmpfs", "source": "tmpfs"}));
    assert_eq!(scratch.run(linked).stdout, "/etc/made/below\n");
    let mut dangling = spec(&["true"]);
    dangling["mounts"]
        .as_array_mut()
        .unwrap()
        .push(json!({"destination": "/var/made", "type": "tmpfs", "source": "x"}));
    assert_eq!(failure(scratch.try_run(dangling)).stage, Stage::Mount);
    canary.assert_alive();
    assert!(!Path::new("/etc/made").exists());
}

#[test]
fn c7_two_containers_that_swap_a_shared_mount_point_never_leave_it() {
    use rustix::fs::{CWD, RenameFlags};
    use std::sync::atomic::{AtomicBool, Ordering};
    let canary = Canary::new();
    let scratch = Scratch::new();
    let root = scratch.root();
    std::fs::create_dir_all(root.join("vol/place")).unwrap();
    symlink(canary.path(), root.join("vol/link")).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let (one, other) = (root.join("vol/place"), root.join("vol/link"));
                let _ = rustix::fs::renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE);
            }
        });
        for _ in 0..100 {
            let mut spec = spec(&["true"]);
            let mounts = spec["mounts"].as_array_mut().unwrap();
            mounts.push(json!({"destination": "/vol/place/new", "type": "tmpfs", "source": "x"}));
            let _ = scratch.try_run(spec);
        }
        stop.store(true, Ordering::Relaxed);
    });
    canary.assert_alive();
}

#[test]
fn c2_a_working_directory_through_a_descriptor_is_refused() {
    let scratch = Scratch::new();
    for number in 3..40 {
        let mut spec = spec(&["ls"]);
        spec["process"]["cwd"] = json!(format!("/proc/self/fd/{number}"));
        assert_eq!(failure(scratch.try_run(spec)).stage, Stage::WorkingDirectory, "{number}");
    }
    let running = scratch.start(spec(&["sleep", "1000"]));
    for number in 3..40 {
        let mut process = process(&["ls"]);
        process["cwd"] = json!(format!("/proc/self/fd/{number}"));
        assert_eq!(failure(running.exec(&scratch, process)).stage, Stage::WorkingDirectory, "{number}");
    }
    running.stop();
}

#[test]
fn c1_our_own_binary_is_no_program_of_a_container() {
    let host = std::fs::metadata("/proc/self/exe").unwrap();
    let scratch = Scratch::new();
    let again = scratch.root().join("bin/again");
    std::fs::write(&again, "#!/proc/self/exe\n").unwrap();
    std::fs::set_permissions(&again, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    symlink("/proc/self/exe", scratch.root().join("bin/link")).unwrap();
    for program in ["/proc/self/exe", "/bin/link", "link", "/proc/self/root/bin/true"] {
        let failed = failure(scratch.try_run(spec(&[program])));
        assert_eq!((failed.stage, failed.errno), (Stage::Resolve, nix::libc::ELOOP), "{program}");
    }
    // As an interpreter it is found by the kernel; it is dynamic, and its loader is not in the root.
    assert_eq!(failure(scratch.try_run(spec(&["again"]))).stage, Stage::Interpreter);
    let after = std::fs::metadata("/proc/self/exe").unwrap();
    assert_eq!((host.ino(), host.size(), host.mtime()), (after.ino(), after.size(), after.mtime()));
}

#[test]
fn c5_sysctls_and_scores_never_go_through_the_images_proc() {
    let scratch = Scratch::new();
    let mut own = spec(&["sh", "-c", "cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null; ls -A /proc"]);
    let mounts = own["mounts"].as_array_mut().unwrap();
    mounts.retain(|mount| mount["destination"] != "/proc");
    let fake = scratch.path().join("fake");
    std::fs::create_dir_all(fake.join("sys/net/ipv4")).unwrap();
    std::fs::write(fake.join("sys/net/ipv4/ip_unprivileged_port_start"), "fake\n").unwrap();
    std::fs::create_dir_all(fake.join("self")).unwrap();
    std::fs::write(fake.join("self/oom_score_adj"), "fake\n").unwrap();
    mounts.push(json!({"destination": "/proc", "source": fake, "options": ["bind"]}));
    own["process"]["oomScoreAdj"] = json!(5);
    own["linux"]["readonlyPaths"] = json!([]);
    assert_eq!(scratch.run(own).stdout, "fake\nself\nsys\n");
    assert_eq!(std::fs::read_to_string(fake.join("self/oom_score_adj")).unwrap(), "fake\n");
}

#[test]
fn c4_a_false_ptmx_is_no_terminal() {
    let scratch = Scratch::new();
    let fake = scratch.path().join("pts");
    std::fs::create_dir(&fake).unwrap();
    std::fs::write(fake.join("ptmx"), "").unwrap();
    let mut own = spec(&["true"]);
    let mounts = own["mounts"].as_array_mut().unwrap();
    mounts.retain(|mount| mount["destination"] != "/dev/pts");
    mounts.push(json!({"destination": "/dev/pts", "source": fake, "options": ["bind"]}));
    let failed = scratch.try_terminal(own);
    assert_eq!((failed.stage, failed.errno), (Stage::Terminal, nix::libc::ENOTTY));
}

#[test]
fn c10_nobody_inside_can_look_into_an_exec_before_it_runs() {
    let scratch = Scratch::new();
    // An attacker with all of the default rights tries the program and descriptors of every process.
    let script = "while :; do for p in /proc/[0-9]*; do test $p = /proc/$$ && continue; \
        ls -l $p/fd/ $p/exe 2>/dev/null | grep -E 'pipe|socket|engine|containers-' >> /tmp/seen; done; done";
    let running = scratch.start(spec(&["sh", "-c", &format!("touch /tmp/seen; ({script}) & sleep 1000")]));
    let mut sleepless = process(&["true"]);
    sleepless["capabilities"] = json!({});
    for _ in 0..300 {
        assert_eq!(running.exec(&scratch, sleepless.clone()).unwrap().code, 0);
    }
    let seen = std::fs::read_to_string(scratch.root().join("tmp/seen")).unwrap();
    let found: Vec<_> = seen.lines().filter(|line| line.contains("socket") || line.contains("containers-")).collect();
    running.stop();
    assert!(found.is_empty(), "{found:?}");
}
