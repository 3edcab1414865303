//! Promises of the store, kept on a real file system.
