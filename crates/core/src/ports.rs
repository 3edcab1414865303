//! The four ports: the traits through which the core sees everything else.

pub mod backend;
pub mod bundle_store;
pub mod process_io;
pub mod runtime;
