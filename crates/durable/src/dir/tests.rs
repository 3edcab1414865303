//! Promises of `dir`, kept on a real file system.
//! They need root, to give things to somebody else.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use super::*;
use crate::scratch::Scratch;

const STRANGER: u32 = 65534;

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_root_is_made_with_its_parents_and_exactly_its_mode() {
    let scratch = Scratch::new();
    let root = scratch.path("a/b/root");
    Dir::open_root(&root, 0o711).unwrap();
    assert_eq!(mode(&root), 0o711);
    assert_eq!(mode(&scratch.path("a")) & !0o755, 0);
}

#[test]
fn a_root_that_is_too_wide_is_tightened() {
    let scratch = Scratch::new();
    let root = scratch.path("root");
    std::fs::create_dir(&root).unwrap();
    set_mode(&root, 0o777);
    Dir::open_root(&root, 0o711).unwrap();
    assert_eq!(mode(&root), 0o711);
}

#[test]
fn a_root_that_is_narrower_stays_so() {
    let scratch = Scratch::new();
    let root = scratch.path("root");
    std::fs::create_dir(&root).unwrap();
    set_mode(&root, 0o700);
    Dir::open_root(&root, 0o711).unwrap();
    assert_eq!(mode(&root), 0o700);
}

#[test]
fn a_directory_that_all_users_share_is_never_a_root() {
    let scratch = Scratch::new();
    let root = scratch.path("tmp");
    std::fs::create_dir(&root).unwrap();
    set_mode(&root, 0o1777);
    assert!(matches!(Dir::open_root(&root, 0o711), Err(Error::TooWide { .. })));
    assert_eq!(mode(&root), 0o1777);
    assert!(matches!(Dir::open_root(Path::new("/"), 0o711), Err(Error::Name(_))));
}

#[test]
fn a_root_of_somebody_else_is_refused() {
    let scratch = Scratch::new();
    let root = scratch.path("root");
    std::fs::create_dir(&root).unwrap();
    std::os::unix::fs::chown(&root, Some(STRANGER), None).unwrap();
    assert!(matches!(Dir::open_root(&root, 0o711), Err(Error::Foreign { owner: STRANGER, .. })));
}

#[test]
fn c30_a_root_that_is_a_link_is_refused_with_and_without_a_slash() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("real")).unwrap();
    symlink("real", scratch.path("link")).unwrap();
    for name in ["link", "link/", "link/."] {
        assert!(matches!(Dir::open_root(&scratch.path(name), 0o711), Err(Error::WrongKind { .. })), "{name}");
    }
}

#[test]
fn a_root_that_is_a_file_is_refused() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path("file"), "").unwrap();
    assert!(matches!(Dir::open_root(&scratch.path("file"), 0o711), Err(Error::WrongKind { .. })));
}

#[test]
fn a_directory_is_made_with_exactly_its_mode_and_owner() {
    let scratch = Scratch::new();
    scratch.dir.make("mapped", 0o2770, Some((STRANGER, 77))).unwrap();
    let found = std::fs::metadata(scratch.path("mapped")).unwrap();
    assert_eq!((found.uid(), found.gid(), mode(&scratch.path("mapped"))), (STRANGER, 77, 0o2770));
}

#[test]
fn a_name_is_taken_once() {
    let scratch = Scratch::new();
    scratch.dir.make("name", 0o700, None).unwrap();
    assert!(matches!(scratch.dir.make("name", 0o700, None), Err(Error::Exists(_))));
    symlink("nowhere", scratch.path("link")).unwrap();
    assert!(matches!(scratch.dir.make("link", 0o700, None), Err(Error::Exists(_))));
}

#[test]
fn what_exists_is_ensured_only_if_it_is_a_directory_of_ours() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("wide")).unwrap();
    set_mode(&scratch.path("wide"), 0o777);
    scratch.dir.ensure("wide", 0o700).unwrap();
    assert_eq!(mode(&scratch.path("wide")), 0o700);
    scratch.dir.make("foreign", 0o700, Some((STRANGER, STRANGER))).unwrap();
    assert!(matches!(scratch.dir.ensure("foreign", 0o700), Err(Error::Foreign { .. })));
    symlink("wide", scratch.path("link")).unwrap();
    assert!(matches!(scratch.dir.ensure("link", 0o700), Err(Error::WrongKind { .. })));
}

#[test]
fn c12_what_is_no_single_name_is_refused_by_every_call() {
    let scratch = Scratch::new();
    let dir = &scratch.dir;
    std::fs::write(scratch.above.path().join("canary"), "alive").unwrap();
    for name in ["", ".", "..", "../canary", "a/b", "/", "/etc", "a\0b"] {
        let results = [
            dir.make(name, 0o700, None).err(),
            dir.ensure(name, 0o700).err(),
            dir.open(name).err(),
            dir.read(name, 10).err(),
            dir.remove_file(name).err(),
            dir.remove_dir(name).err(),
            dir.rename(name, "to").err(),
            dir.rename("from", name).err(),
            crate::tree::remove(dir, name).err(),
            crate::write_atomic(dir, name, 0o600, b"").err(),
            crate::write_new(dir, name, 0o600, None, b"", false).err(),
            crate::Journal::create(dir, name, 0).err(),
            crate::Lock::try_exclusive(dir, name).err(),
        ];
        for (call, result) in results.iter().enumerate() {
            assert!(matches!(result, Some(Error::Name(_))), "call {call} of {name:?}: {result:?}");
        }
    }
    assert_eq!(std::fs::read(scratch.above.path().join("canary")).unwrap(), b"alive");
}

#[test]
fn a_file_is_read_up_to_its_limit_and_not_beyond() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path("file"), [7; 40_000]).unwrap();
    assert_eq!(scratch.dir.read("file", 40_000).unwrap(), [7; 40_000]);
    assert!(matches!(scratch.dir.read("file", 39_999), Err(Error::TooLong { max: 39_999, .. })));
}

#[test]
fn what_is_no_file_is_not_read_and_does_not_block() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path("file"), "secret").unwrap();
    symlink("file", scratch.path("link")).unwrap();
    let fifo = Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(&scratch.dir, "fifo", FileType::Fifo, fifo, 0).unwrap();
    scratch.dir.make("dir", 0o700, None).unwrap();
    for name in ["link", "fifo", "dir"] {
        assert!(matches!(scratch.dir.read(name, 10), Err(Error::WrongKind { .. })), "{name}");
    }
}

#[test]
fn names_are_listed_again_from_the_start_each_time() {
    let scratch = Scratch::new();
    for name in ["one", "two"] {
        scratch.dir.make(name, 0o700, None).unwrap();
    }
    for _ in 0..2 {
        let mut names = scratch.dir.names().unwrap();
        names.sort();
        assert_eq!(names, ["one", "two"]);
    }
}

#[test]
fn a_directory_that_was_renamed_is_still_the_one_that_is_meant() {
    let scratch = Scratch::new();
    let dir = scratch.dir.make("old", 0o700, None).unwrap();
    scratch.dir.rename("old", "new").unwrap();
    scratch.dir.make("old", 0o700, None).unwrap();
    dir.make("inside", 0o700, None).unwrap();
    assert!(scratch.path("new/inside").exists() && !scratch.path("old/inside").exists());
}

#[test]
fn an_error_names_the_act_and_the_path_and_leaves_the_cause_to_its_source() {
    let scratch = Scratch::new();
    let error = scratch.dir.open("missing").unwrap_err();
    let path: PathBuf = scratch.path("missing");
    assert_eq!(error.to_string(), format!("cannot open {}", path.display()));
    assert!(error.is_not_found() && std::error::Error::source(&error).is_some());
}
