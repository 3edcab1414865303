//! A disk without room, which is a small tmpfs.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use libcontainerd_stream::log::{Channel, From, Limits, Piece, Read, Reader, Taken, Why, Writer, tail};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::{directory, look, take_all};

const MIB: usize = 1 << 20;

/// A tmpfs of 4 MiB, half of which other people's files take, and a pipe.
struct SmallDisk {
    at: tempfile::TempDir,
    pipe: (OwnedFd, OwnedFd),
}

impl SmallDisk {
    fn new() -> Self {
        let at = tempfile::tempdir().unwrap();
        mount("none", at.path(), c"tmpfs", MountFlags::empty(), c"size=4m").unwrap();
        fs::create_dir(at.path().join("log")).unwrap();
        fs::write(at.path().join("other"), vec![0; 2 * MIB]).unwrap();
        Self { at, pipe: pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).unwrap() }
    }

    fn log(&self) -> PathBuf {
        self.at.path().join("log")
    }

    fn make_room(&self) {
        fs::remove_file(self.at.path().join("other")).unwrap();
    }

    /// Fills what is left to the last byte.
    fn fill(&self) {
        let filling = self.at.path().join("filling");
        let mut bytes = vec![0; 4 * MIB];
        while !bytes.is_empty() {
            if fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(&filling)
                .is_ok_and(|mut file| std::io::Write::write_all(&mut file, &bytes).is_ok())
            {
                continue;
            }
            bytes.truncate(bytes.len() / 2);
        }
    }

    fn say(&self, bytes: &[u8]) {
        assert_eq!(rustix::io::write(&self.pipe.1, bytes).unwrap(), bytes.len());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = unmount(self.at.path(), UnmountFlags::DETACH);
    }
}

fn read(path: &Path) -> Vec<Piece> {
    look(&mut Reader::open(directory(path), Read { from: From::Start, ..Read::default() }).unwrap()).0
}

fn bytes_of(pieces: &[Piece]) -> usize {
    let of = |piece: &Piece| if let Piece::Bytes { bytes, .. } = piece { bytes.len() } else { 0 };
    pieces.iter().map(of).sum()
}

fn lost_of(pieces: &[Piece]) -> u64 {
    let of = |piece: &Piece| if let Piece::Lost { from, to } = piece { to - from } else { 0 };
    pieces.iter().map(of).sum()
}

#[test]
fn a_full_disk_drops_and_counts_and_goes_on() {
    let disk = SmallDisk::new();
    let limits = Limits { segment: MIB as u64, segments: Some(64), drop_when_full: true };
    let mut writer = Writer::open(directory(&disk.log()), limits, &[Channel::Stdout]).unwrap();
    let said = 3 * MIB as u64;
    for _ in 0..said / 4096 {
        disk.say(&[b'x'; 4096]);
        take_all(&mut writer, Channel::Stdout, &disk.pipe.0);
    }
    assert_eq!(writer.offset(), said);
    assert!(writer.trouble().is_some());
    let pieces = read(&disk.log());
    assert_eq!(bytes_of(&pieces) as u64 + lost_of(&pieces), said);
    assert!(lost_of(&pieces) > 0 && bytes_of(&pieces) > MIB);
    disk.make_room();
    // The disk is tried again after a second.
    let (begin, mut last) = (Instant::now(), [0; 8]);
    while !tail(directory(&disk.log()), Channel::Stdout, 1).unwrap().ends_with(b"!") {
        assert!(begin.elapsed() < Duration::from_secs(60), "there is room, but nothing is kept");
        last = *b"and now!";
        disk.say(&last);
        take_all(&mut writer, Channel::Stdout, &disk.pipe.0);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(tail(directory(&disk.log()), Channel::Stdout, 8).unwrap(), last);
    let pieces = read(&disk.log());
    assert_eq!(bytes_of(&pieces) as u64 + lost_of(&pieces), writer.offset());
}

#[test]
fn a_full_disk_leaves_the_bytes_in_the_pipe_where_none_may_be_lost() {
    let disk = SmallDisk::new();
    let limits = Limits { segment: MIB as u64, segments: None, drop_when_full: false };
    let mut writer = Writer::open(directory(&disk.log()), limits, &[Channel::Stdout]).unwrap();
    let mut said = 0;
    loop {
        disk.say(&[b'x'; 4096]);
        said += 4096;
        if take_all(&mut writer, Channel::Stdout, &disk.pipe.0).contains(&Taken::NoRoom) {
            break;
        }
    }
    let held = rustix::io::ioctl_fionread(&disk.pipe.0).unwrap();
    assert!(held > 0 && writer.offset() + held == said);
    disk.make_room();
    let begin = Instant::now();
    while take_all(&mut writer, Channel::Stdout, &disk.pipe.0).contains(&Taken::NoRoom) {
        assert!(begin.elapsed() < Duration::from_secs(60), "there is room, but nothing is kept");
        std::thread::sleep(Duration::from_millis(50));
    }
    let pieces = read(&disk.log());
    assert_eq!((bytes_of(&pieces) as u64, lost_of(&pieces)), (said, 0));
}

#[test]
fn on_a_disk_without_a_byte_left_losses_and_ends_are_still_written_down() {
    let disk = SmallDisk::new();
    let limits = Limits { segment: MIB as u64, segments: Some(4), drop_when_full: true };
    let both = [Channel::Stdout, Channel::Stderr];
    let mut writer = Writer::open(directory(&disk.log()), limits, &both).unwrap();
    disk.fill();
    // What is reserved for the segment itself is used first.
    for _ in 0..100 {
        disk.say(&[b'x'; 4096]);
        take_all(&mut writer, Channel::Stdout, &disk.pipe.0);
    }
    writer.end(Channel::Stdout, Why::Closed).unwrap();
    writer.end(Channel::Stderr, Why::Drained).unwrap();
    drop(writer);
    let pieces = read(&disk.log());
    assert!(lost_of(&pieces) > 0);
    assert_eq!(bytes_of(&pieces) as u64 + lost_of(&pieces), 100 * 4096);
    assert_eq!(pieces.iter().filter(|piece| matches!(piece, Piece::End { .. })).count(), 2);
    let successor = Writer::resume(directory(&disk.log()), limits, &both).unwrap();
    assert_eq!((successor.offset(), successor.repaired()), (100 * 4096, None));
    assert!(both.iter().all(|&channel| successor.ended(channel)));
}

#[test]
fn a_disk_that_is_read_only_keeps_nobody_from_opening_and_goes_on_once_it_is_not() {
    let disk = SmallDisk::new();
    let limits = Limits { segment: MIB as u64, segments: Some(4), drop_when_full: true };
    let mut writer = Writer::open(directory(&disk.log()), limits, &[Channel::Stdout]).unwrap();
    disk.say(b"before");
    take_all(&mut writer, Channel::Stdout, &disk.pipe.0);
    drop(writer);
    mount_remount(disk.at.path(), MountFlags::RDONLY, "").unwrap();
    let mut writer = Writer::resume(directory(&disk.log()), limits, &[Channel::Stdout]).unwrap();
    disk.say(b"gone");
    assert_eq!(take_all(&mut writer, Channel::Stdout, &disk.pipe.0)[0], Taken::Dropped(4));
    mount_remount(disk.at.path(), MountFlags::empty(), "").unwrap();
    let begin = Instant::now();
    while tail(directory(&disk.log()), Channel::Stdout, 5).unwrap() != b"after" {
        assert!(begin.elapsed() < Duration::from_secs(60), "there is room, but nothing is kept");
        disk.say(b"after");
        take_all(&mut writer, Channel::Stdout, &disk.pipe.0);
        std::thread::sleep(Duration::from_millis(50));
    }
    let pieces = read(&disk.log());
    assert_eq!(bytes_of(&pieces) as u64 + lost_of(&pieces), writer.offset());
}
