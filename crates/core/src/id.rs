//! Names and identities: container, process, instance and run.
//!
//! A name is what users type and reuse; an [`Instance`] is one creation under that name, a [`Run`] one start of it.
//! The newtypes have one parsing constructor, and serde goes through it, so that a separator, a dot-only, an empty
//! or an over-long name never gets past construction, whether typed, read from disk or from a wire.
//!
//! Keeps: C-12 and C-29 of SECURITY.md.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

const LONGEST: usize = 128;

/// Why a text is no name. The text itself is not repeated: it may be long or hold control characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Nothing between the quotes.
    #[error("a name must not be empty")]
    Empty,
    /// Too long.
    #[error("a name has at most {LONGEST} characters, this one has {0}")]
    TooLong(usize),
    /// It starts with something else than an ASCII letter or digit.
    #[error("a name starts with an ASCII letter or digit")]
    Start,
    /// It contains a character outside `[A-Za-z0-9_.-]`.
    #[error("a name has only ASCII letters, digits, '_', '.' and '-'; the character at {0} is another")]
    Character(usize),
}

impl From<IdError> for Error {
    fn from(source: IdError) -> Self {
        Error::new(ErrorKind::InvalidArgument, source.to_string())
    }
}

fn check(text: &str) -> Result<(), IdError> {
    let bytes = text.as_bytes();
    match bytes.first() {
        None => return Err(IdError::Empty),
        Some(first) if !first.is_ascii_alphanumeric() => return Err(IdError::Start),
        Some(_) => {}
    }
    if bytes.len() > LONGEST {
        return Err(IdError::TooLong(bytes.len()));
    }
    match bytes.iter().position(|b| !b.is_ascii_alphanumeric() && !b"_.-".contains(b)) {
        Some(at) => Err(IdError::Character(at)),
        None => Ok(()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text: a single, safe path component.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                check(text).map(|()| $name(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.to_string()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

name! {
    /// The name of a container: `[A-Za-z0-9][A-Za-z0-9_.-]{0,127}`.
    ContainerId
}

name! {
    /// The name of a process within a container, of the same grammar; the first one is called `init`.
    ProcessId
}

impl ProcessId {
    /// The container's first process.
    pub fn init() -> Self {
        ProcessId("init".into())
    }

    /// Whether it is the container's first process.
    pub fn is_init(&self) -> bool {
        &*self.0 == "init"
    }
}

/// One process of one container.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessRef {
    /// The container.
    pub container: ContainerId,
    /// The process in it.
    pub process: ProcessId,
}

impl ProcessRef {
    /// The process `process` of `container`.
    pub fn new(container: ContainerId, process: ProcessId) -> Self {
        ProcessRef { container, process }
    }

    /// The first process of `container`.
    pub fn init(container: ContainerId) -> Self {
        ProcessRef { container, process: ProcessId::init() }
    }
}

impl fmt::Display for ProcessRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.container, self.process)
    }
}

/// One creation of a container, for ever different from every other: 128 random bits, written as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Instance(u128);

impl Instance {
    /// A new one.
    ///
    /// # Errors
    /// `System` when the kernel gives no random bytes.
    pub fn random() -> Result<Self, Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|e| Error::new(ErrorKind::System, "the kernel gives no random bytes").because(e))?;
        Ok(Instance(u128::from_be_bytes(bytes)))
    }

    /// One with the given bits, for tests.
    pub const fn from_bits(bits: u128) -> Self {
        Instance(bits)
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Instance {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::new(ErrorKind::InvalidArgument, "an instance is 32 lower-case hex digits");
        if text.len() != 32 || text.bytes().any(|b| !b.is_ascii_hexdigit() || b.is_ascii_uppercase()) {
            return Err(bad());
        }
        u128::from_str_radix(text, 16).map(Instance).map_err(|_| bad())
    }
}

impl TryFrom<String> for Instance {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Instance> for String {
    fn from(instance: Instance) -> String {
        instance.to_string()
    }
}

/// The number of a start of one instance, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Run(pub u32);

impl Run {
    /// The first start.
    pub const FIRST: Run = Run(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn c12_every_accepted_name_is_one_safe_path_component(text in "\\PC{0,140}|[a-z./-]{0,20}") {
            if let Ok(id) = text.parse::<ContainerId>() {
                let path = std::path::Path::new(id.as_str());
                prop_assert_eq!(path.components().count(), 1);
                prop_assert!(matches!(path.components().next(), Some(std::path::Component::Normal(_))));
                prop_assert!(id.as_str().is_ascii() && id.as_str().len() <= LONGEST);
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn c12_hostile_names_are_refused_also_through_serde() {
        let long = "a".repeat(300);
        for bad in ["", ".", "..", "../x", "a/b", ".hidden", "-x", "a\0b", "a\nb", "é", "a b", long.as_str()] {
            assert!(bad.parse::<ContainerId>().is_err(), "{bad:?}");
            let json = serde_json::to_string(bad).unwrap();
            assert!(serde_json::from_str::<ProcessId>(&json).is_err(), "{bad:?}");
        }
        assert!("a".repeat(128).parse::<ContainerId>().is_ok());
    }

    #[test]
    fn instances_differ_and_round_trip() {
        let one = Instance::random().unwrap();
        assert_ne!(one, Instance::random().unwrap());
        assert_eq!(one.to_string().parse::<Instance>().unwrap(), one);
        assert!("xyz".parse::<Instance>().is_err());
    }
}
