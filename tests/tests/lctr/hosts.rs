//! Hosts and callers that cannot run containers: not root, no cgroups, directories that cannot be used, a full disk.
//!
//! What would change this host is done in a mount namespace of the command's own, which ends with it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

use libcontainerd_tests::lctr::{Ran, command, lctr};
use libcontainerd_tests::rootfs;
use libcontainerd_tests::running::Running;
use libcontainerd_tests::scratch::Scratch;

use crate::{refused, run};

const STRANGER: u32 = 1000;

/// Runs `lctr` after `prepare`, a script, has changed the mounts that it sees; then `afterwards`.
fn in_own_mounts(scratch: &Scratch, prepare: &str, words: &[String], afterwards: &str) -> Ran {
    fs::create_dir_all(scratch.state()).unwrap();
    let script = format!("set -e; {prepare}; set +e; \"$@\"; code=$?; {afterwards}; exit $code");
    let lctr = command(scratch, words);
    let mut own = Command::new("unshare");
    own.args(["--mount", "--propagation", "private", "sh", "-c", &script, "sh"]);
    own.env("STATE", scratch.state()).env("DATA", scratch.data());
    own.arg(lctr.get_program()).args(lctr.get_args());
    Running::start(own).ends()
}

#[test]
fn somebody_who_is_not_root_is_told_to_be() {
    let scratch = Scratch::new();
    // The stranger may not come near ours.
    let place = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
    let copy = place.path().join("lctr");
    let command = command(&scratch, run(&[], &["true"]));
    fs::copy(command.get_program(), &copy).unwrap();
    for words in [command.get_args().map(|word| word.to_owned()).collect(), vec!["ps".into()]] {
        let mut stranger = Command::new("setpriv");
        stranger.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&copy).args(words);
        stranger.env_remove("LCTR_ROOT").env_remove("LCTR_DATA").current_dir("/");
        refused(Running::start(stranger).ends(), 125, "root", "sudo");
    }
}

#[test]
fn somebody_who_is_not_root_can_still_ask_for_a_spec_and_the_version() {
    let scratch = Scratch::new();
    let place = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
    let copy = place.path().join("lctr");
    fs::copy(command(&scratch, ["version"]).get_program(), &copy).unwrap();
    for verb in ["spec", "version", "--help"] {
        let mut stranger = Command::new("setpriv");
        stranger.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&copy).arg(verb);
        let _ = Running::start(stranger).ends().code(0);
    }
}

#[test]
fn a_host_without_cgroups_is_told_what_it_needs() {
    let scratch = Scratch::new();
    let ran = in_own_mounts(&scratch, "umount -R /sys/fs/cgroup", &run(&[], &["true"]), "true");
    refused(ran, 125, "cgroup", "mount");
}

#[test]
fn a_state_directory_on_a_read_only_mount_is_told_with_its_path() {
    let scratch = Scratch::new();
    let ran = in_own_mounts(&scratch, "mount -t tmpfs -o ro none $STATE", &run(&[], &["true"]), "true");
    refused(ran, 125, scratch.state().to_str().unwrap(), "--root");
}

#[test]
fn a_data_directory_on_a_read_only_mount_is_told_with_its_path() {
    let scratch = Scratch::new();
    let prepare = "mkdir -p $DATA; mount -t tmpfs -o ro none $DATA";
    let ran = in_own_mounts(&scratch, prepare, &run(&[], &["true"]), "find $STATE -name c");
    refused(ran, 125, scratch.data().to_str().unwrap(), "--data");
}

#[test]
fn a_state_directory_of_somebody_elses_is_refused() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.state()).unwrap();
    chown(scratch.state(), Some(STRANGER), Some(STRANGER)).unwrap();
    refused(lctr(&scratch, run(&[], &["true"])), 125, scratch.state().to_str().unwrap(), "root's alone");
    assert_eq!(fs::read_dir(scratch.state()).unwrap().count(), 0);
}

#[test]
fn a_state_directory_that_everybody_can_write_is_closed_before_anything_is_put_into_it() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.state()).unwrap();
    fs::set_permissions(scratch.state(), fs::Permissions::from_mode(0o777)).unwrap();
    lctr(&scratch, run(&[], &["true"])).quietly().code(0);
    assert_eq!(fs::metadata(scratch.state()).unwrap().permissions().mode() & 0o777, 0o711);
}

#[test]
fn a_state_directory_that_is_a_file_is_told_with_its_path() {
    let scratch = Scratch::new();
    fs::write(scratch.state(), "").unwrap();
    refused(lctr(&scratch, run(&[], &["true"])), 125, scratch.state().to_str().unwrap(), "");
    fs::remove_file(scratch.state()).unwrap();
}

#[test]
fn a_disk_that_is_full_at_any_moment_is_told_and_nothing_is_left_on_it() {
    let scratch = Scratch::new();
    let list = "find $STATE/bundles $STATE/run -mindepth 1 2>/dev/null";
    let mut enough = false;
    for kilobytes in [4, 8, 16, 24, 32, 48, 64, 96, 128, 256, 2048] {
        let prepare = format!("mount -t tmpfs -o size={kilobytes}k,mode=711 none $STATE");
        let ran = in_own_mounts(&scratch, &prepare, &run(&["--name", "c"], &["/probe", "echo", "hi"]), list);
        if ran.text() == "hi\n" {
            enough = true;
            ran.quietly().code(0);
        } else {
            refused(ran, 125, "", "make room");
        }
    }
    assert!(enough, "that was never enough");
}

#[test]
fn a_disk_without_room_for_further_files_is_told_and_nothing_is_left_on_it() {
    let scratch = Scratch::new();
    let list = "find $STATE/bundles $STATE/run -mindepth 1 2>/dev/null";
    for inodes in 2..8 {
        let prepare = format!("mount -t tmpfs -o nr_inodes={inodes},mode=711 none $STATE");
        let ran = in_own_mounts(&scratch, &prepare, &run(&["--name", "c"], &["/probe", "echo", "hi"]), list);
        refused(ran, 125, "", "make room");
    }
}

#[test]
fn relative_directories_and_those_in_variables_are_the_same_as_absolute_ones() {
    let scratch = Scratch::new();
    let rootfs = rootfs::busybox().to_str().unwrap();
    let program = command(&scratch, ["ps"]).get_program().to_owned();
    let mut relative = Command::new(program);
    relative.current_dir(scratch.state().parent().unwrap()).env("LCTR_ROOT", "state").env("LCTR_DATA", "data");
    relative.args(["run", "-d", "--name", "c", "--rootfs", rootfs, "--", "/probe", "sleep"]);
    Running::start(relative).ends().quietly().stdout("c\n").code(0);
    lctr(&scratch, ["ps", "-q"]).stdout("c\n").code(0);
    crate::remove(&scratch, &["c"]);
}
