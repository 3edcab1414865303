//! Promises of `dir`, kept on a real file system.
