//! Removal of a tree, by descriptor.
//!
//! The walk holds one directory open at a time. It goes down by name without following links, and up by `..`, checking
//! that it comes out where it went in; so neither depth nor somebody who swaps names meanwhile can lead it elsewhere or
//! make it run out of stack or descriptors. A directory in another mount is not entered: what is mounted there is not
//! part of the tree.
//!
//! Keeps: `c14_a_swapped_symlink_never_leads_outside`, `c14_a_bind_mount_is_not_entered`,
//! `a_tree_ten_thousand_deep_is_removed`.

use std::collections::VecDeque;
use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, Statx, StatxFlags};
use rustix::io::Errno;

use crate::dir::{Dir, single};
use crate::disk::retry;
use crate::error::{Error, at};

#[cfg(test)]
mod tests;

/// How often one directory is emptied before its removal is given up, because somebody keeps filling it.
const ATTEMPTS: u32 = 1000;

/// Removes `name` and all below it; that it is missing is fine. A symbolic link is removed, not followed.
///
/// # Errors
/// [`Error::Mounted`] when something is mounted on `name` or below, with that untouched; [`Error::Changing`] when
/// somebody moves or fills directories faster than they are removed; otherwise the act that failed. What was removed by
/// then is gone.
pub fn remove(dir: &Dir, name: impl AsRef<OsStr>) -> Result<(), Error> {
    let name = single(name.as_ref())?;
    let name = CString::new(name.as_bytes()).map_err(|_| Error::Name(name.to_owned()))?;
    let mut walk = Walk::begin(dir, name)?;
    while walk.step()? {}
    Ok(())
}

/// Where the walk is.
struct Walk {
    /// The open directory, whose entries are being removed.
    fd: OwnedFd,
    /// What `fd` is.
    here: Place,
    /// The directory that the walk began in; what is in its mount may be entered.
    start: Place,
    /// Its path, for messages.
    root: PathBuf,
    /// The directories between `root` and here, with what is left to do there once we are back.
    above: Vec<Level>,
    /// Names in here that are left to remove.
    entries: VecDeque<CString>,
    /// How often the first of `entries` was emptied already.
    attempts: u32,
}

/// A directory that the walk has gone down from.
struct Level {
    place: Place,
    entries: VecDeque<CString>,
    attempts: u32,
}

/// What a directory is, whatever it is called.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    device: (u32, u32),
    inode: u64,
    mount: u64,
}

impl Walk {
    fn begin(dir: &Dir, name: CString) -> Result<Walk, Error> {
        let fd = dir.try_clone()?.into_fd();
        let start = Place::of(&fd, dir.path())?;
        let (root, entries) = (dir.path().to_owned(), VecDeque::from([name]));
        Ok(Walk { fd, here: start, start, root, above: Vec::new(), entries, attempts: 0 })
    }

    /// Removes one entry, or goes down to it, or up when there is none left; `false` at the end.
    fn step(&mut self) -> Result<bool, Error> {
        let Some(name) = self.entries.front() else { return self.go_up() };
        match remove_entry(&self.fd, name) {
            Ok(()) => self.done(),
            // Not empty, or a directory that only looked like something else a moment ago.
            Err(Errno::NOTEMPTY | Errno::EXIST) => self.go_down()?,
            Err(Errno::BUSY) => return Err(Error::Mounted(self.path())),
            Err(errno) => return Err(at(Error::Remove, &self.path())(errno)),
        }
        Ok(true)
    }

    fn done(&mut self) {
        self.entries.pop_front();
        self.attempts = 0;
    }

    fn go_down(&mut self) -> Result<(), Error> {
        let Some(name) = self.entries.front() else { return Ok(()) };
        self.attempts += 1;
        if self.attempts > ATTEMPTS {
            return Err(Error::Changing(self.path()));
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let below = match retry(|| rustix::fs::openat(&self.fd, name, flags, Mode::empty())) {
            Ok(below) => below,
            // It became a link or a file, or went away: the next step sees what to do.
            Err(Errno::LOOP | Errno::NOTDIR | Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(at(Error::Open, &self.path())(errno)),
        };
        let place = Place::of(&below, &self.path())?;
        if !place.is_in_mount_of(&self.start) {
            return Err(Error::Mounted(self.path()));
        }
        let entries = list(&below).map_err(at(Error::Read, &self.path()))?;
        self.enter(below, place, entries);
        Ok(())
    }

    fn enter(&mut self, below: OwnedFd, place: Place, entries: VecDeque<CString>) {
        self.above.push(Level {
            place: self.here,
            entries: std::mem::replace(&mut self.entries, entries),
            attempts: std::mem::replace(&mut self.attempts, 0),
        });
        self.fd = below;
        self.here = place;
    }

    /// Goes back to the directory above, whose first entry is the one that was just emptied.
    fn go_up(&mut self) -> Result<bool, Error> {
        let Some(level) = self.above.pop() else { return Ok(false) };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let above =
            retry(|| rustix::fs::openat(&self.fd, c"..", flags, Mode::empty())).map_err(at(Error::Open, &self.root))?;
        if Place::of(&above, &self.root)? != level.place {
            return Err(Error::Changing(self.root.clone()));
        }
        self.fd = above;
        self.here = level.place;
        self.entries = level.entries;
        self.attempts = level.attempts;
        Ok(true)
    }

    /// The path of what is being removed, for messages; long ones lose their middle.
    fn path(&self) -> PathBuf {
        const SHOWN: usize = 16;
        let mut path = self.root.clone();
        for (depth, level) in self.above.iter().enumerate() {
            match level.entries.front() {
                Some(name) if depth < SHOWN => path.push(OsStr::from_bytes(name.to_bytes())),
                _ if depth == SHOWN => path.push("…"),
                _ => {}
            }
        }
        if let Some(name) = self.entries.front() {
            path.push(OsStr::from_bytes(name.to_bytes()));
        }
        path
    }
}

impl Place {
    fn of(fd: impl AsFd, path: &Path) -> Result<Place, Error> {
        let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
        let found: Statx = rustix::fs::statx(fd, c"", AtFlags::EMPTY_PATH, wanted).map_err(at(Error::Stat, path))?;
        // Kernels before 5.8 do not tell the mount; there the device must do.
        let told = found.stx_mask & StatxFlags::MNT_ID.bits() != 0;
        Ok(Place {
            device: (found.stx_dev_major, found.stx_dev_minor),
            inode: found.stx_ino,
            mount: if told { found.stx_mnt_id } else { 0 },
        })
    }

    fn is_in_mount_of(&self, other: &Place) -> bool {
        self.mount == other.mount && self.device == other.device
    }
}

/// Removes what has the name, be it an empty directory or anything else; that it is missing is fine.
fn remove_entry(dir: &OwnedFd, name: &CStr) -> Result<(), Errno> {
    match rustix::fs::unlinkat(dir, name, AtFlags::empty()) {
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(Errno::NOENT) => return Ok(()),
        result => return result,
    }
    match rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR) {
        Err(Errno::NOENT) => Ok(()),
        // It was a directory a moment ago: to look again is what a directory that is not empty needs too.
        Err(Errno::NOTDIR) => Err(Errno::NOTEMPTY),
        result => result,
    }
}

fn list(dir: &OwnedFd) -> Result<VecDeque<CString>, Errno> {
    let mut names = VecDeque::new();
    for entry in rustix::fs::Dir::read_from(dir)? {
        let entry = entry?;
        if entry.file_name() != c"." && entry.file_name() != c".." {
            names.push_back(entry.file_name().to_owned());
        }
    }
    Ok(names)
}
