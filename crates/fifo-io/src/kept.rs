//! Where kept output lives: `DIRECTORY/INSTANCE/PROCESS/`, one log in each.
//!
//! The levels are made when streams are prepared and removed with the container, never with a process: an id that is used
//! again goes on in its log. Names are made from parsed ids only, and the first level is made ours alone before it is
//! used. What is there without a living container is found by its name and its age.
//!
//! Keeps: `output_that_belongs_to_no_container_is_found_and_removed`, `all_levels_are_ours_alone`.
//! Does not know: how a log is written, and by whom.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use libcontainerd_core::id::{Instance, ProcessId};
use libcontainerd_core::ports::process_io::{IoRequest, ReadLog};
use libcontainerd_core::ports::runtime::{Sweep, Swept};
use libcontainerd_core::stdio::Log;
use rustix::fs::{Mode, OFlags};

use crate::Error;
use source::KeptLog;

mod source;

/// The directory of all kept output.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    directory: PathBuf,
}

impl Kept {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Makes the directory of a process's log, if it is not there, for the runtime to write into.
    pub(crate) fn prepare(&self, request: &IoRequest) -> Result<Log, Error> {
        let instance = request.instance.ok_or(Error::NoInstance)?;
        self.own()?;
        let directory = self.of(instance, &request.process.process);
        make_all(&directory).map_err(|source| {
            // Goes only if it is empty: if it is ours alone.
            let _ = fs::remove_dir(self.all_of(instance));
            Error::MakeLog { path: directory.clone(), source }
        })?;
        Ok(Log::new(directory, request.stdio.keep))
    }

    /// Takes back what `prepare` made, as far as nothing was kept.
    pub(crate) fn undo(&self, log: &Log) {
        let _ = fs::remove_dir(&log.directory);
        let _ = log.directory.parent().map(fs::remove_dir);
    }

    /// Opens the log of a process.
    pub(crate) fn open(&self, process: &ProcessId, instance: Instance, read: ReadLog) -> Result<KeptLog, Error> {
        KeptLog::open(open(&self.of(instance, process))?, read)
    }

    /// Whether anything of a container is kept.
    pub(crate) fn has(&self, instance: Instance) -> bool {
        fs::symlink_metadata(self.all_of(instance)).is_ok()
    }

    /// Removes all logs of a container.
    pub(crate) fn forget(&self, instance: Instance) -> Result<(), Error> {
        let path = self.all_of(instance);
        remove(&path).map_err(|source| Error::RemoveLog { path, source })
    }

    /// Finds what belongs to none of the `living` and is no longer being made.
    pub(crate) fn sweep(&self, living: &[Instance], how: Sweep) -> Result<Vec<Swept>, Error> {
        let failed = |source| Error::ListLogs { path: self.directory.clone(), source };
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let living: Vec<String> = living.iter().map(Instance::to_string).collect();
        let mut swept = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_instance(&name) && !living.contains(&name) && is_old(&entry) {
                swept.push(sweep_away(&entry.path(), how));
            }
        }
        Ok(swept)
    }

    fn all_of(&self, instance: Instance) -> PathBuf {
        self.directory.join(instance.to_string())
    }

    fn of(&self, instance: Instance, process: &ProcessId) -> PathBuf {
        self.all_of(instance).join(process.as_str())
    }

    /// Sees to it that the first level is there, a directory of ours, and closed to others.
    fn own(&self) -> Result<(), Error> {
        let failed = |source| Error::MakeLog { path: self.directory.clone(), source };
        make_all(&self.directory).map_err(failed)?;
        let found = fs::symlink_metadata(&self.directory).map_err(failed)?;
        if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() {
            return Err(Error::ForeignLog { path: self.directory.clone() });
        }
        if found.mode() & 0o077 != 0 {
            fs::set_permissions(&self.directory, Permissions::from_mode(0o700)).map_err(failed)?;
        }
        Ok(())
    }
}

/// What is younger may belong to a container that is being made.
const YOUNG: Duration = Duration::from_secs(60);

fn make_all(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

fn open(directory: &Path) -> Result<OwnedFd, Error> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(directory, flags, Mode::empty())
        .map_err(|errno| Error::FindLog { path: directory.to_owned(), source: errno.into() })
}

/// Removes a tree, by descriptors and following nothing; a missing one is fine.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Whether the name is one that we give.
fn is_instance(name: &str) -> bool {
    name.parse::<Instance>().is_ok()
}

/// Whether it was there for long; what cannot be asked is left.
fn is_old(entry: &fs::DirEntry) -> bool {
    let changed = entry.metadata().and_then(|found| found.modified());
    changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age >= YOUNG))
}

fn sweep_away(path: &Path, how: Sweep) -> Swept {
    let mut swept = Swept::new("directory", path.to_string_lossy());
    if how == Sweep::Remove {
        swept.failed = remove(path).err().map(|error| error.to_string());
    }
    swept
}

#[cfg(test)]
mod tests;
