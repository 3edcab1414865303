//! The child's instructions: owned descriptors, C strings and numbers, nothing to be looked up.
//!
//! Decision: every string and vector is laid out here, before the clone; the child only borrows.

use std::ffi::CString;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{Dev, FileType, Gid, Mode, Uid};
use rustix::termios::Winsize;
use rustix::thread::{LinkNameSpaceType, ThreadNameSpaceType};

use super::Place;
use crate::identity::Identity;
use crate::mounts::Act;
use crate::seccomp::Program;
use crate::sys::ArgumentVector;

/// All that a child does, in its order.
pub(crate) struct Blueprint {
    /// Numbers of the descriptors that the child goes on using, sorted.
    pub(crate) keep: Vec<u32>,
    /// Where reports go.
    pub(crate) report: OwnedFd,
    /// Where the gate's byte comes from and descriptors go.
    pub(crate) gate: OwnedFd,
    /// Standard input, output and error.
    pub(crate) stdio: [OwnedFd; 3],
    /// A terminal in their place.
    pub(crate) terminal: Option<TerminalPlan>,
    /// `tasks` files of cgroups to enter.
    pub(crate) entrances: Vec<OwnedFd>,
    /// The cgroup to be born in.
    pub(crate) birthplace: Option<OwnedFd>,
    /// Namespaces that exist already.
    pub(crate) joins: Joins,
    /// `CLONE_NEW*` of those that the clone makes.
    pub(crate) new_namespaces: u64,
    /// Whether the child makes a cgroup namespace, once it is in its cgroups.
    pub(crate) new_cgroup_namespace: bool,
    /// Host name.
    pub(crate) hostname: Option<Vec<u8>>,
    /// NIS domain name.
    pub(crate) domainname: Option<Vec<u8>>,
    /// Whether `lo` is brought up.
    pub(crate) loopback: bool,
    /// Files below `/proc` and their values.
    pub(crate) sysctls: Vec<ProcFile>,
    /// The root and all mounts; `None` in a container that has them.
    pub(crate) filesystem: Option<FilesystemPlan>,
    /// Who the process is and what it runs.
    pub(crate) process: ProcessPlan,
}

/// Namespaces that exist already.
pub(crate) enum Joins {
    /// None.
    None,
    /// Single ones; `pid` if one of them is a pid namespace, which only a further child is in.
    Each {
        /// Each with its kind.
        namespaces: Vec<(OwnedFd, LinkNameSpaceType)>,
        /// Whether a further clone is needed.
        pid: bool,
    },
    /// Those of a process.
    Process {
        /// The process.
        pidfd: OwnedFd,
        /// Which of its namespaces.
        kinds: ThreadNameSpaceType,
    },
}

/// A terminal to be made.
pub(crate) struct TerminalPlan {
    /// Its size at the start.
    pub(crate) size: Winsize,
    /// The user who gets the slave.
    pub(crate) owner: u32,
    /// Where the slave shows as the console.
    pub(crate) console: Option<Place>,
}

/// A file below `/proc` with what is written to it.
pub(crate) struct ProcFile {
    /// Relative to `/proc`.
    pub(crate) path: CString,
    /// What is written.
    pub(crate) value: Vec<u8>,
}

/// Who a process is and what it runs.
pub(crate) struct ProcessPlan {
    /// The program as the spec names it.
    pub(crate) name: CString,
    /// Paths to look for it, in order.
    pub(crate) candidates: Vec<CString>,
    /// Its arguments.
    pub(crate) arguments: ArgumentVector,
    /// Its environment.
    pub(crate) environment: ArgumentVector,
    /// Where it starts.
    pub(crate) working_directory: Place,
    /// Whether that is made where it is missing.
    pub(crate) make_working_directory: bool,
    /// User, groups, capabilities, limits.
    pub(crate) identity: Identity,
    /// The identity's groups as the kernel takes them.
    pub(crate) groups: Vec<Gid>,
    /// The newest capability that the kernel knows.
    pub(crate) last_capability: u8,
    /// The seccomp filter.
    pub(crate) filter: Option<Program>,
    /// The name of the session keyring; `None` for one without a name.
    pub(crate) keyring: Option<CString>,
    /// `oom_score_adj`.
    pub(crate) oom_score_adj: Option<Vec<u8>>,
    /// The security label for exec.
    pub(crate) label: Option<ProcFile>,
    /// The execution domain.
    pub(crate) personality: Option<u64>,
}

/// The root and all mounts.
pub(crate) struct FilesystemPlan {
    /// Where the root comes from.
    pub(crate) root: RootPlan,
    /// `MS_*` propagation of the host's mounts in the new namespace.
    pub(crate) propagation_before: u64,
    /// `MS_*` propagation of the container's root, and whether it is recursive.
    pub(crate) propagation_after: Option<(u64, bool)>,
    /// The mounts.
    pub(crate) acts: Vec<Act>,
    /// Device nodes, below `/dev`.
    pub(crate) devices: Vec<DevicePlan>,
    /// Links in `/dev`.
    pub(crate) links: Vec<LinkPlan>,
    /// Whether nodes and links are made in the image's own `/dev`.
    pub(crate) devices_in_root: bool,
    /// `/dev`.
    pub(crate) device_directory: Place,
    /// Paths to hide.
    pub(crate) masked: Vec<Place>,
    /// Paths to close for writing.
    pub(crate) read_only: Vec<Place>,
    /// Whether the root itself is closed for writing.
    pub(crate) read_only_root: bool,
}

/// Where a root comes from.
pub(crate) enum RootPlan {
    /// A directory of the host.
    Directory {
        /// Absolute.
        source: CString,
    },
    /// An overlay.
    Overlay {
        /// The directory below, absolute; the overlay is attached over it.
        lower: CString,
        /// The same as an overlay's option.
        option: CString,
        /// What takes the writes.
        upper: UpperPlan,
    },
}

/// What takes an overlay's writes.
pub(crate) enum UpperPlan {
    /// Two directories of the host.
    Directory {
        /// The layer, as an option.
        upper: CString,
        /// The kernel's scratch space, as an option.
        work: CString,
    },
    /// A new tmpfs.
    Memory {
        /// Its parameters.
        parameters: Vec<(CString, Option<CString>)>,
        /// Whose the layer is: the container's root has owner and mode of the layer, not of what is below.
        owner: (Uid, Gid),
        /// Who may enter it.
        mode: Mode,
    },
}

/// A device node.
pub(crate) struct DevicePlan {
    /// Its directory, relative to `/dev`.
    pub(crate) parent: Place,
    /// Its name.
    pub(crate) name: CString,
    /// Character, block or FIFO.
    pub(crate) kind: FileType,
    /// Permissions.
    pub(crate) mode: u32,
    /// Major and minor.
    pub(crate) number: Dev,
    /// Its owner, if not root.
    pub(crate) owner: Option<Uid>,
    /// Its group, if not root's.
    pub(crate) group: Option<Gid>,
}

/// A symbolic link in `/dev`.
pub(crate) struct LinkPlan {
    /// Its name.
    pub(crate) name: CString,
    /// What it says.
    pub(crate) target: CString,
}

impl Blueprint {
    /// Writes down which descriptors the child goes on using once its standard streams are in place.
    pub(crate) fn note_what_to_keep(&mut self) {
        let mut keep = vec![self.report.as_raw_fd(), self.gate.as_raw_fd()];
        keep.extend(self.entrances.iter().map(AsRawFd::as_raw_fd));
        keep.extend(self.birthplace.iter().map(AsRawFd::as_raw_fd));
        match &self.joins {
            Joins::None => {}
            Joins::Each { namespaces, .. } => {
                keep.extend(namespaces.iter().map(|(namespace, _)| namespace.as_raw_fd()));
            }
            Joins::Process { pidfd, .. } => keep.push(pidfd.as_raw_fd()),
        }
        self.keep = keep.into_iter().filter_map(|fd| u32::try_from(fd).ok()).collect();
        self.keep.sort_unstable();
    }

    /// Whether the process is a child of the first clone's child.
    pub(crate) fn has_two_clones(&self) -> bool {
        match &self.joins {
            Joins::None => false,
            Joins::Each { pid, .. } => *pid,
            Joins::Process { kinds, .. } => kinds.contains(ThreadNameSpaceType::PROCESS_ID),
        }
    }
}

impl ProcessPlan {
    /// Whether CAP_SYS_ADMIN is kept until the filter is loaded.
    pub(crate) fn keeps_admin(&self) -> bool {
        self.filter.is_some() && !self.identity.no_new_privileges
    }
}
