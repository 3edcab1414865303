//! The main job: a program on this host's own files, or on a directory, in a container that leaves nothing.

use std::fs;
use std::path::Path;

use libcontainerd_tests::lctr::{command, lctr};
use libcontainerd_tests::rootfs;
use libcontainerd_tests::running::Running;
use libcontainerd_tests::scratch::Scratch;

use crate::{run, run_on};

/// A root file system with a file of the user's.
fn users(scratch: &Scratch) -> std::path::PathBuf {
    let place = scratch.place("users");
    for name in ["bin", "proc", "sys", "dev", "etc"] {
        fs::create_dir_all(place.join(name)).unwrap();
    }
    fs::copy(rootfs::busybox().join("bin/busybox"), place.join("bin/sh")).unwrap();
    fs::write(place.join("file"), "theirs\n").unwrap();
    place
}

/// Changes the user's file, removes a directory, makes a new file, and looks.
const CHANGE: &str = "echo ours > /file && rmdir /etc && echo new > /new; read line < /file; echo $line";

#[test]
fn a_program_on_the_hosts_own_files_says_hello() {
    let scratch = Scratch::new();
    lctr(&scratch, ["run", "--rm", "--rootfs", "/", "--", "/bin/echo", "hello"]).quietly().stdout("hello\n").code(0);
}

#[test]
fn without_rm_the_container_stays_until_it_is_removed() {
    let scratch = Scratch::new();
    lctr(&scratch, ["run", "--name", "stays", "--rootfs", "/", "--", "/bin/echo", "hello"]).stdout("hello\n").code(0);
    lctr(&scratch, ["ps", "-a", "-q"]).stdout("stays\n").code(0);
    lctr(&scratch, ["rm", "stays"]).quietly().stdout("stays\n").code(0);
    lctr(&scratch, ["ps", "-a", "-q"]).stdout("").code(0);
}

#[test]
fn changes_to_a_directory_go_with_the_container() {
    let scratch = Scratch::new();
    let place = users(&scratch);
    lctr(&scratch, run_on(&place, &[], &["/bin/sh", "-c", CHANGE])).quietly().stdout("ours\n").code(0);
    assert_eq!(fs::read_to_string(place.join("file")).unwrap(), "theirs\n");
    assert!(place.join("etc").is_dir() && !place.join("new").exists());
}

#[test]
fn changes_to_the_hosts_own_root_go_with_the_container() {
    let scratch = Scratch::new();
    let name = format!("/lctr-was-here-{}", std::process::id());
    let script = format!("echo here > {name} && cat {name}");
    lctr(&scratch, run_on(Path::new("/"), &[], &["/bin/sh", "-c", &script])).quietly().stdout("here\n").code(0);
    assert!(!Path::new(&name).exists());
}

#[test]
fn a_directory_given_as_rw_is_written_into() {
    let scratch = Scratch::new();
    let place = users(&scratch);
    let rootfs = format!("{}:rw", place.display());
    lctr(&scratch, run_on(Path::new(&rootfs), &[], &["/bin/sh", "-c", CHANGE])).quietly().stdout("ours\n").code(0);
    assert_eq!(fs::read_to_string(place.join("file")).unwrap(), "ours\n");
    assert!(place.join("new").exists() && !place.join("etc").exists());
}

#[test]
fn a_directory_given_as_ro_is_written_nowhere() {
    let scratch = Scratch::new();
    let place = users(&scratch);
    let rootfs = format!("{}:ro", place.display());
    let ran = lctr(&scratch, run_on(Path::new(&rootfs), &[], &["/bin/sh", "-c", CHANGE]));
    ran.stdout("theirs\n").complains("Read-only file system").code(0);
    assert_eq!(fs::read_to_string(place.join("file")).unwrap(), "theirs\n");
    assert!(place.join("etc").is_dir() && !place.join("new").exists());
    assert!(!scratch.data().join("overlay").read_dir().is_ok_and(|mut entries| entries.next().is_some()));
}

#[test]
fn read_only_leaves_only_the_volumes_to_write_to() {
    let scratch = Scratch::new();
    let place = scratch.place("volume");
    fs::create_dir_all(&place).unwrap();
    let volume = format!("{}:/mnt", place.display());
    let script = "echo x > /file; echo y > /mnt/file";
    let ran = lctr(&scratch, run(&["--read-only", "-v", &volume], &["sh", "-c", script]));
    ran.complains("Read-only file system").code(0);
    assert_eq!(fs::read_to_string(place.join("file")).unwrap(), "y\n");
}

#[test]
fn a_volume_given_as_ro_is_seen_and_not_written() {
    let scratch = Scratch::new();
    let place = scratch.place("volume");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("file"), "seen\n").unwrap();
    let volume = format!("{}:/mnt/deep/er:ro", place.display());
    let script = "cat /mnt/deep/er/file; echo x > /mnt/deep/er/file";
    let ran = lctr(&scratch, run(&["-v", &volume], &["sh", "-c", script]));
    ran.stdout("seen\n").complains("Read-only file system").code(1);
    assert_eq!(fs::read_to_string(place.join("file")).unwrap(), "seen\n");
}

#[test]
fn none_of_our_mounts_shows_on_the_host_while_a_container_runs() {
    let scratch = Scratch::new();
    let running = Running::start(command(&scratch, run(&[], &["/probe", "on-term", "bye", "0"])));
    running.says("ready");
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let place = scratch.state().parent().unwrap().to_owned();
    let ours: Vec<_> = table.lines().filter(|line| line.contains(place.to_str().unwrap())).collect();
    assert_eq!(ours, Vec::<&str>::new());
    running.gets(rustix::process::Signal::TERM);
    running.ends().code(0);
}
