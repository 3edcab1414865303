//! A state root of a test's own, with a root file system of busybox; dropped, it looks for what was left behind.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A test's own STATE, DATA, bundles and root file system.
pub(crate) struct Scratch {
    root: TempDir,
    cgroup_parent: String,
}

impl Scratch {
    pub(crate) fn new() -> Scratch {
        let root = TempDir::new().unwrap();
        let name = root.path().file_name().unwrap().to_str().unwrap().trim_start_matches('.').to_owned();
        let scratch = Scratch { root, cgroup_parent: format!("/lctr-test-{name}") };
        for directory in ["state/run", "state/bundles", "data", "rootfs"] {
            fs::create_dir_all(scratch.path(directory)).unwrap();
        }
        for directory in ["state", "state/run", "state/bundles", "data"] {
            fs::set_permissions(scratch.path(directory), fs::Permissions::from_mode(0o700)).unwrap();
        }
        scratch.fill_rootfs();
        scratch
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    pub(crate) fn cgroup_parent(&self) -> &str {
        &self.cgroup_parent
    }

    /// The name of a container's cgroup, as the client side makes it.
    pub(crate) fn cgroup_name(&self, instance: &str) -> String {
        let state = self.path("state");
        let bytes = state.to_str().unwrap().bytes();
        let hash = bytes
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        format!("{hash:016x}-{instance}")
    }

    /// A cgroup below this test's parent, in the hierarchy by which processes are known.
    pub(crate) fn cgroup(&self, below: &str) -> PathBuf {
        let all = hierarchies();
        let unified = all.iter().find(|path| Path::new(path).join("cgroup.procs").exists() && path.contains("unified"));
        let hierarchy = unified.unwrap_or(&all[0]);
        PathBuf::from(format!("{hierarchy}{}/{below}", self.cgroup_parent))
    }

    fn fill_rootfs(&self) {
        let rootfs = self.path("rootfs");
        for directory in ["bin", "dev", "proc", "sys", "tmp", "etc", "root"] {
            fs::create_dir_all(rootfs.join(directory)).unwrap();
        }
        fs::write(rootfs.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n").unwrap();
        fs::set_permissions(rootfs.join("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
        fs::copy("/bin/busybox", rootfs.join("bin/busybox")).unwrap();
        let applets = Command::new("/bin/busybox").arg("--list").output().unwrap();
        for applet in String::from_utf8(applets.stdout).unwrap().lines().filter(|applet| *applet != "busybox") {
            symlink("busybox", rootfs.join("bin").join(applet)).unwrap();
        }
    }

    /// Everything of this test's that still exists: cgroups, processes, directories.
    pub(crate) fn left_overs(&self) -> Vec<String> {
        let mut found = Vec::new();
        for hierarchy in hierarchies() {
            let parent = format!("{hierarchy}{}", self.cgroup_parent);
            found.extend(
                names(Path::new(&parent))
                    .into_iter()
                    .filter(|name| is_container(name))
                    .map(|name| format!("{parent}/{name}")),
            );
        }
        for directory in ["state/run", "data/overlay"] {
            found.extend(names(&self.path(directory)).into_iter().map(|name| format!("{directory}/{name}")));
        }
        found.extend(self.monitors().into_iter().map(|pid| format!("process {pid}")));
        found
    }

    /// Monitors and witnesses of this test's containers.
    pub(crate) fn monitors(&self) -> Vec<u32> {
        let mut pids = Vec::new();
        for hierarchy in hierarchies().iter().filter(|path| path.contains("unified") || *path == "/sys/fs/cgroup") {
            let list = format!("{hierarchy}{}/monitors/cgroup.procs", self.cgroup_parent);
            let text = fs::read_to_string(list).unwrap_or_default();
            pids.extend(text.lines().filter_map(|pid| pid.parse::<u32>().ok()));
        }
        pids
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let left = self.left_overs();
        self.sweep();
        if !std::thread::panicking() {
            assert!(left.is_empty(), "left behind: {left:?}");
        }
    }
}

impl Scratch {
    /// Ends and removes whatever a failed test has left.
    fn sweep(&self) {
        for hierarchy in hierarchies() {
            let parent = format!("{hierarchy}{}", self.cgroup_parent);
            for name in names(Path::new(&parent)) {
                let kill = format!("{parent}/{name}/cgroup.kill");
                if Path::new(&kill).exists() {
                    fs::write(kill, "1").unwrap();
                }
            }
        }
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while std::time::Instant::now() < deadline && hierarchies().iter().any(|path| !self.remove_cgroups(path)) {
            std::thread::yield_now();
        }
    }

    fn remove_cgroups(&self, hierarchy: &str) -> bool {
        let parent = PathBuf::from(format!("{hierarchy}{}", self.cgroup_parent));
        remove_below(&parent);
        !parent.exists()
    }
}

fn remove_below(directory: &Path) {
    for name in names(directory) {
        let below = directory.join(name);
        if below.is_dir() {
            remove_below(&below);
        }
    }
    let _ = fs::remove_dir(directory);
}

fn is_container(name: &str) -> bool {
    name.len() == 49
}

pub(crate) fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

pub(crate) fn hierarchies() -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let cgroups = table.lines().filter(|line| line.contains(" - cgroup"));
    cgroups.map(|line| line.split(' ').nth(4).unwrap().to_owned()).collect()
}

/// A file system in memory of a bounded size, unmounted when dropped.
pub(crate) struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    pub(crate) fn mount(path: PathBuf, size: &str) -> SmallDisk {
        fs::create_dir_all(&path).unwrap();
        let options = std::ffi::CString::new(format!("size={size},mode=700")).unwrap();
        rustix::mount::mount("tmpfs", &path, "tmpfs", rustix::mount::MountFlags::empty(), Some(options.as_c_str()))
            .unwrap();
        SmallDisk { path }
    }

    pub(crate) fn fill(&self) {
        let filler = fs::File::create(self.path.join("filler")).unwrap();
        while std::io::Write::write(&mut &filler, &[0; 4096]).is_ok() {}
    }

    pub(crate) fn is_full(&self) -> bool {
        rustix::fs::statvfs(&self.path).unwrap().f_bavail == 0
    }

    /// Makes it larger.
    pub(crate) fn grow(&self, size: &str) {
        let options = std::ffi::CString::new(format!("size={size}")).unwrap();
        rustix::mount::mount_remount(&self.path, rustix::mount::MountFlags::empty(), options.as_c_str()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.path, rustix::mount::UnmountFlags::DETACH);
    }
}
