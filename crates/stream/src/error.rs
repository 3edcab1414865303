//! What can fail when FIFOs are made, bytes are moved and output is kept: one variant per failed act.
//!
//! The text names the act and the file; the cause stays in the source, so that a chain prints each once.

use std::io;

/// What every fallible operation of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed act on a FIFO, on a pair of descriptors or on kept output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name is empty, `.` or `..`, or holds a path separator or NUL.
    #[error("{name:?} is no name of a FIFO")]
    BadName {
        /// The refused name.
        name: String,
    },
    /// The FIFO could not be made, or something stands at its name already (`AlreadyExists`).
    #[error("cannot make FIFO {name}")]
    MakeFifo {
        /// The name below the directory.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// The new FIFO could not be given its mode; it has been removed again.
    #[error("cannot set the mode of FIFO {name}")]
    SetMode {
        /// The name below the directory.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// The new FIFO could not be given to its owner; it has been removed again.
    #[error("cannot give FIFO {name} to its owner")]
    SetOwner {
        /// The name below the directory.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// What stands at the name is not a FIFO.
    #[error("{name} is not a FIFO")]
    NotAFifo {
        /// The name below the directory.
        name: String,
    },
    /// The FIFO belongs to someone who has no business with it.
    #[error("FIFO {name} belongs to uid {uid}")]
    ForeignOwner {
        /// The name below the directory.
        name: String,
        /// The owner that was found.
        uid: u32,
    },
    /// The FIFO could not be looked at or opened.
    #[error("cannot open FIFO {name}")]
    OpenFifo {
        /// The name below the directory.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// The FIFO could not be removed.
    #[error("cannot remove FIFO {name}")]
    RemoveFifo {
        /// The name below the directory.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// A descriptor could not be asked what it is or what it holds.
    #[error("cannot examine a descriptor")]
    Examine {
        /// The cause.
        source: io::Error,
    },
    /// The source could not be read.
    #[error("cannot read from the source")]
    Read {
        /// The cause.
        source: io::Error,
    },
    /// The sink could not be written, for a reason other than that it is full or closed.
    #[error("cannot write to the sink")]
    Write {
        /// The cause.
        source: io::Error,
    },
    /// The directory of kept output could not be listed.
    #[error("cannot list kept output")]
    ListLog {
        /// The cause.
        source: io::Error,
    },
    /// The files of a new segment of kept output could not be made.
    #[error("cannot make segment {first} of kept output")]
    MakeSegment {
        /// Offset of its first byte.
        first: u64,
        /// The cause.
        source: io::Error,
    },
    /// A segment of kept output could not be opened.
    #[error("cannot open segment {first} of kept output")]
    OpenSegment {
        /// Offset of its first byte.
        first: u64,
        /// The cause.
        source: io::Error,
    },
    /// A segment of kept output could not be read.
    #[error("cannot read segment {first} of kept output")]
    ReadSegment {
        /// Offset of its first byte.
        first: u64,
        /// The cause.
        source: io::Error,
    },
    /// Bytes could not be put into a segment of kept output.
    #[error("cannot write segment {first} of kept output")]
    WriteSegment {
        /// Offset of its first byte.
        first: u64,
        /// The cause.
        source: io::Error,
    },
    /// What is to be known of a segment of kept output could not be written down.
    #[error("cannot write the index of segment {first} of kept output")]
    WriteIndex {
        /// Offset of its first byte.
        first: u64,
        /// The cause.
        source: io::Error,
    },
    /// What is known of a segment of kept output is unreadable from its beginning.
    #[error("the index of segment {first} of kept output has no head that this build knows")]
    BadIndex {
        /// Offset of its first byte.
        first: u64,
    },
    /// Nothing tells when kept output grows.
    #[error("cannot watch kept output")]
    WatchLog {
        /// The cause.
        source: io::Error,
    },
}

impl Error {
    /// Tells the kind of the underlying cause, if the system gave one.
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        std::error::Error::source(self).and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind)
    }
}
