//! The recorder behind the seam, in unit tests: what was done to the disk, in order.
//!
//! It notes what the thread that asked for it did, with files told apart by creation, not by name or inode number,
//! which are used again. A recording is of one directory.

use std::cell::RefCell;
use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd};

/// Which file, counted by creation.
pub(crate) type FileNumber = usize;

/// One change of the disk, or a mark of the test's between changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Op {
    Create {
        name: Vec<u8>,
        file: FileNumber,
    },
    Append {
        file: FileNumber,
        bytes: Vec<u8>,
    },
    Truncate {
        file: FileNumber,
        length: u64,
    },
    Sync {
        file: FileNumber,
    },
    SyncDir,
    Rename {
        from: Vec<u8>,
        to: Vec<u8>,
    },
    Unlink {
        name: Vec<u8>,
    },
    /// From now on, state number so-and-so may be found.
    Begin(usize),
    /// From now on, nothing older than state number so-and-so may be found.
    Done(usize),
}

#[derive(Default)]
struct Recording {
    ops: Vec<Op>,
    files: HashMap<(u64, u64), FileNumber>,
    count: usize,
}

thread_local! {
    static RECORDING: RefCell<Option<Recording>> = const { RefCell::new(None) };
}

/// Records what `act` does in this thread. Files of `known` names count first, in their order.
pub(crate) fn record(dir: impl AsFd, known: &[&str], act: impl FnOnce()) -> Vec<Op> {
    let mut recording = Recording::default();
    for name in known {
        let stat = rustix::fs::statat(&dir, *name, rustix::fs::AtFlags::empty()).unwrap();
        recording.files.insert((stat.st_dev, stat.st_ino), recording.count);
        recording.count += 1;
    }
    RECORDING.with_borrow_mut(|current| *current = Some(recording));
    act();
    RECORDING.with_borrow_mut(|current| current.take().unwrap().ops)
}

/// Leaves a mark of the test's own.
pub(crate) fn mark(op: Op) {
    note(|_| op);
}

pub(super) fn created(_dir: BorrowedFd<'_>, name: &[u8], file: impl AsFd) {
    note(|recording| {
        let number = recording.count;
        recording.count += 1;
        recording.files.insert(identity(file), number);
        Op::Create { name: name.to_vec(), file: number }
    });
}

pub(super) fn wrote(file: BorrowedFd<'_>, bytes: &[u8]) {
    note(|recording| Op::Append { file: recording.file(file), bytes: bytes.to_vec() });
}

pub(super) fn truncated(file: BorrowedFd<'_>, length: u64) {
    note(|recording| Op::Truncate { file: recording.file(file), length });
}

pub(super) fn synced(file: BorrowedFd<'_>) {
    note(|recording| Op::Sync { file: recording.file(file) });
}

pub(super) fn synced_dir(_dir: BorrowedFd<'_>) {
    note(|_| Op::SyncDir);
}

pub(super) fn renamed(_dir: BorrowedFd<'_>, from: &[u8], to: &[u8]) {
    note(|_| Op::Rename { from: from.to_vec(), to: to.to_vec() });
}

pub(super) fn unlinked(_dir: BorrowedFd<'_>, name: &[u8]) {
    note(|_| Op::Unlink { name: name.to_vec() });
}

fn note(op: impl FnOnce(&mut Recording) -> Op) {
    RECORDING.with_borrow_mut(|current| {
        if let Some(recording) = current {
            let op = op(recording);
            recording.ops.push(op);
        }
    });
}

impl Recording {
    fn file(&self, file: BorrowedFd<'_>) -> FileNumber {
        self.files[&identity(file)]
    }
}

fn identity(file: impl AsFd) -> (u64, u64) {
    let stat = rustix::fs::fstat(file).unwrap();
    (stat.st_dev, stat.st_ino)
}
