//! Promises of `journal`, kept on a real file system.
