//! C-22, C-25, C-26, C-28 and C-30: what lies on the disk belongs to us, is seen by nobody, and is found at any depth.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use libcontainerd_tests::lctr::{Ran, lctr, ran};
use libcontainerd_tests::nobody::{self, NOBODY};
use libcontainerd_tests::scratch::Scratch;
use libcontainerd_tests::{built, rootfs};

use crate::cell::{Cell, run};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

/// `lctr` on any two roots.
fn lctr_on(state: &Path, data: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(built::lctr());
    command.arg("--root").arg(state).arg("--data").arg(data).args(args);
    ran(command, b"")
}

/// Containers of every kind on one state root, in its state and data all that there ever is.
fn busy() -> Cell {
    let cell = Cell::running(&["-u", "1000"], &["sleep", "1000"]);
    run(&cell.scratch, &["-d", "-t", "--name", "terminal"], &["sleep", "1000"]).code(0);
    run(&cell.scratch, &["-d", "-i", "--name", "input"], &["cat"]).code(0);
    run(&cell.scratch, &["--name", "ended"], &["touch", "/made"]).code(0);
    cell.exec(&["-d", "--exec-id", "further"], &["sleep", "1000"]).code(0);
    cell
}

fn rest(cell: &Cell) {
    cell.lctr(&["rm", "-f", "terminal", "input", "ended"]).code(0);
}

#[test]
fn c22_nobody_sees_anything_of_state_and_data_while_containers_run() {
    let cell = busy();
    nobody::open_the_way(&cell.scratch.state());
    for root in [cell.scratch.state(), cell.scratch.data()] {
        assert!(nobody::all_below(&root).len() > 2, "there is nothing to see in {root:?}");
        for uid in [NOBODY, 1000] {
            assert_eq!(nobody::walk(&root, uid), Vec::<String>::new(), "as {uid}");
        }
    }
    rest(&cell);
}

#[test]
fn c25_every_file_socket_and_fifo_is_for_its_owner_alone() {
    let cell = busy();
    let below = |root: &Path| nobody::all_below(root).into_iter().skip(1).collect::<Vec<_>>();
    let overlay = cell.scratch.data().join("overlay");
    for path in below(&cell.scratch.state()).into_iter().chain(below(&cell.scratch.data())) {
        // What is inside a layer is the container's; nobody comes there.
        if path.starts_with(&overlay) && path != overlay {
            continue;
        }
        let about = fs::symlink_metadata(&path).unwrap();
        assert_eq!(about.mode() & 0o7077, 0, "{} is {:o}", path.display(), about.mode());
        let owners: &[u32] = if about.file_type().is_fifo() { &[0, 1000] } else { &[0] };
        assert!(owners.contains(&about.uid()), "{} is of {}", path.display(), about.uid());
        assert!(!about.file_type().is_symlink(), "{}", path.display());
    }
    assert_eq!(mode(&cell.directory().join("socket")), 0o600);
    assert_eq!((mode(&cell.scratch.state()), mode(&cell.scratch.data())), (0o711, 0o700));
    rest(&cell);
}

#[test]
fn c26_nobody_can_write_where_a_supervisor_will_read() {
    let cell = busy();
    nobody::open_the_way(&cell.scratch.state());
    let walked = nobody::walk(&cell.scratch.state(), NOBODY);
    assert!(!walked.iter().any(|line| line.starts_with("writes")), "{walked:?}");
    rest(&cell);
}

#[test]
fn c22_a_state_root_that_is_too_wide_is_tightened_before_anything_is_in_it() {
    let scratch = Scratch::new();
    for root in [scratch.state(), scratch.data()] {
        fs::create_dir(&root).unwrap();
        set_mode(&root, 0o777);
    }
    let cell = Cell::running_in(scratch, &[], &["sleep", "1000"]);
    assert_eq!(mode(&cell.scratch.state()) & !0o711, 0);
    assert_eq!(mode(&cell.scratch.data()) & !0o700, 0);
    set_mode(&cell.scratch.state().join("run"), 0o777);
    set_mode(&cell.scratch.state().join("bundles"), 0o777);
    cell.lctr(&["ps"]).code(0);
    run(&cell.scratch, &["--rm"], &["true"]).code(0);
    assert_eq!(mode(&cell.scratch.state().join("run")), 0o700);
    assert_eq!(mode(&cell.scratch.state().join("bundles")), 0o700);
}

#[test]
fn c22_a_directory_that_everybody_shares_is_no_state_root() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.state()).unwrap();
    set_mode(&scratch.state(), 0o1777);
    run(&scratch, &["--rm"], &["true"]).stdout("").code(125);
    assert_eq!(mode(&scratch.state()), 0o1777);
    assert_eq!(fs::read_dir(scratch.state()).unwrap().count(), 0);
}

#[test]
fn c28_long_paths_and_long_names_are_no_obstacle() {
    let scratch = Scratch::new();
    let missing = 200_usize.saturating_sub(scratch.place("").as_os_str().len());
    let state = scratch.place(&"s".repeat(missing.max(1)));
    assert!(state.as_os_str().len() >= 200);
    let (data, name) = (scratch.data(), "n".repeat(128));
    let root = rootfs::busybox().to_str().unwrap();
    let on = |args: &[&str]| lctr_on(&state, &data, args);
    on(&["run", "-d", "--name", &name, "--rootfs", root, "--", "sleep", "1000"]).quietly().code(0);
    on(&["exec", &name, "echo", "heard"]).quietly().stdout("heard\n").code(0);
    on(&["ps", "-q"]).stdout(&format!("{name}\n")).code(0);
    on(&["stop", "-t", "0", &name]).quietly().code(0);
    on(&["rm", &name]).quietly().code(0);
    assert_eq!(fs::read_dir(state.join("run")).unwrap().count(), 0);
}

#[test]
fn c30_a_root_behind_a_link_is_refused() {
    let scratch = Scratch::new();
    let elsewhere = scratch.place("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let root = rootfs::busybox().to_str().unwrap();
    for (state, data) in [("link", "data"), ("link/", "data"), ("state", "link")] {
        let _ = fs::remove_file(scratch.place("link"));
        symlink(&elsewhere, scratch.place("link")).unwrap();
        let (state, data) = (scratch.place(state), scratch.place(data));
        let ran = lctr_on(&state, &data, &["run", "--rm", "--rootfs", root, "--", "true"]).stdout("").code(125);
        assert!(ran.complaint().contains("link"), "{ran:?}");
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    }
}

#[test]
fn c30_a_root_of_somebody_else_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    let foreign = scratch.place("foreign");
    fs::create_dir(&foreign).unwrap();
    chown(&foreign, Some(4242), Some(4242)).unwrap();
    let root = rootfs::busybox().to_str().unwrap();
    for (state, data) in [(&foreign, &scratch.data()), (&scratch.state(), &foreign)] {
        for args in [&["run", "--rm", "--rootfs", root, "--", "true"][..], &["ps"], &["rm", "-f", "any"]] {
            let ran = lctr_on(state, data, args);
            assert!(matches!(ran.exit_code(), Some(1 | 125)), "{ran:?}");
            assert!(ran.complaint().contains(foreign.to_str().unwrap()), "{ran:?}");
        }
        assert_eq!(fs::read_dir(&foreign).unwrap().count(), 0);
        assert_eq!(fs::metadata(&foreign).unwrap().uid(), 4242);
    }
}

#[test]
fn c30_a_container_whose_directory_is_a_strangers_is_not_believed() {
    let cell = Cell::asleep();
    let planted = cell.scratch.state().join("run/planted");
    fs::create_dir(&planted).unwrap();
    for file in ["journal", "lock"] {
        fs::copy(cell.directory().join(file), planted.join(file)).unwrap();
    }
    chown(&planted, Some(4242), Some(4242)).unwrap();
    let ran = lctr(&cell.scratch, ["kill", "planted"]);
    assert_ne!(ran.exit_code(), Some(0), "{ran:?}");
    cell.exec(&[], &["true"]).code(0);
    fs::remove_dir_all(&planted).unwrap();
}
