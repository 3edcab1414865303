//! Clients that are strange, silent or hostile.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Command;

use serde_json::json;

use crate::container::{Client, recipe};
use crate::scratch::Scratch;

pub(crate) fn a_foreign_user_is_not_heard() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    // Connected by us and handed to another user's process, the connection stays ours; so that process must connect
    // itself, through directories that were opened for it.
    for directory in ["", "state", "state/run", "state/run/c"] {
        let mode = fs::Permissions::from_mode(0o711);
        fs::set_permissions(scratch.path(directory), mode).unwrap();
    }
    let socket = scratch.path("state/run/c/socket");
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
    let heard = |uid: Option<u32>| {
        std::thread::scope(|threads| {
            let asking = threads.spawn(|| {
                if let Some(uid) = uid {
                    become_user(uid);
                }
                let mut client = Client::of(UnixStream::connect(&socket).unwrap());
                client.try_ask(&json!("hello")).is_some()
            });
            asking.join().unwrap()
        })
    };
    assert!(heard(None));
    assert!(!heard(Some(65534)));
    assert!(container.ask(&json!("hello")).get("here").is_some());
    container.delete();
}

/// Takes on a user, this thread alone.
fn become_user(uid: u32) {
    let uid = rustix::process::Uid::from_raw(uid);
    rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
}

pub(crate) fn garbage_harms_nobody() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    for garbage in [&b"\xff\xff\xff\xff"[..], b"\x05\0\0\0hello", b"\0\0\0\0", b"\x02\0\0\0{}"] {
        let mut client = container.client();
        client.send_raw(garbage);
        if let Some(answer) = client.answer() {
            assert!(answer.get("failed").is_some(), "{answer}");
        }
        assert_eq!(client.answer(), None);
    }
    let refused = container.ask(&json!({ "resize": { "process": "init", "size": { "columns": 1, "rows": 1 } } }));
    assert_eq!(refused["failed"]["kind"], "wrong-state");
    let unknown = container.signal("nobody", 15, "process");
    assert_eq!(unknown["failed"]["kind"], "not-found");
    assert!(container.ask(&json!("hello")).get("here").is_some());
    container.delete();
}

pub(crate) fn a_silent_client_blocks_nobody() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    let mut silent: Vec<Client> = (0..20).map(|_| container.client()).collect();
    silent.iter_mut().for_each(|client| client.send_raw(b"\x10\0\0\0half"));
    container.start();
    assert_eq!(container.signal("init", 9, "process"), "done");
    container.ends_with(json!({"signal": 9}));
    container.delete();
}

pub(crate) fn the_environment_of_a_monitor_is_empty_and_its_directory_the_root() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    let (monitor, witness) = container.supervisors();
    // As low as it may be: without CAP_SYS_RESOURCE it stays.
    let script = "echo -1000 2>/dev/null >/proc/self/oom_score_adj; exec cat /proc/self/oom_score_adj";
    let lowest = Command::new("/bin/sh").args(["-c", script]).output().unwrap().stdout;
    for pid in [monitor, witness] {
        assert_eq!(fs::read(format!("/proc/{pid}/environ")).unwrap(), b"");
        assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap().to_str(), Some("/"));
        assert_eq!(fs::read(format!("/proc/{pid}/oom_score_adj")).unwrap(), lowest);
    }
    let init = container.created["created"]["pid"].as_u64().unwrap();
    let own = fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    assert_eq!(fs::read_to_string(format!("/proc/{init}/oom_score_adj")).unwrap(), own);
    container.delete();
}
