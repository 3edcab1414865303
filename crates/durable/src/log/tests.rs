//! Promises of `log`, kept on a real file system.
