//! A user as people write it, `name|uid[:group|gid]`, parsed once for every verb that takes one.
//!
//! What consists of digits is a number and never looked up as a name, however large it is: else a line of an image's
//! accounts decides who `4294967296` is.
//!
//! Keeps: `c18_every_number_is_read_as_itself`, `c17_digits_are_never_a_name`.

use std::fmt;
use std::str::FromStr;

use super::Error;

/// The user, and perhaps the group, that a process is to run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRequest {
    pub(super) user: Principal,
    pub(super) group: Option<Principal>,
}

/// A user or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Principal {
    /// By number.
    Id(u32),
    /// By name, to be looked up in the container.
    Name(String),
}

impl FromStr for UserRequest {
    type Err = Error;

    fn from_str(request: &str) -> Result<Self, Error> {
        let (user, group) = match request.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (request, None),
        };
        let principal = |part| principal(part, request);
        Ok(Self { user: principal(user)?, group: group.map(principal).transpose()? })
    }
}

impl fmt::Display for UserRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.user.fmt(f)?;
        self.group.as_ref().map_or(Ok(()), |group| write!(f, ":{group}"))
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// Reads an id; the largest number is none.
pub(super) fn id(digits: &str) -> Option<u32> {
    let digits = Some(digits).filter(|digits| is_number(digits))?;
    digits.parse().ok().filter(|id| *id != u32::MAX)
}

fn principal(part: &str, request: &str) -> Result<Principal, Error> {
    if is_number(part) {
        return id(part).map(Principal::Id).ok_or_else(|| Error::OutOfRange { number: part.to_owned() });
    }
    let reason = if part.is_empty() {
        "a name is missing"
    } else if part.starts_with(['-', '+']) {
        "names do not begin with a sign, nor do ids"
    } else if part.contains(':') {
        "it has more than two parts"
    } else if part.contains(char::is_control) {
        "names have no control characters"
    } else {
        return Ok(Principal::Name(part.to_owned()));
    };
    Err(Error::Malformed { request: request.to_owned(), reason })
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}
