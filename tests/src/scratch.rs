//! State roots of a test, and the guard that looks for what the test has left on the host.
//!
//! Looked at are this process's descriptors and children, and whatever on the host names the test's own roots:
//! processes, mounts, cgroups, FIFOs, directories. What is on its way out is waited for, since the end of a process
//! that is not ours cannot be awaited otherwise.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{host, patience};

const PATIENCE: Duration = Duration::from_secs(5);
const GLANCE: Duration = Duration::from_millis(5);

/// All state roots of this process, for the last look.
static ROOTS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// STATE and DATA of one test.
#[derive(Debug)]
pub struct Scratch {
    directory: Option<TempDir>,
    path: PathBuf,
    own: Option<Own>,
}

/// What this process had before the test.
#[derive(Debug)]
struct Own {
    descriptors: BTreeMap<u32, PathBuf>,
    children: Vec<u32>,
}

impl Scratch {
    /// Fresh roots; when dropped, nothing on the host may name them.
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("lctr-test-").tempdir().expect("a temporary directory");
        // As the directories above real state roots are: what is closed must be closed by the roots themselves.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("modes can be set");
        let path = directory.path().canonicalize().expect("it has a path");
        ROOTS.lock().unwrap().push(path.clone());
        Scratch { directory: Some(directory), path, own: None }
    }

    /// The same for a test that runs alone in its process, whose descriptors and children are compared too.
    pub fn alone() -> Self {
        let mut scratch = Scratch::new();
        let own = Own { descriptors: host::descriptors(std::process::id()), children: host::own_children() };
        scratch.own = Some(own);
        scratch
    }

    /// STATE: what lives with the boot.
    pub fn state(&self) -> PathBuf {
        self.path.join("state")
    }

    /// DATA: what is large or outlives the boot.
    pub fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// A place for the test's own files.
    pub fn place(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What of containers is left, a line each, after waiting for what is on its way out.
    pub fn left_over(&self) -> Vec<String> {
        let end = Instant::now() + patience::at_most(PATIENCE);
        loop {
            let found = self.look();
            if found.is_empty() || Instant::now() > end {
                return found;
            }
            thread::sleep(GLANCE);
        }
    }

    fn look(&self) -> Vec<String> {
        let state = self.state();
        let directories = ["bundles", "run"].map(|name| state.join(name)).into_iter();
        let directories = directories.chain(["overlay", "output"].map(|name| self.data().join(name)));
        let left = directories.flat_map(|directory| host::entries(&directory)).map(|path| line("directory", &path));
        on_host(&self.path).into_iter().chain(left).collect()
    }

    fn own_left(&self) -> Vec<String> {
        let Some(before) = &self.own else { return Vec::new() };
        let descriptors = host::descriptors(std::process::id()).into_iter();
        // The look itself has the directory of descriptors open.
        let new =
            descriptors.filter(|(number, of)| before.descriptors.get(number) != Some(of) && !of.starts_with("/proc"));
        let children = host::own_children().into_iter().filter(|pid| !before.children.contains(pid));
        new.map(|(number, of)| format!("descriptor {number} of {}", of.display()))
            .chain(children.map(|pid| format!("child {pid}")))
            .collect()
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Scratch::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let failed = thread::panicking();
        let left = if failed { Vec::new() } else { [self.left_over(), self.own_left()].concat() };
        if failed {
            crate::fault::kill_everything_of(&self.path);
        }
        // What cannot be removed is reported as left over already.
        let _ = self.directory.take().map(TempDir::close);
        assert!(failed || left.is_empty(), "left over: {left:#?}");
    }
}

/// What the whole host still has of any state root of this process: the last look of a test program.
pub fn left_on_host() -> Vec<String> {
    let roots = ROOTS.lock().unwrap().clone();
    roots.iter().flat_map(|root| on_host(root)).collect()
}

fn on_host(root: &Path) -> Vec<String> {
    let holders = host::holders(root).into_iter().map(|(pid, name)| format!("process {pid} ({name})"));
    let mounts = host::mounts(root).into_iter().map(|path| line("mount", &path));
    let cgroups = host::cgroups(&host::cgroup_prefix(&root.join("state")));
    holders.chain(mounts).chain(cgroups.iter().map(|path| line("cgroup", path))).collect()
}

fn line(kind: &str, path: &Path) -> String {
    format!("{kind} {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_leaves_in_its_roots_is_found() {
        let scratch = Scratch::new();
        assert_eq!(scratch.look(), Vec::<String>::new());
        let bundle = scratch.state().join("bundles/left");
        fs::create_dir_all(&bundle).unwrap();
        assert_eq!(scratch.look(), [line("directory", &bundle)]);
        fs::remove_dir(&bundle).unwrap();
    }

    #[test]
    fn a_process_that_holds_a_file_of_the_roots_is_found() {
        let scratch = Scratch::new();
        let file = fs::File::create(scratch.place("held")).unwrap();
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).stdout(file).spawn().unwrap();
        assert!(scratch.look().iter().any(|line| line.starts_with(&format!("process {}", child.id()))));
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn a_descriptor_that_is_left_open_is_found() {
        let mut scratch = Scratch::alone();
        let (reader, _writer) = std::io::pipe().unwrap();
        assert!(scratch.own_left().iter().any(|line| line.contains("pipe:")), "{reader:?}");
        // Other tests of this process have descriptors of theirs.
        scratch.own = None;
    }
}
