//! Which namespaces a process makes and which it joins.
//!
//! Decision: a container always has a mount namespace of its own; without one, mounting would change
//! the host.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use oci_spec::runtime::{LinuxNamespace, LinuxNamespaceType, Spec};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, ThreadNameSpaceType};

use super::Joins;
use crate::error::Error;
use crate::sys;

/// The namespaces of a container's first process.
#[derive(Debug)]
pub(super) struct Namespaces {
    /// `CLONE_NEW*` of those that the clone makes.
    pub(super) new: u64,
    /// Whether a cgroup namespace is made.
    pub(super) new_cgroup: bool,
    joined: Vec<(OwnedFd, LinkNameSpaceType)>,
}

impl Namespaces {
    /// Whether the container makes a namespace of that kind.
    pub(super) fn is_new(&self, kind: LinuxNamespaceType) -> bool {
        let flag = kind as u64;
        self.new & flag != 0 || (kind == LinuxNamespaceType::Cgroup && self.new_cgroup)
    }

    /// Whether the container sees its own cgroups only.
    pub(super) fn own_cgroups(&self) -> bool {
        let joined = |kind: &LinkNameSpaceType| *kind == LinkNameSpaceType::ControlGroup;
        self.new_cgroup || self.joined.iter().any(|(_, kind)| joined(kind))
    }

    /// What is joined.
    pub(super) fn joins(self) -> Joins {
        if self.joined.is_empty() {
            return Joins::None;
        }
        let pid = |kind: &LinkNameSpaceType| *kind == LinkNameSpaceType::ProcessID;
        Joins::Each { pid: self.joined.iter().any(|(_, kind)| pid(kind)), namespaces: self.joined }
    }
}

/// Plans the namespaces of a spec.
pub(super) fn plan(spec: &Spec) -> Result<Namespaces, Error> {
    let list = spec.linux().as_ref().and_then(|linux| linux.namespaces().as_deref());
    let mut namespaces = Namespaces { new: 0, new_cgroup: false, joined: Vec::new() };
    for namespace in list.unwrap_or_default() {
        match namespace.path().as_deref().filter(|path| !path.as_os_str().is_empty()) {
            Some(path) => namespaces.joined.push(open(namespace, path)?),
            None if namespace.typ() == LinuxNamespaceType::Cgroup => namespaces.new_cgroup = true,
            None => namespaces.new |= namespace.typ() as u64,
        }
    }
    if !namespaces.is_new(LinuxNamespaceType::Mount) {
        return Err(Error::unsupported("linux.namespaces (a mount namespace is not made)"));
    }
    Ok(namespaces)
}

/// Joins all namespaces of a process.
pub(super) fn of_process(pidfd: BorrowedFd<'_>) -> Result<Joins, Error> {
    Ok(Joins::Process {
        pidfd: super::duplicate(pidfd)?,
        kinds: ThreadNameSpaceType::MOUNT
            | ThreadNameSpaceType::CONTROL_GROUP
            | ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME
            | ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION
            | ThreadNameSpaceType::PROCESS_ID
            | ThreadNameSpaceType::NETWORK,
    })
}

/// Opens a namespace and makes sure that it is of the kind that the spec says.
fn open(namespace: &LinuxNamespace, path: &Path) -> Result<(OwnedFd, LinkNameSpaceType), Error> {
    let failed = |errno: Errno| Error::Open { role: "namespace", path: path.to_owned(), source: errno.into() };
    let kind = match namespace.typ() {
        LinuxNamespaceType::Pid => LinkNameSpaceType::ProcessID,
        LinuxNamespaceType::Network => LinkNameSpaceType::Network,
        LinuxNamespaceType::Ipc => LinkNameSpaceType::InterProcessCommunication,
        LinuxNamespaceType::Uts => LinkNameSpaceType::HostNameAndNISDomainName,
        LinuxNamespaceType::Cgroup => LinkNameSpaceType::ControlGroup,
        other => return Err(Error::unsupported(format!("linux.namespaces ({other} by path)"))),
    };
    // Without blocking, whatever is there: a FIFO would wait for a writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(failed)?;
    if sys::namespace_kind(opened.as_fd()).map_err(failed)? != namespace.typ() as u32 {
        return Err(Error::invalid("linux.namespaces", "the path is a namespace of another kind"));
    }
    Ok((super::above_stdio(opened)?, kind))
}
