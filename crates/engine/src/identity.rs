//! A stand-in for users, groups, capabilities and limits, which are being written.

/// Why an identity could not be resolved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {}

/// A user as a caller writes it: `name|uid[:group|gid]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRequest {}
