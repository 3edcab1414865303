//! Root file systems that attack whoever runs a container on them: thirty-odd tiny trees, each wrong in one place.
//!
//! A tree starts as a harmless one with the probe in it and is then spoilt; its links lead to a victim, a directory of
//! the test's that must stay as it is, or to files of the host's that everybody has. What must hold for every tree is
//! the test's to say: nothing outside of it changes, nothing hangs, and what runs, runs inside.

use std::ffi::CString;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode};

use crate::rootfs;

/// A way to spoil a tree.
#[derive(Debug, Clone, Copy)]
pub struct Evil {
    /// What is wrong with it.
    pub name: &'static str,
    spoil: Spoil,
}

/// What is put at a path of the tree, in place of what is there.
#[derive(Debug, Clone, Copy)]
enum Spoil {
    /// A link into the victim: the path in the tree and the one in the victim.
    ToVictim(&'static str, &'static str),
    /// A link to wherever the second path says.
    Link(&'static str, &'static str),
    /// A FIFO, that blocks who opens it.
    Fifo(&'static str),
    /// A regular file with this text.
    Text(&'static str, &'static str),
    /// A file of 4 GiB that takes no room.
    Sparse(&'static str),
    /// An empty directory.
    Directory(&'static str),
    /// A hard link to the victim's file.
    HardLink(&'static str),
}

/// All of them.
pub const ALL: [Evil; 34] = [
    evil("proc is a link to the victim", Spoil::ToVictim("proc", "")),
    evil("proc is a link within the tree", Spoil::Link("proc", "tmp")),
    evil("proc is a file", Spoil::Text("proc", "no directory")),
    evil("proc is a FIFO", Spoil::Fifo("proc")),
    evil("sys is a link to the victim", Spoil::ToVictim("sys", "")),
    evil("sys climbs out", Spoil::Link("sys", "../../../../../../../../etc")),
    evil("sys/fs/cgroup is a link to the victim", Spoil::ToVictim("sys/fs/cgroup", "")),
    evil("dev is a link to the victim", Spoil::ToVictim("dev", "")),
    evil("dev is a link to /etc", Spoil::Link("dev", "/etc")),
    evil("dev is a link to itself", Spoil::Link("dev", "dev")),
    evil("dev/null is a link to the victim's file", Spoil::ToVictim("dev/null", "file")),
    evil("dev/null is a link to a new file of the victim's", Spoil::ToVictim("dev/null", "new")),
    evil("dev/null is the pattern of core files", Spoil::Link("dev/null", "/proc/sys/kernel/core_pattern")),
    evil("dev/null is a file", Spoil::Text("dev/null", "something")),
    evil("dev/null is a FIFO", Spoil::Fifo("dev/null")),
    evil("dev/console is a link to the victim", Spoil::ToVictim("dev/console", "new")),
    evil("dev/pts is a link to the victim", Spoil::ToVictim("dev/pts", "")),
    evil("dev/ptmx is a link to the victim", Spoil::ToVictim("dev/ptmx", "new")),
    evil("dev/shm is a link to the victim", Spoil::ToVictim("dev/shm", "")),
    evil("dev/mqueue is a link to the victim", Spoil::ToVictim("dev/mqueue", "")),
    evil("dev/fd is a link to the victim", Spoil::ToVictim("dev/fd", "")),
    evil("dev/stdout is a link to the victim's file", Spoil::ToVictim("dev/stdout", "file")),
    evil("etc is a link to the victim", Spoil::ToVictim("etc", "")),
    evil("etc/passwd is a link to the victim's file", Spoil::ToVictim("etc/passwd", "file")),
    evil("etc/passwd is the victim's file", Spoil::HardLink("etc/passwd")),
    evil("etc/passwd is a FIFO", Spoil::Fifo("etc/passwd")),
    evil("etc/passwd is a directory", Spoil::Directory("etc/passwd")),
    evil("etc/passwd never ends", Spoil::Link("etc/passwd", "/dev/zero")),
    evil("etc/passwd has 4 GiB", Spoil::Sparse("etc/passwd")),
    evil("etc/passwd has zero bytes", Spoil::Text("etc/passwd", "tester\0:x:0\0:0::/:/bin/sh\n\0\0\0")),
    evil("etc/passwd has a user named by an id that wraps", Spoil::Text("etc/passwd", "4294967296:x:0:0::/:/bin/sh\n")),
    evil("etc/group is a FIFO", Spoil::Fifo("etc/group")),
    evil("etc/group is another's environment", Spoil::Link("etc/group", "/proc/1/environ")),
    evil("mnt is a link to the victim", Spoil::ToVictim("mnt", "")),
];

const fn evil(name: &'static str, spoil: Spoil) -> Evil {
    Evil { name, spoil }
}

/// A directory that evil trees point at, which must stay as it is.
#[derive(Debug)]
pub struct Victim(PathBuf);

impl Victim {
    /// Makes one, with a file that holds something.
    pub fn new(directory: PathBuf) -> Self {
        fs::create_dir_all(&directory).expect("directories can be made");
        fs::write(directory.join("file"), "canary").expect("files can be written");
        Victim(directory)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Fails when anything in it was changed, added or removed.
    #[track_caller]
    pub fn assert_untouched(&self, by: &str) {
        let names: Vec<_> = crate::host::entries(&self.0);
        assert_eq!(names, [self.0.join("file")], "{by}");
        assert_eq!(fs::read_to_string(self.0.join("file")).expect("it can be read"), "canary", "{by}");
        assert!(crate::host::mounts(&self.0).is_empty(), "{by}");
    }
}

impl Evil {
    /// Makes the tree in `root`, which must not exist.
    pub fn make(&self, root: &Path, victim: &Victim) {
        harmless(root);
        match self.spoil {
            Spoil::ToVictim(at, below) => link(&free(root, at), &victim.path().join(below)),
            Spoil::Link(at, to) => link(&free(root, at), Path::new(to)),
            Spoil::Fifo(at) => fifo(&free(root, at)),
            Spoil::Text(at, text) => fs::write(free(root, at), text).expect("files can be written"),
            Spoil::Sparse(at) => sparse(&free(root, at)),
            Spoil::Directory(at) => fs::create_dir(free(root, at)).expect("directories can be made"),
            Spoil::HardLink(at) => {
                fs::hard_link(victim.path().join("file"), free(root, at)).expect("both are on one file system");
            }
        }
    }
}

/// A tree with the probe and nothing wrong.
fn harmless(root: &Path) {
    for name in ["proc", "sys", "dev", "etc", "tmp", "mnt"] {
        fs::create_dir_all(root.join(name)).expect("directories can be made");
    }
    fs::set_permissions(root, Permissions::from_mode(0o755)).expect("modes can be set");
    fs::copy(rootfs::probe().join("probe"), root.join("probe")).expect("the probe can be copied");
    for name in ["passwd", "group"] {
        let honest = rootfs::probe().join("etc").join(name);
        fs::copy(honest, root.join("etc").join(name)).expect("files can be copied");
    }
}

/// The path `at` of the tree, with its parents and nothing there.
fn free(root: &Path, at: &str) -> PathBuf {
    let path = root.join(at);
    let parent = path.parent().expect("it is below the root");
    fs::create_dir_all(parent).expect("directories can be made");
    let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
    path
}

fn link(at: &Path, to: &Path) {
    symlink(to, at).expect("links can be made");
}

fn fifo(at: &Path) {
    let path = CString::new(at.as_os_str().as_bytes()).expect("paths have no zero byte");
    rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o666), 0).expect("FIFOs can be made");
}

fn sparse(at: &Path) {
    let file = File::create(at).expect("files can be made");
    file.set_len(4 << 30).expect("the file system has sparse files");
}
