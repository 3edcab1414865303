//! Descriptors of the caller's own: how they end, and that they stay as they were.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use libcontainerd_fifo_io::{DescriptorReader, DescriptorWriter};
use libcontainerd_stream::fifo;
use rustix::fs::{Mode, OFlags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::peers::{pipe, sockets, terminal};

#[tokio::test]
async fn a_callers_description_is_never_made_non_blocking() {
    let (master, slave) = terminal();
    let file: OwnedFd = tempfile::tempfile().unwrap().into();
    let named = named_pipe();
    for theirs in [slave, master, pipe().0, pipe().1, sockets().0, file, named] {
        let before = rustix::fs::fcntl_getfl(&theirs).unwrap();
        let _reader = DescriptorReader::new(theirs.try_clone().unwrap()).unwrap();
        let _writer = DescriptorWriter::new(theirs.try_clone().unwrap()).unwrap();
        assert_eq!(rustix::fs::fcntl_getfl(&theirs).unwrap(), before);
        assert!(!before.contains(OFlags::NONBLOCK));
    }
}

#[tokio::test]
async fn a_pipe_ends_when_its_writer_is_gone() {
    let (from, to) = pipe();
    let (mut reader, mut writer) = (DescriptorReader::new(from).unwrap(), DescriptorWriter::new(to).unwrap());
    writer.write_all(b"to the end").await.unwrap();
    writer.shutdown().await.unwrap();
    let mut got = String::new();
    reader.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "to the end");
}

#[tokio::test]
async fn a_named_pipe_whose_writer_left_before_we_came_ends_too() {
    let reading = named_pipe();
    let mut reader = DescriptorReader::new(reading).unwrap();
    let mut got = String::new();
    reader.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "left behind");
}

#[tokio::test]
async fn a_terminal_ends_when_its_master_is_gone() {
    let (master, slave) = terminal();
    let mut reader = DescriptorReader::new(slave).unwrap();
    let waiting = tokio::spawn(async move { reader.read(&mut [0; 10]).await });
    tokio::task::yield_now().await;
    drop(master);
    assert_eq!(waiting.await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn a_master_ends_when_its_terminal_is_gone() {
    let (master, slave) = terminal();
    let mut reader = DescriptorReader::new(master).unwrap();
    rustix::io::write(&slave, b"last words").unwrap();
    drop(slave);
    let mut got = String::new();
    reader.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "last words");
}

#[tokio::test]
async fn a_file_is_read_on_from_where_the_caller_was() {
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), "read,unread").unwrap();
    let mut theirs = File::open(path.path()).unwrap();
    std::io::Read::read_exact(&mut theirs, &mut [0; 5]).unwrap();
    let mut got = String::new();
    DescriptorReader::new(theirs.into()).unwrap().read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "unread");
}

#[tokio::test]
async fn a_write_to_a_closed_pipe_is_an_error_and_no_signal() {
    let (reader, to) = pipe();
    let mut writer = DescriptorWriter::new(to).unwrap();
    drop(reader);
    let error = writer.write_all(b"unheard").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn a_sink_that_was_shut_down_takes_nothing() {
    let mut writer = DescriptorWriter::new(pipe().1).unwrap();
    writer.shutdown().await.unwrap();
    let error = writer.write_all(b"late").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
}

/// The blocking read end of a FIFO, as a shell opens it, whose writer has come and gone.
fn named_pipe() -> OwnedFd {
    let room = tempfile::tempdir().unwrap();
    let dir = File::open(room.path()).unwrap();
    let us = [rustix::process::geteuid().as_raw()];
    fifo::make(dir.as_fd(), "in", 0o600, None).unwrap();
    let writer = fifo::open_keeper(dir.as_fd(), "in", &us).unwrap();
    rustix::io::write(&writer, b"left behind").unwrap();
    let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).unwrap()
}
