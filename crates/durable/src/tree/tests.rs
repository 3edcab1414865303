//! Promises of `tree`, kept on a real file system.
//! Each has a canary outside the tree, where a link or a mount leads to.

use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::mount::mount_bind;

use super::*;
use crate::scratch::{Scratch, mount_small, with_own_mounts};

fn touch(path: PathBuf) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, "contents").unwrap();
}

#[test]
fn a_tree_of_all_kinds_is_removed() {
    let scratch = Scratch::new();
    for file in ["tree/a", "tree/b/c", "tree/b/d/e", "tree/f/g/h/i"] {
        touch(scratch.path(file));
    }
    std::fs::create_dir(scratch.path("tree/empty")).unwrap();
    symlink("/etc", scratch.path("tree/b/link")).unwrap();
    let mode = Mode::from_raw_mode(0o600);
    let tree = scratch.dir.open("tree").unwrap();
    rustix::fs::mknodat(&tree, "fifo", rustix::fs::FileType::Fifo, mode, 0).unwrap();
    remove(&scratch.dir, "tree").unwrap();
    assert_eq!(scratch.dir.names().unwrap().len(), 0);
}

#[test]
fn a_file_is_a_tree_and_a_missing_one_is_removed_already() {
    let scratch = Scratch::new();
    touch(scratch.path("file"));
    remove(&scratch.dir, "file").unwrap();
    remove(&scratch.dir, "file").unwrap();
    assert!(!scratch.path("file").exists());
}

#[test]
fn a_link_is_removed_and_not_what_it_points_to() {
    let scratch = Scratch::new();
    touch(scratch.path("outside/canary"));
    symlink("outside", scratch.path("tree")).unwrap();
    remove(&scratch.dir, "tree").unwrap();
    assert_eq!(scratch.dir.names().unwrap(), ["outside"]);
    assert!(scratch.path("outside/canary").exists());
}

#[test]
fn a_tree_ten_thousand_deep_is_removed() {
    let scratch = Scratch::new();
    let mut dir = scratch.dir.make("deep", 0o700, None).unwrap().into_fd();
    for _ in 0..10_000 {
        rustix::fs::mkdirat(&dir, "d", Mode::from_raw_mode(0o700)).unwrap();
        dir = rustix::fs::openat(&dir, "d", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    }
    drop(dir);
    remove(&scratch.dir, "deep").unwrap();
    assert_eq!(scratch.dir.names().unwrap().len(), 0);
}

#[test]
fn names_that_are_not_text_are_removed() {
    let scratch = Scratch::new();
    let name = OsStr::from_bytes(b"\xff\n\x1b");
    std::fs::create_dir_all(scratch.dir.path().join("tree").join(name)).unwrap();
    std::fs::write(scratch.dir.path().join("tree").join(name).join(name), "").unwrap();
    remove(&scratch.dir, "tree").unwrap();
    assert_eq!(scratch.dir.names().unwrap().len(), 0);
}

#[test]
fn c14_a_bind_mount_is_not_entered() {
    with_own_mounts(|scratch| {
        touch(scratch.path("outside/canary"));
        std::fs::create_dir_all(scratch.path("tree/below/mount")).unwrap();
        mount_bind(scratch.path("outside"), scratch.path("tree/below/mount")).unwrap();
        let refused = remove(&scratch.dir, "tree").unwrap_err();
        assert!(matches!(&refused, Error::Mounted(path) if *path == scratch.path("tree/below/mount")), "{refused:?}");
        assert!(scratch.path("outside/canary").exists());
        rustix::mount::unmount(scratch.path("tree/below/mount"), rustix::mount::UnmountFlags::empty()).unwrap();
        remove(&scratch.dir, "tree").unwrap();
    });
}

#[test]
fn c14_a_mount_on_the_tree_itself_is_not_entered() {
    with_own_mounts(|scratch| {
        std::fs::create_dir(scratch.path("tree")).unwrap();
        mount_small(&scratch.path("tree"), 64 * 1024);
        touch(scratch.path("tree/canary"));
        assert!(matches!(remove(&scratch.dir, "tree"), Err(Error::Mounted(_))));
        assert!(scratch.path("tree/canary").exists());
    });
}

#[test]
fn c14_a_mount_that_comes_at_the_last_moment_is_not_entered() {
    with_own_mounts(|scratch| {
        std::fs::create_dir(scratch.path("tree")).unwrap();
        let mut walk = Walk::begin(&scratch.dir, c"tree".to_owned()).unwrap();
        mount_small(&scratch.path("tree"), 64 * 1024);
        assert!(matches!(walk.go_down(), Err(Error::Mounted(_))));
        rustix::mount::unmount(scratch.path("tree"), rustix::mount::UnmountFlags::empty()).unwrap();
        mount_bind(scratch.path("tree"), scratch.path("tree")).unwrap();
        assert!(matches!(walk.go_down(), Err(Error::Mounted(_))), "the same file system, and still another mount");
    });
}

#[test]
fn c14_a_mounted_file_is_refused() {
    with_own_mounts(|scratch| {
        touch(scratch.path("outside"));
        touch(scratch.path("tree/file"));
        mount_bind(scratch.path("outside"), scratch.path("tree/file")).unwrap();
        assert!(matches!(remove(&scratch.dir, "tree"), Err(Error::Mounted(_))));
        assert!(scratch.path("outside").exists());
    });
}

#[test]
fn c14_a_swapped_symlink_never_leads_outside() {
    let scratch = Scratch::new();
    touch(scratch.path("outside/deep/canary"));
    let over = Arc::new(AtomicBool::new(false));
    let (one, other) = (scratch.path("tree/dir"), scratch.path("tree/link"));
    std::thread::scope(|scope| {
        let ends = EndsWhenDropped(over.clone());
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                // It fails as often as the tree is gone.
                let _ = renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE);
            }
        });
        for _ in 0..3000 {
            touch(scratch.path("tree/dir/deep/file"));
            symlink(scratch.path("outside"), &other).or_else(ignore_existing).unwrap();
            match remove(&scratch.dir, "tree") {
                Ok(()) | Err(Error::Changing(_)) => {}
                Err(error) => panic!("{error:?}"),
            }
            assert!(scratch.path("outside/deep/canary").exists());
        }
        drop(ends);
    });
}

/// Ends the swapper also when an assertion fails.
struct EndsWhenDropped(Arc<AtomicBool>);

impl Drop for EndsWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn ignore_existing(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

#[test]
fn a_directory_that_was_moved_away_is_not_climbed_out_of() {
    let scratch = Scratch::new();
    touch(scratch.path("elsewhere/canary"));
    touch(scratch.path("tree/dir/file"));
    let mut walk = Walk::begin(&scratch.dir, c"tree".to_owned()).unwrap();
    // Down into `tree`, down into `dir`, whose `file` is removed.
    for _ in 0..3 {
        assert!(walk.step().unwrap());
    }
    std::fs::rename(scratch.path("tree/dir"), scratch.path("elsewhere/dir")).unwrap();
    let mut result = Ok(true);
    while let Ok(true) = result {
        result = walk.step();
    }
    assert!(matches!(result, Err(Error::Changing(_))), "{result:?}");
    assert!(scratch.path("elsewhere/canary").exists());
}
