//! Starts that fail: stage, errno and exit code, without reading text.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use libcontainerd_engine::{Error, Stage};
use nix::libc;
use serde_json::json;

use crate::fixture::{Scratch, failure, process, spec};

fn write(path: &Path, bytes: &[u8], mode: u32) {
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn each_way_not_to_start_a_program_has_its_own_stage_and_code() {
    let scratch = Scratch::new();
    let bin = scratch.root().join("bin");
    write(&bin.join("plain"), b"x", 0o644);
    write(&bin.join("lost"), b"#!/no/such/interpreter\n", 0o755);
    write(&bin.join("noise"), b"\x7fELFxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0o755);
    write(&bin.join("text"), b"neither binary nor script", 0o755);
    write(&bin.join("foreign"), &foreign_program(), 0o755);
    for (program, stage, errno, code) in [
        ("missing", Stage::Resolve, libc::ENOENT, 127),
        ("/bin/missing", Stage::Resolve, libc::ENOENT, 127),
        ("plain", Stage::Resolve, libc::EACCES, 126),
        ("/bin", Stage::Resolve, libc::EACCES, 126),
        ("lost", Stage::Interpreter, libc::ENOENT, 127),
        ("noise", Stage::Exec, libc::ENOEXEC, 126),
        ("text", Stage::Exec, libc::ENOEXEC, 126),
        ("foreign", Stage::Exec, libc::ENOEXEC, 126),
    ] {
        let failed = failure(scratch.try_run(spec(&[program])));
        assert_eq!((failed.stage, failed.errno, failed.exit_code()), (stage, errno, Some(code)), "{program}");
    }
}

/// The head of a program for another machine.
fn foreign_program() -> Vec<u8> {
    let mut program = std::fs::read("/usr/bin/busybox").unwrap()[..4096].to_vec();
    program[18] = 0x16; // s390
    program
}

#[test]
fn an_exec_fails_with_the_same_stages() {
    let scratch = Scratch::new();
    let running = scratch.start(spec(&["sleep", "1000"]));
    let missing = failure(running.exec(&scratch, process(&["missing"])));
    assert_eq!((missing.stage, missing.exit_code()), (Stage::Resolve, Some(127)));
    let mut elsewhere = process(&["pwd"]);
    elsewhere["cwd"] = json!("/no/such/place");
    let lost = failure(running.exec(&scratch, elsewhere));
    assert_eq!((lost.stage, lost.errno), (Stage::WorkingDirectory, libc::ENOENT));
    running.stop();
}

#[test]
fn a_directory_that_the_user_may_not_enter_is_said_so() {
    let scratch = Scratch::new();
    let closed = scratch.root().join("closed");
    std::fs::create_dir_all(closed.join("in")).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut spec = spec(&["pwd"]);
    spec["process"]["cwd"] = json!("/closed/in");
    spec["process"]["user"] = json!({"uid": 1000, "gid": 1000});
    spec["process"]["capabilities"] = json!({});
    let failed = failure(scratch.try_run(spec));
    assert_eq!((failed.stage, failed.errno), (Stage::WorkingDirectory, libc::EACCES));
}

#[test]
fn a_bad_mount_is_named_by_its_place() {
    let scratch = Scratch::new();
    let mut spec = spec(&["true"]);
    spec["mounts"].as_array_mut().unwrap().push(json!({"destination": "/mnt/x", "type": "nosuchfs", "source": "x"}));
    let failed = failure(scratch.try_run(spec));
    assert_eq!(
        (failed.stage, failed.errno, failed.path.as_deref()),
        (Stage::Mount, libc::ENODEV, Some(Path::new("mnt/x")))
    );
}

#[test]
fn a_missing_bind_source_is_said_before_anything_is_made() {
    let scratch = Scratch::new();
    let mut spec = spec(&["true"]);
    spec["mounts"]
        .as_array_mut()
        .unwrap()
        .push(json!({"destination": "/x", "source": "/no/such", "options": ["bind"]}));
    let failed = scratch.try_run(spec);
    assert!(matches!(failed, Err(Error::Open { role: "mount source", .. })), "{failed:?}");
}

#[test]
fn a_closed_gate_ends_the_process_in_silence() {
    let scratch = Scratch::new();
    let (spawned, cgroup) = scratch.spawn_only(spec(&["sh", "-c", "echo never"]));
    let pidfd = spawned.close_gate();
    assert_eq!(crate::fixture::wait_for(&pidfd), 125);
    cgroup.remove().unwrap();
}

#[test]
fn a_process_that_is_killed_at_the_gate_is_no_running_one() {
    let scratch = Scratch::new();
    let (mut waiting, cgroup) = scratch.spawn_only(spec(&["true"]));
    cgroup.kill().unwrap();
    let report = waiting.spawned.wait_report().unwrap();
    assert!(matches!(report, libcontainerd_engine::Report::Failed(failure) if failure.stage == Stage::Died));
    waiting.spawned.open_gate().unwrap();
    assert_eq!(crate::fixture::wait(&waiting.spawned), 128 + 9);
    cgroup.remove().unwrap();
}
