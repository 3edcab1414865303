//! One container's cgroup in all hierarchies of the host.
use oci_spec::runtime::LinuxResources;

use crate::error::Error;
use crate::host::Host;

/// Where a container's cgroup is, below the mount point of every hierarchy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CgroupPlace {
    /// The directory that holds containers, absolute: `/libcontainerd`.
    pub parent: String,
    /// The container's own directory in it, one path component.
    pub name: String,
}

/// One container's cgroup in all hierarchies, held by descriptors.
#[derive(Debug)]
pub struct Cgroup {}

/// A cgroup below a container's, for one process and its children.
#[derive(Debug)]
pub struct Leaf {}

impl Cgroup {
    /// Makes the cgroup in every hierarchy, writes the limits and reads them back.
    ///
    /// # Errors
    /// [`Error::Unsupported`] names a limit that this host does not have; [`Error::LimitNotKept`] one
    /// that the kernel changed; nothing of the cgroup is left behind.
    pub fn create(
        _host: &Host,
        _place: &CgroupPlace,
        _resources: Option<&LinuxResources>,
    ) -> Result<Cgroup, Error> {
        Err(Error::unsupported("cgroup"))
    }

    /// Opens what another process made; `None` where nothing is there.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where it is there and cannot be opened.
    pub fn open(_host: &Host, _place: &CgroupPlace) -> Result<Option<Cgroup>, Error> {
        Err(Error::unsupported("cgroup"))
    }

    /// Makes or opens a cgroup below this one: `init`, `exec-7`.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where it cannot be made.
    pub fn leaf(&self, _name: &str) -> Result<Leaf, Error> {
        Err(Error::unsupported("cgroup"))
    }

    /// Lists every process of the container, in the caller's pid namespace, once each.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where it cannot be read.
    pub fn pids(&self) -> Result<Vec<u32>, Error> {
        Err(Error::unsupported("cgroup"))
    }

    /// Kills every process of the container.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where the kernel refuses.
    pub fn kill(&self) -> Result<(), Error> {
        Err(Error::unsupported("cgroup"))
    }

    /// Lists the processes of one leaf; none where there is no such leaf.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where it cannot be read.
    pub fn leaf_pids(&self, _name: &str) -> Result<Vec<u32>, Error> {
        Err(Error::unsupported("cgroup"))
    }

    /// Kills the processes of one leaf; nothing where there is no such leaf.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where the kernel refuses.
    pub fn kill_leaf(&self, _name: &str) -> Result<(), Error> {
        Err(Error::unsupported("cgroup"))
    }

    /// Removes one leaf, which must have no processes; nothing where there is no such leaf.
    ///
    /// # Errors
    /// [`Error::CgroupBusy`] where processes stay.
    pub fn remove_leaf(&self, _name: &str) -> Result<(), Error> {
        Err(Error::unsupported("cgroup"))
    }

    /// Stops all processes of the container; they are stopped when this returns.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where the kernel refuses or does not get it done in ten seconds.
    pub fn freeze(&self) -> Result<(), Error> {
        Err(Error::unsupported("cgroup"))
    }

    /// Lets the processes go on.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where the kernel refuses.
    pub fn thaw(&self) -> Result<(), Error> {
        Err(Error::unsupported("cgroup"))
    }

    /// Counts the processes that were killed because memory was short.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where it cannot be read.
    pub fn oom_kills(&self) -> Result<u64, Error> {
        Err(Error::unsupported("cgroup"))
    }

    /// Tells whether the container has any process.
    ///
    /// # Errors
    /// [`Error::Cgroup`] where it cannot be read.
    pub fn is_populated(&self) -> Result<bool, Error> {
        Err(Error::unsupported("cgroup"))
    }

    /// Removes all directories of the container, in every hierarchy; what is gone already is fine.
    /// Waits for dying processes, at most five seconds.
    ///
    /// # Errors
    /// [`Error::CgroupBusy`] where processes stay.
    pub fn remove(&self) -> Result<(), Error> {
        Err(Error::unsupported("cgroup"))
    }
}

/// Moves the calling process, which must have one thread, out of its caller's cgroups into one for
/// monitors below the place's parent; `false` where it may not.
///
/// # Errors
/// [`Error::Cgroup`] where it may and the kernel refuses for another reason.
pub fn adopt_monitor_place(_host: &Host, _place: &CgroupPlace) -> Result<bool, Error> {
    Err(Error::unsupported("cgroup"))
}

/// Removes a parent of containers' cgroups from every hierarchy if nothing is in it any more;
/// tells whether it is gone everywhere.
///
/// # Errors
/// [`Error::Cgroup`] where it is empty and cannot be removed.
pub fn remove_parent(_host: &Host, _parent: &str) -> Result<bool, Error> {
    Err(Error::unsupported("cgroup"))
}
