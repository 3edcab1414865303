//! Where a root comes from: a directory, closed or not, and overlays that keep it as it is.

use std::path::PathBuf;

use libcontainerd_engine::{Root, Upper};
use serde_json::json;

use crate::fixture::{Scratch, spec};

#[test]
fn a_read_only_root_takes_no_write_but_its_file_systems_do() {
    let scratch = Scratch::new();
    let root = Root::ReadOnly(scratch.root());
    let script = "touch /x 2>/dev/null; echo $?; touch /dev/shm/x; echo $?";
    let outcome = scratch.try_run_in(spec(&["sh", "-c", script]), root, &[]).unwrap();
    assert_eq!(outcome.stdout, "1\n0\n");
    assert!(!scratch.root().join("x").exists());
}

#[test]
fn an_overlay_keeps_its_lower_directory_and_its_writes() {
    let scratch = Scratch::new();
    let upper = scratch.path().join("layer");
    let root = || Root::Overlay { lower: scratch.root(), upper: Upper::Directory(upper.clone()) };
    let write = spec(&["sh", "-c", "echo new > /etc/new; rm /etc/group"]);
    assert_eq!(scratch.try_run_in(write, root(), &[]).unwrap().code, 0);
    assert!(scratch.root().join("etc/group").exists() && !scratch.root().join("etc/new").exists());
    let read = spec(&["sh", "-c", "cat /etc/new; test -e /etc/group || echo gone"]);
    assert_eq!(scratch.try_run_in(read, root(), &[]).unwrap().stdout, "new\ngone\n");
    assert_eq!(std::fs::read_to_string(upper.join("upper/etc/new")).unwrap(), "new\n");
}

#[test]
fn an_overlay_in_memory_is_gone_with_the_container() {
    let scratch = Scratch::new();
    let root = || Root::Overlay { lower: scratch.root(), upper: Upper::Tmpfs { size: Some(1 << 20) } };
    let script = "test -e /etc/new && echo old; echo new > /etc/new; dd if=/dev/zero of=/big bs=1M count=2 2>/dev/null || echo full";
    for _ in 0..2 {
        let outcome = scratch.try_run_in(spec(&["sh", "-c", script]), root(), &[]).unwrap();
        assert_eq!(outcome.stdout, "full\n");
    }
    assert!(!scratch.root().join("etc/new").exists());
}

#[test]
fn an_overlays_root_has_owner_and_mode_of_the_directory_below() {
    let scratch = Scratch::new();
    for mode in [0o755, 0o1777] {
        std::fs::set_permissions(scratch.root(), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        std::os::unix::fs::chown(scratch.root(), Some(0), Some(1234)).unwrap();
        let layer = scratch.path().join(format!("layer-{mode:o}"));
        for upper in [Upper::Directory(layer), Upper::Tmpfs { size: None }] {
            let root = Root::Overlay { lower: scratch.root(), upper };
            let outcome = scratch.try_run_in(spec(&["stat", "-c", "%a %u %g", "/"]), root, &[]).unwrap();
            assert_eq!(outcome.stdout, format!("{mode:o} 0 1234\n"));
        }
    }
}

#[test]
fn an_overlay_over_a_path_with_a_colon_works() {
    let scratch = Scratch::new();
    let lower = scratch.path().join("a:b\\c");
    std::fs::rename(scratch.root(), &lower).unwrap();
    let root = Root::Overlay { lower, upper: Upper::Directory(scratch.path().join("layer:1")) };
    assert_eq!(scratch.try_run_in(spec(&["true"]), root, &[]).unwrap().code, 0);
}

#[test]
fn the_hosts_own_root_can_be_an_overlays_lower_and_its_state_stays_hidden() {
    let scratch = Scratch::new();
    let state = scratch.path().join("state");
    std::fs::create_dir(&state).unwrap();
    std::fs::write(state.join("secret"), "secret").unwrap();
    let upper = [Upper::Tmpfs { size: None }, Upper::Directory(scratch.path().join("layer"))];
    for upper in upper {
        let root = Root::Overlay { lower: "/".into(), upper };
        let script = format!(
            "ls -A {0}; echo x > {0}/y 2>/dev/null || echo refused; echo x > /engine-test-canary",
            state.display()
        );
        let outcome =
            scratch.try_run_in(spec(&["/usr/bin/busybox", "sh", "-c", &script]), root, std::slice::from_ref(&state));
        assert_eq!(outcome.unwrap().stdout, "refused\n");
        assert!(!PathBuf::from("/engine-test-canary").exists());
    }
}

#[test]
fn the_hosts_own_root_can_be_the_containers_read_only() {
    let scratch = Scratch::new();
    let script = "touch /engine-test-canary 2>/dev/null || echo refused; echo $$";
    let outcome = scratch.try_run_in(spec(&["/usr/bin/busybox", "sh", "-c", script]), Root::ReadOnly("/".into()), &[]);
    assert_eq!(outcome.unwrap().stdout, "refused\n1\n");
}

#[test]
fn binds_have_their_options_and_hide_what_is_covered() {
    let scratch = Scratch::new();
    let source = scratch.path().join("data");
    std::fs::create_dir_all(source.join("state/deep")).unwrap();
    std::fs::write(source.join("file"), "data").unwrap();
    let script = "cat /mnt/a/file /etc/one; touch /mnt/a/x 2>/dev/null || echo refused; touch /mnt/b/y && echo made; ls -A /mnt/a/state /mnt/b/state";
    let mut spec = spec(&["sh", "-c", script]);
    let mounts = spec["mounts"].as_array_mut().unwrap();
    mounts.push(json!({"destination": "/mnt/a", "source": source, "options": ["rbind", "ro", "nosuid"]}));
    mounts.push(json!({"destination": "/mnt/b", "source": source, "options": ["bind", "rw", "rprivate"]}));
    mounts.push(json!({"destination": "/etc/one", "source": "data/file", "options": ["bind", "ro"]}));
    let cover = [source.join("state")];
    let outcome = scratch.try_run_in(spec, Root::Directory(scratch.root()), &cover).unwrap();
    assert_eq!(outcome.stdout, "datadatarefused\nmade\n/mnt/a/state:\n\n/mnt/b/state:\n");
    assert!(source.join("y").exists());
}
