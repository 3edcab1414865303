//! The container's own accounts: `etc/passwd` and `etc/group` below its root, which nobody has to trust.
//!
//! A file is first looked at without being opened, so that a FIFO or a device in its place is refused untouched; then
//! read line by line, up to 1 MiB, and only while it is needed. Lines that make no sense are skipped, but one that a
//! name was found in must have its ids: a later line of the same name never decides. A user's supplementary groups
//! are those that list its name; a group that was asked for takes the place of them all.
//!
//! Keeps: `c20_*`.
//! Source: passwd(5), group(5).

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::Error;
use super::user::{Principal, UserRequest, id};

/// More than this of a file is not read, in bytes.
pub(super) const LIMIT: u64 = 1 << 20;

const PASSWD: &str = "etc/passwd";
const GROUP: &str = "etc/group";

/// A user with its groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Account {
    /// Its name; empty when it has no entry, or none in its entry.
    pub(super) name: Vec<u8>,
    /// The user's id.
    pub(super) uid: u32,
    /// The id of its group.
    pub(super) gid: u32,
    /// The ids of its supplementary groups.
    pub(super) groups: BTreeSet<u32>,
    /// Its home directory, an absolute path in the container.
    pub(super) home: Option<PathBuf>,
}

/// Resolves a requested user. One that is given by number need not exist; its group is then 0 unless given.
pub(super) fn resolve(request: &UserRequest, root: BorrowedFd<'_>) -> Result<Account, Error> {
    let mut account = match &request.user {
        Principal::Name(name) => user_by_name(name, root)?.ok_or_else(|| Error::UnknownUser { name: name.clone() })?,
        Principal::Id(uid) => {
            let found = user_by_id(*uid, root);
            // With a group given the account is asked for the home directory only.
            let found = if request.group.is_some() { found.unwrap_or_default() } else { found? };
            found.unwrap_or_else(|| Account { uid: *uid, ..Account::default() })
        }
    };
    match &request.group {
        Some(Principal::Id(gid)) => account.gid = *gid,
        Some(Principal::Name(name)) => {
            let found = group_by_name(name, root)?;
            account.gid = found.ok_or_else(|| Error::UnknownGroup { name: name.clone() })?;
        }
        None => account.groups = groups_of(&account.name, &request.user, root)?,
    }
    Ok(account)
}

/// Looks for a user's home directory; accounts that cannot be read have none.
pub(super) fn home(uid: u32, root: BorrowedFd<'_>) -> Option<PathBuf> {
    user_by_id(uid, root).ok().flatten()?.home
}

fn user_by_name(name: &str, root: BorrowedFd<'_>) -> Result<Option<Account>, Error> {
    let found = search(root, PASSWD, |fields| (fields[0] == name.as_bytes()).then(|| account(fields)))?;
    found.map(|account| account.ok_or_else(|| bad_entry(PASSWD, name))).transpose()
}

fn user_by_id(uid: u32, root: BorrowedFd<'_>) -> Result<Option<Account>, Error> {
    let found = search(root, PASSWD, |fields| (number(fields, 2) == Some(uid)).then(|| account(fields)))?;
    found.map(|account| account.ok_or_else(|| bad_entry(PASSWD, &uid.to_string()))).transpose()
}

fn group_by_name(name: &str, root: BorrowedFd<'_>) -> Result<Option<u32>, Error> {
    let found = search(root, GROUP, |fields| (fields[0] == name.as_bytes()).then(|| number(fields, 2)))?;
    found.map(|gid| gid.ok_or_else(|| bad_entry(GROUP, name))).transpose()
}

/// Finds the groups that list a user's name. A list without members has an empty one, which is nobody's name.
fn groups_of(name: &[u8], user: &Principal, root: BorrowedFd<'_>) -> Result<BTreeSet<u32>, Error> {
    let mut groups = BTreeSet::new();
    if name.is_empty() {
        return Ok(groups);
    }
    let is_listed = |members: &&[u8]| members.split(|byte| *byte == b',').any(|member| member == name);
    let bad = search(root, GROUP, |fields| {
        fields.get(3).filter(|members| is_listed(members))?;
        // A set, since a file may repeat one group a hundred thousand times.
        number(fields, 2).map_or(Some(()), |gid| {
            groups.insert(gid);
            None
        })
    })?;
    bad.map_or(Ok(groups), |()| Err(bad_entry(GROUP, &user.to_string())))
}

fn bad_entry(file: &'static str, name: &str) -> Error {
    Error::BadEntry { file, name: name.to_owned() }
}

/// Reads a line of passwd: name, password, uid, gid, comment, home, shell.
fn account(fields: &[&[u8]]) -> Option<Account> {
    let home = fields.get(5).map(|home| Path::new(OsStr::from_bytes(home)));
    let home = home.filter(|home| home.is_absolute() && !home.as_os_str().as_bytes().contains(&0));
    let (uid, gid) = (number(fields, 2)?, number(fields, 3)?);
    Some(Account { name: fields[0].to_owned(), uid, gid, groups: BTreeSet::new(), home: home.map(Path::to_owned) })
}

fn number(fields: &[&[u8]], place: usize) -> Option<u32> {
    id(str::from_utf8(fields.get(place)?).ok()?)
}

/// Gives the first thing that `pick` finds in a line's fields, of which there is at least one; no file has no lines.
fn search<T>(
    root: BorrowedFd<'_>,
    file: &'static str,
    mut pick: impl FnMut(&[&[u8]]) -> Option<T>,
) -> Result<Option<T>, Error> {
    let Some(opened) = open(root, file)? else { return Ok(None) };
    let mut reader = BufReader::new(opened.take(LIMIT + 1));
    let (mut line, mut read) = (Vec::new(), 0);
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => return Ok(None),
            Ok(length) => read += length as u64,
            Err(source) => return Err(Error::Read { file, source }),
        }
        if read > LIMIT {
            return Err(Error::TooLarge { file });
        }
        let fields: Vec<&[u8]> = line.trim_ascii_end().split(|byte| *byte == b':').collect();
        if let Some(found) = pick(&fields) {
            return Ok(Some(found));
        }
    }
}

fn open(root: BorrowedFd<'_>, file: &'static str) -> Result<Option<File>, Error> {
    let failed = |errno: Errno| Error::Open { file, source: io::Error::from(errno) };
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let found = match rustix::fs::openat2(root, file, flags, Mode::empty(), resolve) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        found => found.map_err(failed)?,
    };
    let stat = rustix::fs::fstat(&found).map_err(failed)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Error::NotRegular { file });
    }
    if stat.st_size as u64 > LIMIT {
        return Err(Error::TooLarge { file });
    }
    reopen(&found).map(|opened| Some(opened.into())).map_err(failed)
}

/// Opens for reading the very file that was looked at, whatever its name leads to by now.
fn reopen(found: &OwnedFd) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(format!("/proc/self/fd/{}", found.as_raw_fd()), flags, Mode::empty())
}
