//! The one road for bytes: FIFOs, pipe sizes, and moving bytes between descriptors.
//!
//! `fifo` makes, opens and removes named pipes without ever blocking and without trusting what stands at a name;
//! `pipe_size` asks for larger pipes; `transfer` moves bytes from one descriptor to another by splice or copy;
//! `drain` throws away what nobody will read; `log` keeps output on disk for any number of readers. Nothing here waits: the caller owns the loop, be it epoll or an executor.
//!
//! Does not know: containers, processes by name, executors.

pub mod drain;
pub mod fifo;
pub mod log;
pub mod pipe_size;
pub mod transfer;

mod error;
mod sys;

pub use error::{Error, Result};
pub use transfer::{Step, Transfer};
