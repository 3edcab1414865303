//! What can fail when FIFOs are made and bytes are moved: one variant per failed act.
//!
//! The text names the act and the FIFO; the cause stays in the source, so that a chain prints each once.

use std::io;

/// What every fallible operation of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed act on a FIFO or on a pair of descriptors.
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
}

impl Error {
    /// Tells the kind of the underlying cause, if the system gave one.
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        std::error::Error::source(self).and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind)
    }
}
