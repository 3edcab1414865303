//! Promises of `lock`, kept on a real file system.
