//! Promises of `mounts`, in threads with mounts of their own.
//! They need root, to mount.

use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};

use super::*;

/// Runs `act` with a root of its own in a thread whose mounts go with it. The root is made and removed outside, where
/// nothing is mounted below it.
fn with_root(act: impl FnOnce(&Path) + Send) {
    let above = tempfile::tempdir().unwrap();
    // A blank is escaped in the table.
    let root = above.path().join("state root");
    std::fs::create_dir(&root).unwrap();
    let run = || {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).unwrap();
        act(&root);
    };
    std::thread::scope(|scope| {
        if let Err(panic) = scope.spawn(run).join() {
            std::panic::resume_unwind(panic);
        }
    });
}

fn mount_memory(on: &Path) {
    std::fs::create_dir_all(on).unwrap();
    mount("old", on, "tmpfs", MountFlags::empty(), None).unwrap();
    std::fs::write(on.join("canary"), "alive").unwrap();
}

fn is_mounted(path: &Path) -> bool {
    mount_points(&std::fs::read(TABLE).unwrap()).iter().any(|mounted| mounted == path)
}

fn id() -> ContainerId {
    "web".parse().unwrap()
}

#[test]
fn an_old_rootfs_is_detached_and_its_bundle_removed() {
    with_root(|root| {
        for shelf in [root.to_owned(), root.join("bundles"), root.join("bundles.7.8")] {
            let rootfs = shelf.join("web/rootfs");
            mount_memory(&rootfs);
            mount_memory(&rootfs.join("below"));
            std::fs::write(shelf.join("web/config.json"), "{}").unwrap();
            clean(root, &id()).unwrap();
            assert!(!is_mounted(&rootfs) && !is_mounted(&rootfs.join("below")));
            assert!(!shelf.join("web").exists() && shelf.exists());
        }
    });
}

#[test]
fn mounts_on_top_of_each_other_are_all_detached() {
    with_root(|root| {
        let rootfs = root.join("bundles/web/rootfs");
        mount_memory(&rootfs);
        mount_memory(&rootfs);
        clean(root, &id()).unwrap();
        assert!(!is_mounted(&rootfs) && !root.join("bundles/web").exists());
    });
}

#[test]
fn a_mount_elsewhere_with_the_same_end_is_left_alone() {
    with_root(|root| {
        let others = [
            root.parent().unwrap().join("web/rootfs"),
            root.join("bundles/cobweb/rootfs"),
            root.join("bundles/web/rootfs2"),
            root.join("not ours/web/rootfs"),
        ];
        others.iter().for_each(|other| mount_memory(other));
        clean(root, &id()).unwrap();
        for other in others {
            assert!(is_mounted(&other) && other.join("canary").exists(), "{}", other.display());
        }
    });
}

#[test]
fn what_was_mounted_is_detached_and_not_emptied() {
    with_root(|root| {
        let image = root.parent().unwrap().join("image");
        std::fs::create_dir(&image).unwrap();
        std::fs::write(image.join("canary"), "alive").unwrap();
        let rootfs = root.join("bundles/web/rootfs");
        std::fs::create_dir_all(&rootfs).unwrap();
        mount_bind(&image, &rootfs).unwrap();
        clean(root, &id()).unwrap();
        assert!(image.join("canary").exists() && !rootfs.exists());
    });
}

#[test]
fn a_root_that_is_missing_has_nothing_to_clean() {
    clean(Path::new("/nonexistent/root"), &id()).unwrap();
}

#[test]
fn mount_points_are_found_and_unescaped() {
    let table = b"24 1 0:22 / / rw shared:1 - ext4 /dev/x rw\n\
                  25 24 0:23 / /a\\040b\\134c\\377 rw - tmpfs tmpfs rw\nshort line\n";
    let found = mount_points(table);
    assert_eq!(found[0], Path::new("/"));
    assert_eq!(found[1].as_os_str().as_encoded_bytes(), b"/a b\\c\xff");
    assert_eq!(found.len(), 2);
}

#[test]
fn a_backslash_without_digits_stands_for_itself() {
    assert_eq!(unescaped(b"a\\9\\40"), b"a\\9\\40");
    assert_eq!(unescaped(b"\\"), b"\\");
}
