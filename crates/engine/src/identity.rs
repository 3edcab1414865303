//! Who a process is: user, groups, capabilities, limits, all as numbers before the clone.
//!
//! [`Identity::plan`] reads them from the spec's process and, where a [`UserRequest`] names a user, from the accounts
//! in the container's root. The decision taken: init and exec'd processes go through this one function, and what neither
//! spec nor request grants is absent: no groups of the caller, no inheritable capabilities, no limits twice.
//!
//! Keeps: C-15 to C-20, as tests named after them.
//! Does not know: how a process takes its identity on; that is the child's.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use oci_spec::runtime::Process;
use thiserror::Error;

use self::accounts::Account;
pub use self::capabilities::CapabilitySets;
pub use self::user::UserRequest;

mod accounts;
mod capabilities;
mod limits;
#[cfg(test)]
mod tests;
mod user;

/// Who a process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its user, real, effective and saved.
    pub uid: u32,
    /// Its group, real, effective and saved.
    pub gid: u32,
    /// All its supplementary groups.
    pub groups: Vec<u32>,
    /// The permissions that files it makes do not get.
    pub umask: u32,
    /// Its capabilities.
    pub capabilities: CapabilitySets,
    /// Its limits: the kernel's number of the resource, soft and hard value, `u64::MAX` for none.
    pub rlimits: Vec<(u32, u64, u64)>,
    /// Whether executing a program can never give it more privileges.
    pub no_new_privileges: bool,
}

impl Identity {
    /// Resolves a process's identity, and its user's home directory if it has no `HOME` yet and the user has one.
    ///
    /// A requested user takes the place of the spec's user and group. Supplementary groups are the spec's, and those of
    /// a requested user who has an entry, unless a group is requested with it. `root` is the container's root directory,
    /// in which `etc/passwd` and `etc/group` are looked up.
    ///
    /// # Errors
    /// A variant for each property that cannot be met. Accounts that cannot be read are an error only where they decide
    /// about user or groups, never for the home directory alone.
    pub fn plan(
        process: &Process,
        user: Option<&UserRequest>,
        root: BorrowedFd<'_>,
    ) -> Result<(Self, Option<PathBuf>), Error> {
        let at_home = process.env().iter().flatten().any(|variable| variable.starts_with("HOME="));
        let account = match user {
            Some(request) => accounts::resolve(request, root)?,
            None => {
                let (uid, gid) = (process.user().uid(), process.user().gid());
                let home = if at_home { None } else { accounts::home(uid, root) };
                Account { uid, gid, home, ..Account::default() }
            }
        };
        let identity = Self {
            uid: valid(account.uid, "process.user.uid")?,
            gid: valid(account.gid, "process.user.gid")?,
            groups: groups(process, &account.groups)?,
            umask: umask(process)?,
            capabilities: CapabilitySets::plan(process.capabilities().as_ref())?,
            rlimits: limits::plan(process.rlimits().as_deref().unwrap_or_default())?,
            no_new_privileges: process.no_new_privileges().unwrap_or(false),
        };
        Ok((identity, account.home.filter(|_| !at_home)))
    }
}

/// Why an identity cannot be resolved.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A user is not written as `name|uid[:group|gid]`.
    #[error("{request:?} is not a user: {reason}")]
    Malformed {
        /// What was written.
        request: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A number is no id: at most 4294967294 is, since the number after it means "leave it" to the kernel.
    #[error("{number} is not a user or group id, which are 0 to 4294967294")]
    OutOfRange {
        /// What was written.
        number: String,
    },
    /// The spec has an id that is none.
    #[error("{field} is 4294967295, which is not a user or group id")]
    ReservedId {
        /// The property, as a path in the spec.
        field: &'static str,
    },
    /// The container has no user of this name.
    #[error("the container has no user {name:?} in /etc/passwd")]
    UnknownUser {
        /// The name.
        name: String,
    },
    /// The container has no group of this name.
    #[error("the container has no group {name:?} in /etc/group")]
    UnknownGroup {
        /// The name.
        name: String,
    },
    /// The line of a name has no valid ids.
    #[error("the container's /{file} has no valid id for {name:?}")]
    BadEntry {
        /// The file, below the root.
        file: &'static str,
        /// The name.
        name: String,
    },
    /// A file of accounts cannot be opened.
    #[error("cannot open the container's /{file}")]
    Open {
        /// The file, below the root.
        file: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A file of accounts is a link, a FIFO, a device or a directory.
    #[error("the container's /{file} is not a regular file")]
    NotRegular {
        /// The file, below the root.
        file: &'static str,
    },
    /// A file of accounts is larger than is read.
    #[error("the container's /{file} is larger than 1 MiB; give the user and the group as numbers")]
    TooLarge {
        /// The file, below the root.
        file: &'static str,
    },
    /// A file of accounts cannot be read.
    #[error("cannot read the container's /{file}")]
    Read {
        /// The file, below the root.
        file: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A process is to have more supplementary groups than the kernel takes.
    #[error("{count} supplementary groups are too many, the kernel takes {MOST_GROUPS}")]
    TooManyGroups {
        /// How many the spec and the container's accounts give it.
        count: usize,
    },
    /// The umask has bits that are no permissions.
    #[error("process.user.umask is {umask:#o}, but it can be 0777 at most")]
    Umask {
        /// What the spec says.
        umask: u32,
    },
    /// A capability is to be effective that is not permitted.
    #[error("process.capabilities.effective has {names}, which process.capabilities.permitted has not")]
    NotPermitted {
        /// The capabilities.
        names: String,
    },
    /// A resource is limited twice.
    #[error("process.rlimits has {name} twice")]
    RepeatedLimit {
        /// The resource.
        name: String,
    },
    /// A soft limit is over its hard limit.
    #[error("process.rlimits has {name} with a soft limit over the hard one")]
    SoftOverHard {
        /// The resource.
        name: String,
    },
}

const DEFAULT_UMASK: u32 = 0o022;

/// The kernel's `NGROUPS_MAX`.
const MOST_GROUPS: usize = 65_536;

fn valid(id: u32, field: &'static str) -> Result<u32, Error> {
    // To the kernel it means: leave the id as it is, which is root's.
    if id == u32::MAX { Err(Error::ReservedId { field }) } else { Ok(id) }
}

/// The spec's groups as they are there, then those of `further` that are not among them.
fn groups(process: &Process, further: &BTreeSet<u32>) -> Result<Vec<u32>, Error> {
    let given = process.user().additional_gids().iter().flatten();
    let mut groups: Vec<u32> = given.map(|gid| valid(*gid, "process.user.additionalGids")).collect::<Result<_, _>>()?;
    let given: BTreeSet<u32> = groups.iter().copied().collect();
    groups.extend(further.difference(&given));
    let count = groups.len();
    if count > MOST_GROUPS { Err(Error::TooManyGroups { count }) } else { Ok(groups) }
}

fn umask(process: &Process) -> Result<u32, Error> {
    match process.user().umask().unwrap_or(DEFAULT_UMASK) {
        umask if umask > 0o777 => Err(Error::Umask { umask }),
        umask => Ok(umask),
    }
}
