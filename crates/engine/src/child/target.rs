//! Places inside a root: found and made by descriptor, whatever the root's owner put in the way.
//!
//! Every lookup is `openat2` below the root's descriptor: links stay inside, magic links are refused,
//! and for places of our own (`/dev`, `/proc`, `/sys`, masks) every link is refused.
//! Decision: a missing place is made name by name, each one held by a descriptor before the next; a
//! dangling link is never followed into making something elsewhere.
//! Keeps: nothing is made outside of the root (C-6, C-7, C-8).

use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::plan::Place;

const PATH_MAX: usize = 4096;
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o755);
const FILE_MODE: Mode = Mode::from_raw_mode(0o644);

/// Opens a place as a handle only.
pub(super) fn find(root: BorrowedFd<'_>, place: &Place) -> rustix::io::Result<OwnedFd> {
    open(root, &place.path, OFlags::PATH, place.links)
}

/// Opens a path in a root; `links` says whether symbolic links may be passed.
pub(super) fn open(root: BorrowedFd<'_>, path: &CStr, flags: OFlags, links: bool) -> rustix::io::Result<OwnedFd> {
    let mut resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    if !links {
        resolve |= ResolveFlags::NO_SYMLINKS;
    }
    loop {
        let flags = flags | OFlags::CLOEXEC;
        match rustix::fs::openat2(root, path, flags, Mode::empty(), resolve) {
            // Something was renamed during the lookup; the kernel asks to try again.
            Err(Errno::AGAIN) => {}
            other => return other,
        }
    }
}

/// Opens a place, and makes it and what leads to it first where it is missing.
pub(super) fn find_or_make(root: BorrowedFd<'_>, place: &Place) -> rustix::io::Result<OwnedFd> {
    match find(root, place) {
        Err(Errno::NOENT) => make(root, place),
        found => found,
    }
}

/// A path that can be cut at any name, on the stack.
struct Prefix {
    bytes: [u8; PATH_MAX],
    length: usize,
}

impl Prefix {
    fn of(path: &CStr) -> rustix::io::Result<Self> {
        let bytes = path.to_bytes();
        let mut prefix = Self { bytes: [0; PATH_MAX], length: bytes.len() };
        match prefix.bytes.get_mut(..bytes.len()) {
            Some(space) if bytes.len() < PATH_MAX => space.copy_from_slice(bytes),
            _ => return Err(Errno::NAMETOOLONG),
        }
        Ok(prefix)
    }

    /// Calls `act` with the path up to each name in turn, and whether it is the last one.
    fn walk(&mut self, mut act: impl FnMut(&CStr, bool) -> rustix::io::Result<()>) -> rustix::io::Result<()> {
        for at in 1..=self.length {
            let last = at == self.length;
            let Some(byte) = self.bytes.get(at).copied() else {
                return Err(Errno::NAMETOOLONG);
            };
            if byte != b'/' && !last {
                continue;
            }
            self.put(at, 0);
            let prefix = CStr::from_bytes_until_nul(&self.bytes).map_err(|_| Errno::INVAL)?;
            act(prefix, last)?;
            self.put(at, byte);
        }
        Ok(())
    }

    fn put(&mut self, at: usize, byte: u8) {
        if let Some(place) = self.bytes.get_mut(at) {
            *place = byte;
        }
    }
}

fn make(root: BorrowedFd<'_>, place: &Place) -> rustix::io::Result<OwnedFd> {
    let mut parent = open(root, c".", OFlags::PATH, false)?;
    Prefix::of(&place.path)?.walk(|prefix, last| {
        let file = last && !place.directory;
        parent = match open(root, prefix, OFlags::PATH, place.links) {
            Err(Errno::NOENT) => make_one(&parent, last_name(prefix), file)?,
            found => found?,
        };
        Ok(())
    })?;
    Ok(parent)
}

fn make_one(parent: &OwnedFd, name: &CStr, file: bool) -> rustix::io::Result<OwnedFd> {
    let fresh = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if file {
        return rustix::fs::openat(parent, name, fresh | OFlags::WRONLY, FILE_MODE);
    }
    rustix::fs::mkdirat(parent, name, DIRECTORY_MODE)?;
    let found = OFlags::PATH | OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, found, Mode::empty())
}

/// The last name of a path that does not end in a slash.
fn last_name(path: &CStr) -> &CStr {
    let bytes = path.to_bytes_with_nul();
    let start = bytes.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    bytes.get(start..).and_then(|name| CStr::from_bytes_with_nul(name).ok()).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_walked_name_by_name() {
        let mut seen = Vec::new();
        Prefix::of(c"a/bc/d")
            .unwrap()
            .walk(|prefix, last| {
                seen.push((prefix.to_owned(), last));
                Ok(())
            })
            .unwrap();
        let expected = [(c"a".into(), false), (c"a/bc".into(), false), (c"a/bc/d".into(), true)];
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_last_name_is_what_is_made() {
        assert_eq!(last_name(c"a/bc/d"), c"d");
        assert_eq!(last_name(c"d"), c"d");
    }

    #[test]
    fn an_overlong_path_is_refused() {
        let path = std::ffi::CString::new(vec![b'x'; PATH_MAX]).unwrap();
        assert_eq!(Prefix::of(&path).err(), Some(Errno::NAMETOOLONG));
    }
}
