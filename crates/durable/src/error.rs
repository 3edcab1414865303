//! What can go wrong between us and a disk: one variant for each act that failed.
//!
//! Variants that carry an operating system error name the act and the path; its text is left to `source`, so that a
//! chain of causes prints each once. The others are refusals of our own, where the system would have gone on.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// An act on a disk that failed, or that was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory could not be opened.
    #[error("cannot open {}", .0.display())]
    Open(PathBuf, #[source] io::Error),
    /// A file could not be made.
    #[error("cannot create {}", .0.display())]
    Create(PathBuf, #[source] io::Error),
    /// A directory could not be made.
    #[error("cannot make directory {}", .0.display())]
    MakeDir(PathBuf, #[source] io::Error),
    /// A file or directory could not be read.
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// A file could not be written; what was written of it has been taken back.
    #[error("cannot write {}", .0.display())]
    Write(PathBuf, #[source] io::Error),
    /// What was written may not be on the disk.
    #[error("cannot sync {}", .0.display())]
    Sync(PathBuf, #[source] io::Error),
    /// Room could not be reserved.
    #[error("cannot reserve room for {}", .0.display())]
    Reserve(PathBuf, #[source] io::Error),
    /// A damaged or half-written tail could not be cut off.
    #[error("cannot truncate {}", .0.display())]
    Truncate(PathBuf, #[source] io::Error),
    /// A file could not be renamed to the path given.
    #[error("cannot rename to {}", .0.display())]
    Rename(PathBuf, #[source] io::Error),
    /// A file or directory could not be removed.
    #[error("cannot remove {}", .0.display())]
    Remove(PathBuf, #[source] io::Error),
    /// Owner, mode or kind could not be asked.
    #[error("cannot stat {}", .0.display())]
    Stat(PathBuf, #[source] io::Error),
    /// The owner could not be set.
    #[error("cannot change the owner of {}", .0.display())]
    Chown(PathBuf, #[source] io::Error),
    /// The mode could not be set.
    #[error("cannot change the mode of {}", .0.display())]
    Chmod(PathBuf, #[source] io::Error),
    /// A lock could not be taken or asked about, for another reason than that it is held.
    #[error("cannot lock {}", .0.display())]
    Lock(PathBuf, #[source] io::Error),
    /// A descriptor could not be duplicated.
    #[error("cannot duplicate the descriptor of {}", .0.display())]
    Duplicate(PathBuf, #[source] io::Error),
    /// Something of that name is there already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The thing belongs to another user than it must.
    #[error("{} belongs to user {owner}, not to user {expected}", .path.display())]
    Foreign {
        /// What was looked at.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Whose it must be.
        expected: u32,
    },
    /// The thing is of another kind than it must be: a symbolic link, a FIFO where a file should be.
    #[error("{} is not a {expected}", .path.display())]
    WrongKind {
        /// What was looked at.
        path: PathBuf,
        /// What it should have been.
        expected: &'static str,
    },
    /// The mode has bits that it must not have.
    #[error("{} has mode {mode:04o}, wider than {allowed:04o}", .path.display())]
    TooWide {
        /// What was looked at.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The bits that it may have.
        allowed: u32,
    },
    /// A file holds more bytes than the caller is ready to read.
    #[error("{} is longer than {max} bytes", .path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The most that would have been read, in bytes.
        max: u64,
    },
    /// The name is not one single component of a path.
    #[error("{0:?} is not a file name")]
    Name(OsString),
    /// A record holds a newline, which would end it early.
    #[error("a record for {} holds a newline", .0.display())]
    Newline(PathBuf),
    /// A record is longer than any reader accepts.
    #[error("a record for {} is longer than {max} bytes", .path.display())]
    RecordTooLong {
        /// The journal or log.
        path: PathBuf,
        /// The most a record may have, in bytes.
        max: usize,
    },
    /// Something is mounted below a tree that was to be removed; it was not entered.
    #[error("something is mounted on {}", .0.display())]
    Mounted(PathBuf),
    /// A tree kept changing while it was being removed.
    #[error("{} changes while it is being removed", .0.display())]
    Changing(PathBuf),
    /// The text is not a cursor of a log.
    #[error("{0:?} is not a cursor")]
    Cursor(String),
    /// The log no longer holds what the cursor points to: records were lost to the reader.
    #[error("{} no longer reaches back to {cursor}", .path.display())]
    Gap {
        /// The directory of the log.
        path: PathBuf,
        /// Where the reader was.
        cursor: crate::log::Cursor,
    },
}

impl Error {
    /// Tells whether the cause is that the thing is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.errno() == Some(Errno::NOENT)
    }

    /// Tells whether the cause is a lack of room: disk, quota or file size limit.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.errno(), Some(Errno::NOSPC | Errno::DQUOT | Errno::FBIG))
    }

    /// Returns the operating system's code, where the operating system was the cause.
    #[must_use]
    pub fn raw_os_error(&self) -> Option<i32> {
        std::error::Error::source(self)?.downcast_ref::<io::Error>()?.raw_os_error()
    }

    fn errno(&self) -> Option<Errno> {
        self.raw_os_error().map(Errno::from_raw_os_error)
    }
}

/// Makes the conversion of an errno into the variant of `act`, at `path`.
pub(crate) fn at(act: fn(PathBuf, io::Error) -> Error, path: &Path) -> impl FnOnce(Errno) -> Error + '_ {
    move |errno| act(path.to_owned(), errno.into())
}
