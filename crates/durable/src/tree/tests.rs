//! Promises of `tree`, kept on a real file system.
