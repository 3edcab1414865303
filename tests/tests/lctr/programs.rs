//! Programs that cannot be run, and where: told with the code that shells use, and what to do about it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use libcontainerd_tests::lctr::{Ran, lctr};
use libcontainerd_tests::rootfs;
use libcontainerd_tests::scratch::Scratch;

use crate::{background, refused, remove, run, run_on};

/// A root file system with the probe and a program of this content.
fn with_program(scratch: &Scratch, content: &[u8], mode: u32) -> PathBuf {
    let place = scratch.place("rootfs");
    for name in ["proc", "sys", "dev", "bin"] {
        fs::create_dir_all(place.join(name)).unwrap();
    }
    fs::copy(rootfs::probe().join("probe"), place.join("probe")).unwrap();
    fs::write(place.join("bin/program"), content).unwrap();
    fs::set_permissions(place.join("bin/program"), fs::Permissions::from_mode(mode)).unwrap();
    place
}

/// The head of a program for a machine that this one is not.
fn foreign() -> Vec<u8> {
    const S390: u16 = 22;
    let mut head = vec![0x7f, b'E', b'L', b'F', 2, 2, 1, 0];
    head.resize(16, 0);
    head.extend(2_u16.to_be_bytes());
    head.extend(S390.to_be_bytes());
    head.resize(64, 0);
    head
}

/// Runs it by path and by name.
#[track_caller]
fn refused_both_ways(scratch: &Scratch, rootfs: &Path, code: i32, what: &str, cure: &str) {
    for name in ["/bin/program", "program"] {
        refused(lctr(scratch, run_on(rootfs, &[], &[name])), code, what, cure);
    }
}

#[test]
fn a_program_that_is_missing() {
    let scratch = Scratch::new();
    refused(lctr(&scratch, run(&[], &["/no/such"])), 127, "/no/such", "check the program's path");
    refused(lctr(&scratch, run(&[], &["no-such"])), 127, "no-such", "PATH");
}

#[test]
fn a_program_that_is_not_executable() {
    let scratch = Scratch::new();
    let rootfs = with_program(&scratch, b"#!/probe echo\n", 0o644);
    refused_both_ways(&scratch, &rootfs, 126, "program", "chmod +x");
}

#[test]
fn a_program_that_is_a_directory() {
    let scratch = Scratch::new();
    refused(lctr(&scratch, run(&[], &["/tmp"])), 126, "/tmp", "check that it is a file");
}

#[test]
fn a_script_whose_interpreter_is_missing() {
    let scratch = Scratch::new();
    let rootfs = with_program(&scratch, b"#!/no/such/interpreter -x\n", 0o755);
    refused_both_ways(&scratch, &rootfs, 127, "interpreter", "put the interpreter");
}

#[test]
fn a_program_for_another_machine() {
    let scratch = Scratch::new();
    let rootfs = with_program(&scratch, &foreign(), 0o755);
    refused_both_ways(&scratch, &rootfs, 126, "program", "another architecture");
}

#[test]
fn a_text_that_says_no_interpreter() {
    let scratch = Scratch::new();
    let rootfs = with_program(&scratch, b"echo hello\n", 0o755);
    refused_both_ways(&scratch, &rootfs, 126, "program", "script without a `#!` line");
}

#[test]
fn no_program_at_all() {
    let scratch = Scratch::new();
    let rootfs = rootfs::busybox().to_str().unwrap();
    refused(lctr(&scratch, ["run", "--rootfs", rootfs]), 125, "needs a program to run", "");
    refused(lctr(&scratch, run(&[], &[""])), 125, "the program's name is empty", "");
}

#[test]
fn a_root_file_system_that_is_missing_or_none() {
    let scratch = Scratch::new();
    let cases = [("/no/such/rootfs", "cannot be used", "check the path"), ("/etc/passwd", "is no directory", "")];
    for (rootfs, what, cure) in cases {
        for suffix in ["", ":ro", ":rw"] {
            let rootfs = format!("{rootfs}{suffix}");
            refused(lctr(&scratch, run_on(Path::new(&rootfs), &[], &["true"])), 125, what, cure);
        }
    }
    refused(lctr(&scratch, ["run", "--", "true"]), 125, "--rootfs", "--bundle");
}

#[test]
fn a_working_directory_that_is_none() {
    let scratch = Scratch::new();
    refused(lctr(&scratch, run(&["-w", "/etc/passwd"], &["true"])), 125, "etc/passwd", "-w");
    refused(lctr(&scratch, run(&["-w", "relative"], &["true"])), 125, "an absolute path", "");
}

#[test]
fn a_user_that_nobody_knows() {
    let scratch = Scratch::new();
    for user in ["nobody-knows", "0:no-group", "nobody-knows:0"] {
        refused(lctr(&scratch, run(&["-u", user], &["true"])), 125, "no", "-u");
    }
    lctr(&scratch, run(&["-u", "12345:54321"], &["id"])).quietly().stdout("uid=12345 gid=54321\n").code(0);
}

#[test]
fn a_volume_whose_source_is_missing() {
    let scratch = Scratch::new();
    let ran = lctr(&scratch, run(&["-v", "/no/such/source:/mnt"], &["true"]));
    refused(ran, 125, "/no/such/source", "check the path");
}

#[test]
fn limits_that_are_none() {
    let scratch = Scratch::new();
    for option in ["--memory=much", "--memory=0", "--cpus=-1", "--cpus=0", "--cpus=NaN", "--pids-limit=many"] {
        let ran: Ran = lctr(&scratch, run(&[option], &["true"])).stdout("").complains("lctr: ").code(125);
        assert!(!ran.complaint().contains("panicked"), "{ran:#?}");
    }
}

#[test]
fn the_same_of_an_exec_and_nothing_is_left_in_the_container() {
    let scratch = Scratch::new();
    background(&scratch, "c", &["/probe", "sleep"]);
    let exec = |options: &[&str], program: &str| lctr(&scratch, [&["exec"], options, &["c", program]].concat());
    refused(exec(&[], "/no/such"), 127, "/no/such", "check the program's path");
    refused(exec(&[], "/not-executable"), 126, "/not-executable", "chmod +x");
    refused(exec(&["-w", "/etc/passwd"], "true"), 125, "etc/passwd", "-w");
    refused(exec(&["-u", "nobody-knows"], "true"), 125, "nobody-knows", "-u");
    let inspected = lctr(&scratch, ["inspect", "c"]).code(0).json();
    assert_eq!(inspected[0]["processes"].as_array().unwrap().len(), 1, "{inspected:#}");
    remove(&scratch, &["c"]);
}
