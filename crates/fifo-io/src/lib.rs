//! Stdio of container processes over named FIFOs: the adapter of the core's port `ProcessIo`.
//!
//! [`FifoProcessIo`] makes, opens, discards and removes the FIFOs of a process, of which it knows a directory and a
//! name; [`FifoReader`] and [`FifoWriter`] are the program's ends. [`DescriptorReader`] and [`DescriptorWriter`] wrap
//! descriptors that the program has already (its own stdin and stdout), so that it can copy between the two kinds
//! without a byte passing through it. Output that is kept lies below one directory, for any number of readers. No call blocks a thread on a peer, and a dropped future leaves nothing open.
//!
//! Does not know: runtimes, bundles, who keeps the other ends.

mod channel;
mod copy;
mod descriptor;
mod discard;
mod ending;
mod error;
mod hold;
mod kept;
mod names;
mod placed;
mod process_io;
mod reader_lock;
mod stdin;
mod stdout;
mod sys;

pub use descriptor::{DescriptorReader, DescriptorWriter};
pub use error::Error;
pub use process_io::FifoProcessIo;
pub use stdin::FifoWriter;
pub use stdout::FifoReader;
