//! A position in a runtime's events.
//!
//! Opaque to everybody but the runtime that gave it; a consumer may write it down and come back with it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A position in the events of one runtime.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cursor(String);

impl Cursor {
    /// A cursor of the given text, as its runtime wrote it.
    pub fn new(text: impl Into<String>) -> Self {
        Cursor(text.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// From where events are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// Only what happens from now on.
    Now,
    /// Everything that is still kept, then what happens.
    Oldest,
    /// Everything after this position, then what happens.
    Cursor(Cursor),
}
