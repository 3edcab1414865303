//! Containers that remove themselves once they have ended.

use std::time::Duration;

use libcontainerd_core::ErrorKind;
use libcontainerd_core::ports::runtime::Runtime;
use libcontainerd_core::stdio::Stdio;
use serde_json::{Value, json};

use crate::container::{Container, Recipe, eventually, recipe, shell};
use crate::runtime::{block_on, runtime};
use crate::scratch::Scratch;

fn ended() -> Value {
    json!({ "removal": "ended" })
}

fn going(script: &str) -> Recipe {
    let mut recipe = shell("c", script).lasting(ended()).with(Stdio::output());
    recipe.keeps = true;
    recipe
}

fn logs(container: &Container<'_>) -> std::path::PathBuf {
    container.scratch.path(&format!("data/output/{}", container.instance))
}

/// Everything is gone but the record in the ledger, where init's exit was this.
fn has_gone(container: &Container<'_>, code: u8) {
    eventually(|| container.scratch.left_overs().is_empty().then_some(()));
    assert!(!container.scratch.path("state/bundles/c").exists() && !logs(container).exists());
    let past = container.past();
    assert_eq!(past.len(), 1, "{past:?}");
    assert_eq!(past[0]["exits"][0][0], "init");
    assert_eq!(past[0]["exits"][0][1]["status"], json!({ "code": code }));
    let told: Vec<Value> = container.events().into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(told.last().unwrap(), "deleted", "{told:?}");
    assert_eq!(told.iter().filter(|kind| kind.get("exited").is_some()).count(), 1, "{told:?}");
}

pub(crate) fn a_container_that_removes_itself_leaves_nothing_but_its_record() {
    let scratch = Scratch::new();
    let container = going("echo last words; exit 7").create(&scratch);
    assert!(logs(&container).exists());
    let mut stdout = container.reader("init-stdout");
    container.start();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stdout, &mut text).unwrap();
    assert_eq!(text, "last words\n");
    has_gone(&container, 7);
}

pub(crate) fn output_that_nobody_has_read_keeps_a_container_that_removes_itself() {
    let scratch = Scratch::new();
    let container = going("head -c 300000 /dev/zero; exit 7").create(&scratch);
    let mut stdout = container.reader("init-stdout");
    let mut some = vec![0; 100_000];
    container.start();
    std::io::Read::read_exact(&mut stdout, &mut some).unwrap();
    container.ends_with(json!({"code": 7}));
    // Its monitor does all that it does without being asked before it answers.
    container.supervisors();
    assert!(container.run().exists());
    let mut rest = Vec::new();
    std::io::Read::read_to_end(&mut stdout, &mut rest).unwrap();
    assert_eq!(rest.len(), 200_000);
    has_gone(&container, 7);
}

pub(crate) fn a_start_that_fails_is_the_end_too() {
    let scratch = Scratch::new();
    let mut file = recipe("c", &["/etc/passwd"]).lasting(ended());
    file.keeps = true;
    // Found only when it is run: without its interpreter.
    let script = scratch.path("rootfs/bin/orphan");
    std::fs::write(&script, "#!/bin/there-is-none\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    file.args = vec!["/bin/orphan".into()];
    let container = file.try_create(&scratch);
    if container.created.get("created").is_some() {
        let failed = container.client().ask(&json!("start"));
        assert!(failed.get("failed").is_some(), "{failed}");
    }
    eventually(|| scratch.left_overs().is_empty().then_some(()));
}

pub(crate) fn supervisors_killed_as_a_container_removes_itself_cost_nothing() {
    for moment in 0..24u64 {
        let scratch = Scratch::new();
        let container = shell("c", "exit 3").lasting(ended()).create(&scratch);
        let (monitor, witness) = container.supervisors();
        let mut client = container.client();
        client.send(&json!("start")).unwrap();
        std::thread::sleep(Duration::from_micros(moment * moment * 30));
        let victim = nix::unistd::Pid::from_raw(if moment % 2 == 0 { monitor } else { witness } as i32);
        let _ = nix::sys::signal::kill(victim, nix::sys::signal::Signal::SIGKILL);
        if client.answer().is_none() {
            // Nobody was told whether it is started.
            eventually(|| match container.connect() {
                Some(socket) => crate::container::Client::of(socket).try_ask(&json!("start")).map(drop),
                None => (!container.run().exists()).then_some(()),
            });
        }
        eventually(|| scratch.left_overs().is_empty().then_some(()));
        has_gone(&container, 3);
    }
}

pub(crate) fn one_whose_supervisors_are_both_dead_is_removed_at_the_next_look() {
    let scratch = Scratch::new();
    let container = going("head -c 100000 /dev/zero; exit 7").create(&scratch);
    container.start();
    container.ends_with(json!({"code": 7}));
    eventually(|| container.journal().iter().any(|entry| entry["fact"] == "cleaned").then_some(()));
    container.lose_supervisors();
    let id = "c".parse().unwrap();
    let error = block_on(async { runtime(&scratch).state(&id).await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    has_gone(&container, 7);
    let past = block_on(async { runtime(&scratch).past(Some(id)).await }).unwrap();
    assert_eq!(past.len(), 1);
}

pub(crate) fn a_full_disk_keeps_no_container() {
    let scratch = Scratch::new();
    let container = shell("c", "exit 3").create(&scratch);
    // No ledger can be made there.
    std::fs::write(scratch.path("data/exits"), "").unwrap();
    container.start();
    container.ends_with(json!({"code": 3}));
    container.delete();
}

pub(crate) fn the_ledger_answers_for_a_container_that_was_deleted() {
    let scratch = Scratch::new();
    let container = shell("c", "exit 3").create(&scratch);
    container.start();
    container.ends_with(json!({"code": 3}));
    container.delete();
    let past = |id: Option<&str>| {
        let id = id.map(|id| id.parse().unwrap());
        block_on(async { runtime(&scratch).past(id).await }).unwrap()
    };
    assert_eq!(past(Some("c")).len(), 1);
    assert_eq!(past(None), past(Some("c")));
    assert!(past(Some("d")).is_empty());
}
