//! FIFOs by name: what is made, what is refused, and that nothing blocks.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixListener;

use rustix::fs::{CWD, Mode};
use rustix::io::Errno;
use tempfile::TempDir;

use super::*;

struct Room {
    path: TempDir,
    dir: OwnedFd,
    us: u32,
}

impl Room {
    fn new() -> Self {
        let path = tempfile::tempdir().unwrap();
        let dir = File::open(path.path()).unwrap().into();
        let us = rustix::process::geteuid().as_raw();
        Self { path, dir, us }
    }

    fn with(name: &str) -> Self {
        let room = Self::new();
        make(room.dir.as_fd(), name, 0o600, None).unwrap();
        room
    }
}

#[test]
fn a_fifo_has_the_mode_and_owner_that_were_asked_for() {
    let room = Room::new();
    make(room.dir.as_fd(), "out", 0o622, Some((1234, 4321))).unwrap();
    let made = room.path.path().join("out").symlink_metadata().unwrap();
    assert_eq!(made.mode(), 0o010622, "the umask took nothing");
    assert_eq!((made.uid(), made.gid()), (1234, 4321));
}

#[test]
fn making_takes_over_nothing_that_stands_at_the_name() {
    let room = Room::with("out");
    let error = make(room.dir.as_fd(), "out", 0o666, None).unwrap_err();
    assert_eq!(error.io_kind(), Some(std::io::ErrorKind::AlreadyExists));
    assert_eq!(room.path.path().join("out").metadata().unwrap().mode() & 0o7777, 0o600);
}

#[test]
fn a_name_that_leads_elsewhere_is_refused() {
    let room = Room::new();
    for name in ["", ".", "..", "a/b", "../out", "/out", "a\0b"] {
        let dir = room.dir.as_fd();
        assert!(matches!(make(dir, name, 0o600, None), Err(Error::BadName { .. })), "{name:?}");
        assert!(matches!(open_reader(dir, name, &[room.us]), Err(Error::BadName { .. })), "{name:?}");
        assert!(matches!(remove(dir, name), Err(Error::BadName { .. })), "{name:?}");
    }
}

#[test]
fn whatever_is_not_a_fifo_is_refused() {
    let room = Room::with("real");
    let at = |name: &str| room.path.path().join(name);
    std::fs::write(at("file"), "kept").unwrap();
    std::fs::create_dir(at("directory")).unwrap();
    symlink("real", at("symlink")).unwrap();
    symlink("/nowhere", at("dangling")).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    let null = rustix::fs::makedev(1, 3);
    rustix::fs::mknodat(CWD, at("device"), FileType::CharacterDevice, Mode::RWXU, null).unwrap();
    let dir = room.dir.as_fd();
    for name in ["file", "directory", "symlink", "dangling", "socket", "device"] {
        for open in [open_reader, open_writer, open_keeper] {
            assert!(matches!(open(dir, name, &[room.us]), Err(Error::NotAFifo { .. })), "{name}");
        }
        let error = make(dir, name, 0o600, None).unwrap_err();
        assert_eq!(error.io_kind(), Some(std::io::ErrorKind::AlreadyExists), "{name}");
    }
    assert_eq!(std::fs::read(at("file")).unwrap(), b"kept");
}

#[test]
fn a_fifo_of_a_stranger_is_refused_and_one_of_a_known_owner_is_not() {
    let room = Room::new();
    let dir = room.dir.as_fd();
    make(dir, "out", 0o600, Some((4242, 4242))).unwrap();
    for open in [open_reader, open_writer, open_keeper] {
        let error = open(dir, "out", &[room.us, 7]).unwrap_err();
        assert!(matches!(error, Error::ForeignOwner { uid: 4242, .. }));
        open(dir, "out", &[room.us, 4242]).unwrap();
    }
}

#[test]
fn a_missing_fifo_is_said_to_be_missing() {
    let room = Room::new();
    let error = open_reader(room.dir.as_fd(), "out", &[room.us]).unwrap_err();
    assert_eq!(error.io_kind(), Some(std::io::ErrorKind::NotFound));
}

#[test]
fn no_open_waits_for_a_peer() {
    let room = Room::with("out");
    let dir = room.dir.as_fd();
    drop(open_writer(dir, "out", &[room.us]).unwrap());
    drop(open_reader(dir, "out", &[room.us]).unwrap());
    drop(open_keeper(dir, "out", &[room.us]).unwrap());
}

#[test]
fn descriptors_are_non_blocking_and_not_inherited() {
    let room = Room::with("out");
    for open in [open_reader, open_writer, open_keeper] {
        let end = open(room.dir.as_fd(), "out", &[room.us]).unwrap();
        assert!(rustix::fs::fcntl_getfl(&end).unwrap().contains(OFlags::NONBLOCK));
        assert!(rustix::io::fcntl_getfd(&end).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
    }
}

#[test]
fn a_keeper_keeps_the_bytes_and_both_ends() {
    let room = Room::with("out");
    let dir = room.dir.as_fd();
    let keeper = open_keeper(dir, "out", &[room.us]).unwrap();
    let writer = open_writer(dir, "out", &[room.us]).unwrap();
    rustix::io::write(&writer, b"early").unwrap();
    drop(writer);
    let reader = open_reader(dir, "out", &[room.us]).unwrap();
    let mut got = [0; 16];
    assert_eq!(rustix::io::read(&reader, &mut got[..]), Ok(5));
    assert_eq!(rustix::io::read(&reader, &mut got[..]), Err(Errno::AGAIN));
    drop(keeper);
    assert_eq!(rustix::io::read(&reader, &mut got[..]), Ok(0));
}

#[test]
fn removing_is_fine_when_nothing_is_there() {
    let room = Room::with("out");
    remove(room.dir.as_fd(), "out").unwrap();
    remove(room.dir.as_fd(), "out").unwrap();
    assert!(!room.path.path().join("out").exists());
}
