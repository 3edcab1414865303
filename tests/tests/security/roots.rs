//! C-3, C-6 and C-7 on whole containers: root file systems that attack, and roots that hold our own state.

use std::fs;

use libcontainerd_tests::built;
use libcontainerd_tests::evil::{self, Victim};
use libcontainerd_tests::host_hash::HostHash;
use libcontainerd_tests::lctr::Ran;
use libcontainerd_tests::scratch::Scratch;

use crate::cell::{Cell, run_on};

/// Runs the probe on a tree in every way that matters, and gives each try's name with how it went.
fn tries(scratch: &Scratch, root: &str) -> Vec<(String, Ran)> {
    let place = scratch.place("volume");
    fs::create_dir_all(&place).unwrap();
    let volume = format!("{}:/mnt/made/deep", place.display());
    let mut tries = Vec::new();
    let ways: [(&str, &[&str]); 5] = [
        ("", &["-u", "0:0"]),
        ("", &["-u", "tester"]),
        (":rw", &["-u", "0:0", "-v", &volume]),
        (":rw", &["-u", "tester"]),
        (":ro", &["-u", "0:0"]),
    ];
    for (mode, flags) in ways {
        let flags = [&["--rm"], flags].concat();
        let ran = run_on(scratch, &format!("{root}{mode}"), &flags, &["/probe", "echo", "alive"]);
        tries.push((format!("{mode} {flags:?}"), ran));
    }
    tries
}

#[test]
fn c06_no_evil_root_touches_the_host_or_its_victim() {
    let before = HostHash::take(&[built::lctr()]);
    let scratch = Scratch::new();
    let victim = Victim::new(scratch.place("victim"));
    for (number, tree) in evil::ALL.iter().enumerate() {
        let root = scratch.place(&format!("tree-{number}"));
        tree.make(&root, &victim);
        for (how, ran) in tries(&scratch, root.to_str().unwrap()) {
            let by = format!("{}, {how}: {ran:?}", tree.name);
            victim.assert_untouched(&by);
            match ran.exit_code() {
                Some(0) => assert_eq!(ran.text(), "alive\n", "{by}"),
                Some(125..=127) => assert!(ran.text().is_empty() && ran.complaint().starts_with("lctr: "), "{by}"),
                _ => panic!("{by}"),
            }
        }
    }
    before.assert_unchanged();
}

#[test]
fn c07_a_root_with_linked_proc_sys_or_dev_is_refused_in_words() {
    let scratch = Scratch::new();
    let victim = Victim::new(scratch.place("victim"));
    for name in ["proc is a link to the victim", "sys is a link to the victim", "dev is a link to the victim"] {
        let tree = evil::ALL.iter().find(|tree| tree.name == name).unwrap();
        let root = scratch.place(&name.replace(' ', "-"));
        tree.make(&root, &victim);
        run_on(&scratch, root.to_str().unwrap(), &["--rm"], &["/probe", "echo", "alive"]).stdout("").code(125);
    }
    victim.assert_untouched("all");
}

#[test]
fn c03_masks_hold_on_a_root_whose_null_is_false() {
    let before = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let scratch = Scratch::new();
    let victim = Victim::new(scratch.place("victim"));
    let nulls = evil::ALL.iter().filter(|tree| tree.name.starts_with("dev/null"));
    for (number, tree) in nulls.enumerate() {
        let root = scratch.place(&format!("tree-{number}"));
        tree.make(&root, &victim);
        let busybox = libcontainerd_tests::rootfs::busybox().join("bin/busybox");
        fs::create_dir(root.join("bin")).unwrap();
        fs::copy(busybox, root.join("bin/busybox")).unwrap();
        let script = "/bin/busybox stat -c %t:%T /dev/null /proc/interrupts; /bin/busybox cat /proc/interrupts";
        let ran = run_on(&scratch, root.to_str().unwrap(), &["--rm"], &["/bin/busybox", "sh", "-c", script]);
        ran.quietly().stdout("1:3\n1:3\n").code(0);
    }
    assert_eq!(fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap(), before);
}

#[test]
fn the_hosts_root_shows_nothing_of_state_and_data_inside() {
    let cell = Cell::asleep();
    let (state, data) = (cell.scratch.state(), cell.scratch.data());
    let script = format!(
        "for d in {} {}; do ls -A $d; touch $d/made 2>/dev/null && echo written; done; echo looked",
        state.display(),
        data.display()
    );
    for mode in ["", ":rw", ":ro"] {
        let ran = run_on(&cell.scratch, &format!("/{mode}"), &["--rm"], &["/bin/sh", "-c", &script]);
        ran.stdout("looked\n").code(0);
    }
    let bind = format!("{}:/above", state.parent().unwrap().display());
    let script = "ls -A /above/state /above/data; touch /above/state/x 2>/dev/null && echo written; echo looked";
    let ran = run_on(&cell.scratch, "/", &["--rm", "-v", &bind], &["/bin/sh", "-c", script]);
    ran.stdout("/above/data:\n\n/above/state:\nlooked\n").code(0);
    assert!(state.join("run/cell/journal").exists());
}
