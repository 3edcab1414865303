//! Finding what killed programs of ours have left behind, and clearing it away.
//!
//! What there is is listed first, then the journals are read: whatever a container has was made after its journal and is
//! removed before it, so that what was listed and no journal knows has no container any more. Only what carries our
//! state root's hash, or is in a directory of ours, is looked at; what lives or is being made has its lock held and is
//! left alone, and where one journal cannot be read nothing that it might know is touched.
//!
//! Keeps: `a_sweep_clears_what_is_left_and_touches_nothing_else`.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use libcontainerd_core::ports::runtime::{Sweep, Swept};
use libcontainerd_core::{ContainerId, Error as CoreError, ErrorKind, Instance, Result};
use libcontainerd_durable::{Dir, Lock, is_temporary, journal, tree};
use libcontainerd_engine::{Host, cgroups_below};

use super::look::{Found, look};
use super::{Inner, names};
use crate::error::Error;
use crate::layout;
use crate::lease;
use crate::own_directory;
use crate::recover::{self, Settled};

mod remains;
mod strays;

/// How old a directory without a container must be: a younger one may be about to become one.
const BIRTH: Duration = Duration::from_secs(10);

/// A sweep under way.
#[derive(Debug)]
struct Broom<'i> {
    inner: &'i Inner,
    host: Host,
    /// Whether what is found is removed.
    removes: bool,
    /// All cgroups below our parent, by name.
    cgroups: BTreeMap<String, Vec<PathBuf>>,
    /// Instances that a journal knows.
    known: HashSet<Instance>,
    /// Whether there is a journal that nobody could read.
    doubt: bool,
    swept: Vec<Swept>,
}

impl Inner {
    /// Finds, and with `Remove` clears away, what belongs to no container any more.
    ///
    /// # Errors
    /// The state directory cannot be listed.
    pub(super) fn sweep(&self, how: Sweep) -> Result<Vec<Swept>> {
        let host = Host::probe().map_err(Error::Engine)?;
        let cgroups = cgroups_below(&host, &self.cgroup_parent).map_err(Error::Engine)?;
        let layers = remains::layers(self)?;
        let (known, swept) = (HashSet::new(), Vec::new());
        let removes = how == Sweep::Remove;
        let mut broom = Broom { inner: self, host, removes, cgroups, known, doubt: false, swept };
        broom.sweep_strays();
        for id in names(&self.run)? {
            broom.sweep_container(&id);
        }
        if !broom.doubt {
            broom.sweep_cgroups();
            broom.sweep_layers(layers);
        }
        broom.sweep_departed()?;
        broom.sweep_bells();
        Ok(broom.swept)
    }
}

impl Broom<'_> {
    /// Names something, and does away with it if that is to be done.
    fn sweep(&mut self, kind: &str, name: impl ToString, act: impl FnOnce(&Inner) -> Result<()>) {
        let mut swept = Swept::new(kind, name.to_string());
        if self.removes {
            swept.failed = act(self.inner).err().map(|error| in_full(&error));
        }
        self.swept.push(swept);
    }

    /// Names, and removes, directories whose removal was not brought to its end.
    fn sweep_departed(&mut self) -> Result<()> {
        let names = self.inner.run.names().map_err(Error::disk("list the containers"))?;
        for name in names.into_iter().filter(|name| own_directory::is_departed(name)) {
            if self.inner.run.open(&name).is_ok_and(|directory| is_old(&directory)) {
                let path = self.inner.run.path().join(&name);
                self.sweep("directory", path.display(), |inner| {
                    Ok(tree::remove(&inner.run, &name).map_err(Error::disk("remove a container's directory"))?)
                });
            }
        }
        Ok(())
    }

    /// Looks at a container's directory. One that cannot be understood hides its container, not the others.
    fn sweep_container(&mut self, id: &ContainerId) {
        match look(&self.inner.run, id) {
            Ok(found) if found.supervised => self.know(&found),
            // About to become a container, for all that one can see.
            Ok(found) if found.history.is_none() && !is_old(&found.run) => {}
            Ok(found) if self.removes => self.sweep_locked(id, &found),
            Ok(found) => self.find_in(id, &found),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(_) => match self.inner.run.open(id.as_str()).ok().and_then(|run| instance_of(&run)) {
                Some(instance) => drop(self.known.insert(instance)),
                None => self.doubt = true,
            },
        }
    }

    /// Settles a container that nobody supervises; whoever has its lock is at it already.
    fn sweep_locked(&mut self, id: &ContainerId, found: &Found) {
        let lock = own_directory::lock(&self.inner.run, &found.run, id).ok().flatten();
        // Only now nobody else can change it.
        match (lock, look(&self.inner.run, id)) {
            (Some(lock), Ok(found)) => {
                let found = found.under_our_lock();
                self.find_in(id, &found);
                if self.is_to_be_settled(&found) {
                    self.settle(id, &found, &lock);
                }
            }
            (_, Ok(found)) => self.know(&found),
            (_, Err(_)) => self.know(found),
        }
    }

    /// Names what of a container that nobody supervises is left behind.
    fn find_in(&mut self, id: &ContainerId, found: &Found) {
        let Some(history) = &found.history else {
            if !self.removes {
                self.sweep("directory", found.run.path().display(), |_| Ok(()));
            }
            return;
        };
        self.know(found);
        let names = found.run.names().unwrap_or_default();
        for name in names.into_iter().filter(|name| is_temporary(name)) {
            let path = found.run.path().join(&name);
            self.sweep("file", path.display(), |_| {
                Ok(found.run.remove_file(&name).map_err(Error::disk("remove a temporary file"))?)
            });
        }
        if self.removes || !self.is_to_be_settled(found) {
            return;
        }
        self.name_cgroups(&history.creating.cgroup_name);
        if history.deleted || history.init().is_none() || lease::has_lapsed(history) {
            let path = self.inner.run.path().join(id.as_str());
            self.sweep("directory", path.display(), |_| Ok(()));
        }
    }

    /// Whether a container without supervisors has ended, and somebody has to say so or to remove it.
    fn is_to_be_settled(&self, found: &Found) -> bool {
        match &found.history {
            // One that is younger was not looked at.
            None => true,
            Some(history) => {
                found.is_orphan() && (lease::owner_is_gone(&history.creating) || !recover::is_alive(history))
            }
        }
    }

    /// Settles a container, and names what that has removed.
    fn settle(&mut self, id: &ContainerId, found: &Found, lock: &Lock) {
        let path = self.inner.run.path().join(id.as_str());
        let is_alive = found.history.as_ref().is_some_and(recover::is_alive);
        if let Some(history) = &found.history {
            self.name_cgroups(&history.creating.cgroup_name);
        }
        match self.inner.settle_or_adopt(id.clone(), lock) {
            // Its new monitor ends it, since its owner is gone.
            Ok((Settled::Adopt, _)) if is_alive => self.swept.push(Swept::new("directory", path.display().to_string())),
            Ok((Settled::Removed, _)) => self.swept.push(Swept::new("directory", path.display().to_string())),
            Ok(_) => {}
            Err(error) => {
                let mut swept = Swept::new("directory", path.display().to_string());
                swept.failed = Some(in_full(&error));
                self.swept.push(swept);
            }
        }
    }

    /// Names the cgroups of a container that is settled, and with that removed.
    fn name_cgroups(&mut self, name: &str) {
        let paths = self.cgroups.get(name).into_iter().flatten();
        self.swept.extend(paths.map(|path| Swept::new("cgroup", path.display().to_string())));
    }

    fn know(&mut self, found: &Found) {
        self.known.extend(found.history.as_ref().map(|history| history.creating.instance));
    }
}

/// Which container a journal is of that is otherwise not understood.
fn instance_of(run: &Dir) -> Option<Instance> {
    let replay = journal::read(run, layout::JOURNAL).ok()?;
    let first: serde_json::Value = serde_json::from_slice(replay.records.first()?).ok()?;
    first["fact"]["creating"]["instance"].as_str()?.parse().ok()
}

fn is_old(dir: &Dir) -> bool {
    let changed = rustix::fs::fstat(dir).ok().and_then(|stat| u64::try_from(stat.st_mtime).ok());
    let changed = changed.and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age > BIRTH)
}

fn in_full(error: &CoreError) -> String {
    let mut text = error.message().to_owned();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
