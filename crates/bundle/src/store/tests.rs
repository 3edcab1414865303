//! Promises of the store, kept on a real file system.
//! They need root, to give bundles to mapped roots and to look at them as somebody else.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use libcontainerd_core::ErrorKind;

use super::*;

const ROOT: Owner = Owner { uid: 0, gid: 0 };
const MAPPED: Owner = Owner { uid: 1000, gid: 2000 };
const OTHER: Owner = Owner { uid: 3000, gid: 4000 };

/// A state root in a directory that everybody may enter, so that only our modes protect it.
struct Scratch {
    above: tempfile::TempDir,
    store: DirBundleStore,
}

impl Scratch {
    fn new() -> Scratch {
        let above = tempfile::tempdir().unwrap();
        std::fs::set_permissions(above.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let store = DirBundleStore::new(above.path().join("state"));
        Scratch { above, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.above.path().join("state").join(name)
    }

    async fn prepare(&self, name: &str, owner: Owner) -> CoreResult<Bundle> {
        let claim = self.store.claim(&id(name)).await?;
        self.store.prepare(&claim, &spec(), owner).await
    }

    async fn remove(&self, name: &str) -> CoreResult<()> {
        let claim = self.store.claim(&id(name)).await?;
        self.store.remove(&claim).await
    }

    async fn names(&self) -> Vec<String> {
        self.store.list().await.unwrap().iter().map(ToString::to_string).collect()
    }
}

fn id(text: &str) -> ContainerId {
    text.parse().unwrap()
}

fn spec() -> Spec {
    let mut spec = Spec::default();
    spec.set_hostname(Some("a name to find again".to_owned()));
    spec
}

/// The kind that an error of ours has for core.
fn kind(error: Error) -> ErrorKind {
    libcontainerd_core::Error::from(error).kind()
}

/// Uid, gid and permission bits.
fn access(path: &Path) -> (u32, u32, u32) {
    let found = std::fs::symlink_metadata(path).unwrap();
    (found.uid(), found.gid(), found.mode() & 0o7777)
}

/// Runs a shell script as a user who is in no group but `gid`; the paths are its arguments.
fn run_as(uid: u32, gid: u32, script: &str, paths: &[PathBuf]) -> String {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, "sh"]).args(paths).uid(uid).gid(gid);
    let output = command.output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Returns all paths at and below `root`.
fn walk(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.to_owned()];
    if std::fs::symlink_metadata(root).unwrap().is_dir() {
        for entry in std::fs::read_dir(root).unwrap() {
            found.extend(walk(&entry.unwrap().path()));
        }
    }
    found
}

#[tokio::test]
async fn a_bundle_is_found_again_with_its_spec() {
    let scratch = Scratch::new();
    for (name, owner) in [("web", ROOT), ("mapped", MAPPED)] {
        let made = scratch.prepare(name, owner).await.unwrap();
        let found = scratch.store.load(&id(name)).await.unwrap();
        assert_eq!((found.directory, found.spec), (made.directory, spec()));
    }
    assert_eq!(scratch.names().await, ["mapped", "web"]);
}

#[tokio::test]
async fn a_bundle_is_made_with_final_owners_and_modes() {
    let scratch = Scratch::new();
    scratch.prepare("web", ROOT).await.unwrap();
    scratch.prepare("mapped", MAPPED).await.unwrap();
    let expected = [
        ("", (0, 0, 0o711)),
        ("bundles", (0, 0, 0o700)),
        ("bundles/web", (0, 0, 0o700)),
        ("bundles/web/config.json", (0, 0, 0o600)),
        ("bundles.1000.2000", (0, 2000, 0o710)),
        ("bundles.1000.2000/mapped", (1000, 2000, 0o700)),
        ("bundles.1000.2000/mapped/config.json", (1000, 2000, 0o600)),
    ];
    for (path, wanted) in expected {
        assert_eq!(access(&scratch.path(path)), wanted, "{path}");
    }
}

#[tokio::test]
async fn c22_nobody_can_list_or_read_anything() {
    let scratch = Scratch::new();
    scratch.prepare("web", ROOT).await.unwrap();
    scratch.prepare("mapped", MAPPED).await.unwrap();
    let _claim = scratch.store.claim(&id("claimed")).await.unwrap();
    let open = scratch.path("open");
    std::fs::write(&open, "for all").unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o666)).unwrap();
    let paths = walk(&scratch.path(""));
    assert!(paths.len() > 8);
    let script = r#"for p; do if [ -r "$p" ] || [ -w "$p" ]; then echo "$p"; fi; done"#;
    // The walk is judged too: it finds the one path that is open.
    assert_eq!(run_as(65534, 65534, script, &paths).trim_end(), open.to_str().unwrap());
}

#[tokio::test]
async fn c23_each_mapped_root_reads_its_own_bundle_and_no_other() {
    let scratch = Scratch::new();
    scratch.prepare("web", ROOT).await.unwrap();
    scratch.prepare("one", MAPPED).await.unwrap();
    scratch.prepare("two", OTHER).await.unwrap();
    let specs = ["bundles/web", "bundles.1000.2000/one", "bundles.3000.4000/two"]
        .map(|bundle| scratch.path(bundle).join("config.json"));
    let script = r#"for p; do if cat "$p" >/dev/null 2>&1; then echo "$p"; fi; done"#;
    assert_eq!(run_as(1000, 2000, script, &specs).trim_end(), specs[1].to_str().unwrap());
    assert_eq!(run_as(3000, 4000, script, &specs).trim_end(), specs[2].to_str().unwrap());
}

#[tokio::test]
async fn c23_a_mapped_root_can_move_no_bundle() {
    let scratch = Scratch::new();
    scratch.prepare("one", MAPPED).await.unwrap();
    let shelf = scratch.path("bundles.1000.2000");
    run_as(1000, 2000, r#"mv "$1/one" "$1/two" 2>/dev/null; mkdir "$1/three" 2>/dev/null"#, &[shelf]);
    assert_eq!(scratch.names().await, ["one"]);
}

#[tokio::test]
async fn what_an_earlier_container_left_is_removed_whoever_owned_it() {
    let scratch = Scratch::new();
    let stale = scratch.prepare("web", MAPPED).await.unwrap();
    std::fs::write(stale.directory.join("init-stdout"), "stale").unwrap();
    let fresh = scratch.prepare("web", ROOT).await.unwrap();
    assert!(!stale.directory.exists());
    let again = scratch.prepare("web", ROOT).await.unwrap();
    assert_eq!(fresh.directory, again.directory);
    assert_eq!(walk(&again.directory).len(), 2);
}

#[tokio::test]
async fn bundles_are_kept_where_that_was_asked() {
    let mut scratch = Scratch::new();
    scratch.store = scratch.store.clone().keep_bundles(true);
    let first = scratch.prepare("web", MAPPED).await.unwrap();
    std::fs::write(first.directory.join("trace"), "to look at").unwrap();
    scratch.remove("web").await.unwrap();
    scratch.prepare("web", MAPPED).await.unwrap();
    assert!(first.directory.join("trace").exists());
    assert_eq!(scratch.store.load(&id("web")).await.unwrap().spec, spec());
}

#[tokio::test]
async fn to_remove_what_is_missing_is_fine_and_makes_no_bundle() {
    let scratch = Scratch::new();
    scratch.remove("web").await.unwrap();
    scratch.prepare("web", ROOT).await.unwrap();
    scratch.remove("web").await.unwrap();
    scratch.remove("web").await.unwrap();
    assert_eq!(scratch.names().await, [""; 0]);
}

#[tokio::test]
async fn remove_never_follows_a_link_outside() {
    let scratch = Scratch::new();
    let outside = scratch.above.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("canary"), "alive").unwrap();
    let bundle = scratch.prepare("web", ROOT).await.unwrap();
    symlink(&outside, bundle.directory.join("rootfs")).unwrap();
    symlink(&outside, scratch.path("bundles/linked")).unwrap();
    for name in ["web", "linked"] {
        scratch.remove(name).await.unwrap();
    }
    assert_eq!(walk(&scratch.path("bundles")).len(), 1);
    assert!(outside.join("canary").exists());
}

#[tokio::test]
async fn a_bundle_that_is_a_link_is_neither_listed_nor_read() {
    let scratch = Scratch::new();
    let web = scratch.prepare("web", ROOT).await.unwrap();
    symlink(&web.directory, scratch.path("bundles/linked")).unwrap();
    assert_eq!(scratch.names().await, ["web"]);
    assert!(scratch.store.load(&id("linked")).await.is_err());
}

#[tokio::test]
async fn c12_names_from_the_disk_are_parsed_and_foreign_ones_skipped() {
    let scratch = Scratch::new();
    scratch.prepare("web", ROOT).await.unwrap();
    for foreign in [".hidden", "a b", "-x", "\u{1b}[31m"] {
        std::fs::create_dir(scratch.path("bundles").join(foreign)).unwrap();
    }
    std::fs::create_dir(scratch.path("bundles.evil.1")).unwrap();
    std::fs::create_dir(scratch.path("bundles.evil.1/x")).unwrap();
    std::fs::write(scratch.path("bundles/file"), "").unwrap();
    assert_eq!(scratch.names().await, ["web"]);
}

#[tokio::test]
async fn c29_ids_that_look_like_names_of_ours_are_ids() {
    let scratch = Scratch::new();
    let ids = ["bundles", "bundles.1.2", "claims", "config.json", "events", "lock", "rootfs", "run", "tmp"];
    for name in ids {
        scratch.prepare(name, ROOT).await.unwrap();
    }
    assert_eq!(scratch.names().await, ids);
    for name in ids {
        assert_eq!(scratch.store.load(&id(name)).await.unwrap().spec, spec());
        scratch.remove(name).await.unwrap();
    }
    assert_eq!(scratch.names().await, [""; 0]);
}

#[tokio::test]
async fn the_longest_id_has_a_bundle() {
    let scratch = Scratch::new();
    let name = "x".repeat(128);
    scratch.prepare(&name, ROOT).await.unwrap();
    assert_eq!(scratch.names().await, [name]);
}

#[tokio::test]
async fn to_look_makes_nothing() {
    let scratch = Scratch::new();
    assert_eq!(scratch.names().await, [""; 0]);
    assert_eq!(scratch.store.load(&id("web")).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(!scratch.path("").exists());
}

#[tokio::test]
async fn a_spec_that_is_none_is_refused_without_quoting_it() {
    let scratch = Scratch::new();
    let bundle = scratch.prepare("web", ROOT).await.unwrap();
    let spec = r#"{"ociVersion": "1.0.2", "process": {"env": "TOKEN=canary"}}"#;
    std::fs::write(bundle.directory.join("config.json"), spec).unwrap();
    let error = scratch.store.load(&id("web")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[tokio::test]
async fn a_spec_that_is_a_fifo_or_a_link_is_refused_at_once() {
    let scratch = Scratch::new();
    let bundle = scratch.prepare("web", MAPPED).await.unwrap();
    let spec = bundle.directory.join("config.json");
    std::fs::remove_file(&spec).unwrap();
    assert!(Command::new("mkfifo").arg(&spec).status().unwrap().success());
    assert_eq!(scratch.store.load(&id("web")).await.unwrap_err().kind(), ErrorKind::System);
    std::fs::remove_file(&spec).unwrap();
    symlink("/etc/shadow", &spec).unwrap();
    assert_eq!(scratch.store.load(&id("web")).await.unwrap_err().kind(), ErrorKind::System);
}

#[tokio::test]
async fn c30_a_root_of_somebody_else_or_behind_a_link_is_refused() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("")).unwrap();
    std::os::unix::fs::chown(scratch.path(""), Some(65534), None).unwrap();
    let foreign = scratch.prepare("web", ROOT).await.unwrap_err();
    assert_eq!(foreign.kind(), ErrorKind::PermissionDenied);
    assert_eq!(scratch.store.list().await.unwrap_err().kind(), ErrorKind::PermissionDenied);
    symlink("state", scratch.above.path().join("link")).unwrap();
    let linked = DirBundleStore::new(scratch.above.path().join("link"));
    assert_eq!(linked.claim(&id("web")).await.unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn c22_a_root_that_is_too_wide_is_tightened() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("")).unwrap();
    std::fs::set_permissions(scratch.path(""), std::fs::Permissions::from_mode(0o777)).unwrap();
    scratch.prepare("web", ROOT).await.unwrap();
    assert_eq!(access(&scratch.path("")), (0, 0, 0o711));
}

#[tokio::test]
async fn a_name_is_claimed_by_one_at_a_time() {
    let scratch = Scratch::new();
    let held = scratch.store.claim(&id("web")).await.unwrap();
    let refused = claim::claim(&scratch.store.layout, &id("web"), Duration::from_millis(20)).await.unwrap_err();
    assert!(refused.to_string().contains(&format!("process {}", std::process::id())), "{refused}");
    assert_eq!(kind(refused), ErrorKind::WrongState);
    let _other = scratch.store.claim(&id("other")).await.unwrap();
    let store = scratch.store.clone();
    let waiting = tokio::spawn(async move { store.claim(&id("web")).await.map(drop) });
    drop(held);
    waiting.await.unwrap().unwrap();
    assert!(!scratch.path("claims/web").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn claims_raced_for_are_never_held_by_two() {
    let scratch = Scratch::new();
    let inside = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let racers: Vec<_> = (0..8)
        .map(|_| (scratch.store.clone(), inside.clone()))
        .map(|(store, inside)| {
            tokio::spawn(async move {
                for _ in 0..10 {
                    let _claim = store.claim(&id("web")).await.unwrap();
                    assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                    store.list().await.unwrap();
                    inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                }
            })
        })
        .collect();
    for racer in racers {
        racer.await.unwrap();
    }
}

#[test]
fn a_full_disk_leaves_nothing() {
    let scratch = Scratch::new();
    let run = || {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
        let private = rustix::mount::MountPropagationFlags::PRIVATE | rustix::mount::MountPropagationFlags::REC;
        rustix::mount::mount_change("/", private).unwrap();
        std::fs::create_dir(scratch.path("")).unwrap();
        let none = rustix::mount::MountFlags::empty();
        rustix::mount::mount("small", scratch.path(""), "tmpfs", none, c"size=64k,mode=711").unwrap();
        let mut large = spec();
        large.set_hostname(Some("x".repeat(1024 * 1024)));
        for owner in [ROOT, MAPPED] {
            let failed = scratch.store.prepare_now(&id("web"), large.clone(), owner).unwrap_err();
            assert_eq!(kind(failed), ErrorKind::ResourceExhausted);
            assert!(scratch.store.list_now().unwrap().is_empty());
        }
        scratch.store.prepare_now(&id("web"), spec(), ROOT).unwrap();
    };
    std::thread::scope(|scope| {
        if let Err(panic) = scope.spawn(run).join() {
            std::panic::resume_unwind(panic);
        }
    });
}
