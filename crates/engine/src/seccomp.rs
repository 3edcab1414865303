//! A stand-in for the seccomp compiler, which is being written.

/// Why a profile could not be compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {}
