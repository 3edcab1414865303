//! A walk over what must be private, as somebody who has no rights: what can be read, written, listed or talked to?
//!
//! The names are taken as root, so that nothing is missed behind a closed door; each is then tried as the stranger,
//! who is in no group. Whoever calls opens the way down to the walked directory first: the modes of what is walked
//! must do, without help from above.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{built, host};

/// Who has no rights.
pub const NOBODY: u32 = 65534;

/// Says of each path that it is given what can be done with it.
const TRY: &str = r#"while IFS= read -r p; do
    [ -r "$p" ] && echo "reads $p"
    [ -w "$p" ] && echo "writes $p"
    [ -d "$p" ] && ls "$p" >/dev/null 2>&1 && echo "lists $p"
done; true"#;

/// What user `uid` can do at and below `root`, a line each: `reads`, `writes`, `lists` or `talks to`, and the path.
pub fn walk(root: &Path, uid: u32) -> Vec<String> {
    let paths = all_below(root);
    let mut found = tried(&paths, uid);
    let sockets = paths.iter().filter(|path| fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket()));
    found.extend(sockets.filter(|path| talks(path, uid)).map(|path| format!("talks to {}", path.display())));
    found
}

/// Every path at and below `root`; links are not followed.
pub fn all_below(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.to_owned()];
    if fs::symlink_metadata(root).is_ok_and(|about| about.is_dir()) {
        found.extend(host::entries(root).iter().flat_map(|path| all_below(path)));
    }
    found
}

/// Lets everybody through the directories above `path`, up to the temporary directory.
pub fn open_the_way(path: &Path) {
    let temporary = std::env::temp_dir();
    let above = path.ancestors().skip(1).take_while(|path| *path != temporary && path.parent().is_some());
    for directory in above {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).expect("modes can be set");
    }
}

/// What the attacker says of a socket as user `uid`.
pub fn greeted(socket: &Path, uid: u32) -> String {
    let program = reachable_attacker();
    let output = Command::new(program).arg("connect").arg(socket).uid(uid).gid(uid).current_dir("/").output();
    String::from_utf8_lossy(&output.expect("the attacker runs").stdout).trim_end().to_owned()
}

fn talks(socket: &Path, uid: u32) -> bool {
    greeted(socket, uid).starts_with("heard")
}

/// The attacker where strangers may execute it: a target directory may be private.
fn reachable_attacker() -> PathBuf {
    static COPY: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
    let directory = COPY.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("modes can be set");
        fs::copy(built::attacker(), directory.path().join("attacker")).expect("the attacker can be copied");
        directory
    });
    directory.path().join("attacker")
}

fn tried(paths: &[PathBuf], uid: u32) -> Vec<String> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", TRY]).uid(uid).gid(uid).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = shell.spawn().expect("a shell runs");
    let lines: String = paths.iter().map(|path| format!("{}\n", path.display())).collect();
    let mut stdin = child.stdin.take().expect("it was piped");
    let feed = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("the shell ends");
    feed.join().expect("the paths are told").expect("the shell reads them all");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_finds_what_is_open_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir(&root).unwrap();
        open_the_way(&root);
        fs::write(root.join("open"), "").unwrap();
        fs::write(root.join("closed"), "").unwrap();
        fs::set_permissions(&root, fs::Permissions::from_mode(0o711)).unwrap();
        fs::set_permissions(root.join("open"), fs::Permissions::from_mode(0o666)).unwrap();
        fs::set_permissions(root.join("closed"), fs::Permissions::from_mode(0o600)).unwrap();
        let open = root.join("open").display().to_string();
        assert_eq!(walk(&root, NOBODY), [format!("reads {open}"), format!("writes {open}")]);
    }
}
