//! A disk that fills up under a container, at each step of its life: what cannot be done is said, what runs goes on,
//! the exit is told, and with room again everything works without a hand.
//!
//! STATE, DATA or both are small file systems of the test's own, which are filled to the last byte and emptied again.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use libcontainerd_tests::lctr::{Ran, lctr};
use libcontainerd_tests::rootfs;
use libcontainerd_tests::scratch::Scratch;

use crate::{background, run};

/// A small file system, until it is dropped.
#[derive(Debug)]
struct Disk {
    path: PathBuf,
}

impl Disk {
    fn mount(path: PathBuf) -> Disk {
        fs::create_dir_all(&path).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m,mode=755", "none"]).arg(&path).status();
        assert!(mounted.unwrap().success());
        Disk { path }
    }

    /// Takes all room, to the last byte.
    fn fill(&self) {
        let mut file = File::create(self.path.join("ballast")).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn empty(&self) {
        let _ = fs::remove_file(self.path.join("ballast"));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.path).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

/// When the disk fills up.
const MOMENTS: [&str; 6] =
    ["before create", "before start", "before exec", "before the signal", "before wait", "before rm"];

/// Where it is.
const DISKS: [&str; 2] = ["state", "data"];

/// It was done, or refused for want of room; says which.
#[track_caller]
fn done_or_refused(ran: &Ran, what: &str) -> bool {
    if ran.exit_code() == Some(0) {
        return true;
    }
    let complaint = ran.complaint();
    assert!(complaint.contains("make room"), "{what}: {ran:?}");
    assert!(complaint.lines().count() <= 2, "more than a line and its cure: {what}: {ran:?}");
    false
}

fn life(scratch: &Scratch, disk: &Disk, moment: &str, driver: &[&str]) {
    let fill = |now: &str| {
        if now == moment {
            disk.fill()
        }
    };
    let mut create = vec!["create", "--name", "c", "--rootfs", rootfs::busybox().to_str().unwrap()];
    create.extend(driver);
    create.extend(["--", "/probe", "on-term", "the end", "7"]);
    fill(MOMENTS[0]);
    let made = done_or_refused(&lctr(scratch, create), moment);
    fill(MOMENTS[1]);
    if made && done_or_refused(&lctr(scratch, ["start", "c"]), moment) {
        fill(MOMENTS[2]);
        let exec = lctr(scratch, ["exec", "c", "/probe", "exit", "0"]);
        done_or_refused(&exec, moment);
        fill(MOMENTS[3]);
        lctr(scratch, ["kill", "-s", "TERM", "c"]).code(0);
        fill(MOMENTS[4]);
        // A signal that comes before the program waits for it ends it all the same.
        let waited = lctr(scratch, ["wait", "c"]).code(0);
        assert!(["7\n", "143\n"].contains(&waited.text()), "{moment}: {waited:?}");
    }
    fill(MOMENTS[5]);
    if made {
        lctr(scratch, ["rm", "-f", "c"]).code(0);
    }
    disk.empty();
    lctr(scratch, run(&["--name", "next"], &["/probe", "exit", "5"])).quietly().code(5);
    assert_eq!(lctr(scratch, ["ps", "-a", "-q"]).code(0).text(), "", "{moment}");
}

fn lives(driver: &[&str]) {
    for place in DISKS {
        for moment in MOMENTS {
            let scratch = Scratch::new();
            let disk = Disk::mount(scratch.place(place));
            life(&scratch, &disk, moment, driver);
            assert_eq!(scratch.left_over().iter().filter(|left| !is_disk(left, &disk.path)).count(), 0, "{moment}");
        }
    }
}

/// Whether it is the test's own mount.
fn is_disk(left: &str, path: &Path) -> bool {
    left == format!("mount {}", path.display())
}

#[test]
fn a_disk_that_fills_up_at_any_moment_costs_no_exit_and_no_hand() {
    lives(&["--log-driver", "none"]);
}

#[test]
fn a_disk_that_fills_up_under_kept_output_costs_no_exit_and_no_hand() {
    lives(&["--log-driver", "kept"]);
}

#[test]
fn output_without_room_is_dropped_and_counted_while_the_program_goes_on() {
    let scratch = Scratch::new();
    let disk = Disk::mount(scratch.data());
    // More than the disk has, in less than what is kept by default.
    background(&scratch, "c", &["/bin/sh", "-c", "head -c 12m /dev/zero; echo the end; exit 6"]);
    lctr(&scratch, ["wait", "c"]).stdout("6\n");
    let logs = lctr(&scratch, ["logs", "-f", "c"]).code(0);
    assert!(logs.text().len() < 12 << 20, "{} bytes", logs.text().len());
    let _ = logs.complains("not kept");
    lctr(&scratch, ["rm", "c"]).code(0);
    drop(disk);
}
