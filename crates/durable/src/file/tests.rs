//! Promises of `file`, kept on a real file system.
