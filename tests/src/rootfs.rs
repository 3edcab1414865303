//! Root file systems for containers: one with nothing but the probe, and one of busybox.
//!
//! They are made once and kept below cargo's target directory, under a name that tells the program in them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::built;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
                      tester:x:1000:1000::/home/tester:/bin/sh\n\
                      nobody:x:65534:65534::/:/bin/false\n";
const GROUP: &str = "root:x:0:\ntester:x:1000:\nstaff:x:50:tester\nnogroup:x:65534:\n";

/// A root file system with the probe at `/probe`, users, and `/not-executable`.
pub fn probe() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| once("probe", built::probe(), fill_probe))
}

/// A root file system with busybox and a link for each of its programs, the same users, and the probe.
pub fn busybox() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| once("busybox", &find_busybox(), fill_busybox))
}

/// Makes a tree once for each version of the program in it; whoever comes first wins.
fn once(name: &str, program: &Path, fill: fn(&Path, &Path)) -> PathBuf {
    let about = fs::metadata(program).expect("the program is there");
    let place = built::fixtures().join(format!("{name}-{}-{}-{}", about.size(), about.mtime(), about.mtime_nsec()));
    if !place.exists() {
        let making = tempfile::tempdir_in(built::fixtures()).expect("fixtures can be made");
        fill(making.path(), program);
        fs::set_permissions(making.path(), fs::Permissions::from_mode(0o755)).expect("modes can be set");
        // Another test process may have been faster.
        if fs::rename(making.path(), &place).is_ok() {
            let _ = making.keep();
        }
    }
    place
}

fn fill_probe(root: &Path, probe: &Path) {
    for name in ["proc", "sys", "dev", "etc", "tmp", "mnt", "home/tester"] {
        fs::create_dir_all(root.join(name)).expect("directories can be made");
    }
    fs::copy(probe, root.join("probe")).expect("the probe can be copied");
    write(&root.join("not-executable"), "#!/probe\n", 0o644);
    write(&root.join("etc/passwd"), PASSWD, 0o644);
    write(&root.join("etc/group"), GROUP, 0o644);
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777)).expect("modes can be set");
}

fn fill_busybox(root: &Path, busybox: &Path) {
    fill_probe(root, built::probe());
    fs::create_dir_all(root.join("bin")).expect("directories can be made");
    fs::copy(busybox, root.join("bin/busybox")).expect("busybox can be copied");
    let list = Command::new(busybox).arg("--list").output().expect("busybox runs").stdout;
    for name in String::from_utf8_lossy(&list).lines().filter(|name| *name != "busybox") {
        symlink("busybox", root.join("bin").join(name)).expect("links can be made");
    }
}

fn find_busybox() -> PathBuf {
    let found = ["/bin/busybox", "/usr/bin/busybox"].iter().map(PathBuf::from).find(|path| path.is_file());
    found.expect("these tests need a static busybox (Debian: apt-get install busybox-static)")
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).expect("files can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("modes can be set");
}
