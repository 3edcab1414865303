//! Promises of `file`, kept on a real file system.
//! Full disks are small file systems in memory, mounted where only the test sees them.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;
use crate::scratch::{Scratch, mount_small, with_own_mounts};

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn an_atomic_write_replaces_contents_and_mode() {
    let scratch = Scratch::new();
    write_atomic(&scratch.dir, "file", 0o644, b"old").unwrap();
    write_atomic(&scratch.dir, "file", 0o600, b"new").unwrap();
    assert_eq!(std::fs::read(scratch.path("file")).unwrap(), b"new");
    assert_eq!(mode(&scratch.path("file")), 0o600);
    assert_eq!(scratch.dir.names().unwrap(), ["file"]);
}

#[test]
fn an_atomic_write_replaces_a_link_and_not_what_it_points_to() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path("target"), "kept").unwrap();
    symlink("target", scratch.path("link")).unwrap();
    write_atomic(&scratch.dir, "link", 0o600, b"new").unwrap();
    assert_eq!(std::fs::read(scratch.path("target")).unwrap(), b"kept");
    assert!(std::fs::symlink_metadata(scratch.path("link")).unwrap().is_file());
}

#[test]
fn the_longest_name_can_be_written_atomically() {
    let scratch = Scratch::new();
    let name = "n".repeat(255);
    write_atomic(&scratch.dir, &name, 0o600, b"contents").unwrap();
    assert_eq!(std::fs::read(scratch.path(&name)).unwrap(), b"contents");
}

#[test]
fn concurrent_atomic_writes_leave_one_of_them_whole() {
    let scratch = Scratch::new();
    let contents: Vec<Vec<u8>> = (0..8).map(|writer| vec![writer; 10_000]).collect();
    std::thread::scope(|scope| {
        for contents in &contents {
            scope.spawn(|| (0..50).for_each(|_| write_atomic(&scratch.dir, "file", 0o600, contents).unwrap()));
        }
    });
    assert!(contents.contains(&std::fs::read(scratch.path("file")).unwrap()));
    assert_eq!(scratch.dir.names().unwrap(), ["file"]);
}

#[test]
fn a_new_file_has_its_owner_and_exactly_its_mode() {
    let scratch = Scratch::new();
    write_new(&scratch.dir, "file", 0o640, Some((1000, 2000)), b"contents", true).unwrap();
    let found = std::fs::metadata(scratch.path("file")).unwrap();
    assert_eq!((found.uid(), found.gid(), found.mode() & 0o7777), (1000, 2000, 0o640));
}

#[test]
fn a_new_file_takes_no_name_that_is_taken() {
    let scratch = Scratch::new();
    symlink("nowhere", scratch.path("link")).unwrap();
    std::fs::write(scratch.path("file"), "kept").unwrap();
    for name in ["link", "file"] {
        assert!(matches!(write_new(&scratch.dir, name, 0o600, None, b"new", false), Err(Error::Exists(_))), "{name}");
    }
    assert_eq!(std::fs::read(scratch.path("file")).unwrap(), b"kept");
    assert!(!scratch.path("nowhere").exists());
}

#[test]
fn a_full_disk_leaves_the_old_contents_and_nothing_new() {
    with_own_mounts(|scratch| {
        mount_small(scratch.dir.path(), 64 * 1024);
        let dir = Dir::open_path(scratch.dir.path()).unwrap();
        write_atomic(&dir, "file", 0o600, b"old").unwrap();
        let large = vec![b'x'; 1024 * 1024];
        let failed = write_atomic(&dir, "file", 0o600, &large).unwrap_err();
        assert!(matches!(failed, Error::Write(..)) && failed.is_full(), "{failed:?}");
        let failed = write_new(&dir, "other", 0o600, None, &large, true).unwrap_err();
        assert!(matches!(failed, Error::Write(..)) && failed.is_full(), "{failed:?}");
        assert_eq!(dir.names().unwrap(), ["file"]);
        assert_eq!(dir.read("file", 100).unwrap(), b"old");
    });
}

#[test]
fn what_a_crash_left_does_not_disturb_and_is_known() {
    let scratch = Scratch::new();
    let process = std::process::id();
    for call in 0..200 {
        let name = format!("{TEMPORARY_START}{process}-{call}-file");
        std::fs::write(scratch.path(&name), "half").unwrap();
        assert!(is_temporary(&name));
    }
    write_atomic(&scratch.dir, "file", 0o600, b"whole").unwrap();
    assert_eq!(scratch.dir.read("file", 100).unwrap(), b"whole");
    assert!(!is_temporary("file"));
}
