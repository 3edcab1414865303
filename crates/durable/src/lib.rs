//! The one way to put things on a disk.
//!
//! Everything starts from a [`Dir`], an owned descriptor of a directory: files are written whole or not at all
//! ([`write_atomic`], [`write_new`]), records are appended to a [`journal`] that one process writes or to a [`log`]
//! that many share, a [`lock`] says who may, and a [`tree`] is removed by descriptor. A path is walked once, when the
//! root is opened; after that nobody who renames or links things can lead an operation elsewhere.
//!
//! Keeps: what was synced is there after a power cut, what was not is there whole or not at all
//! (`every_cut_leaves_what_was_acknowledged` in `replay_tests`).
//! Does not know: tokio, containers, ids, or what a record says.
#![forbid(unsafe_code)]

mod dir;
mod disk;
mod error;
mod file;
mod frame;
pub mod journal;
pub mod lock;
pub mod log;
pub mod owner;
pub mod tree;

#[cfg(test)]
mod replay_tests;
#[cfg(test)]
mod scratch;

pub use dir::Dir;
pub use error::Error;
pub use file::{is_temporary, write_atomic, write_new};
pub use journal::Journal;
pub use lock::Lock;
