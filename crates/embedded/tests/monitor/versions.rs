//! Monitors and clients of different releases.

use std::os::unix::fs::FileExt;
use std::time::SystemTime;

use libcontainerd_core::ErrorKind;
use libcontainerd_core::ports::runtime::Runtime;
use libcontainerd_core::process::NewProcess;
use libcontainerd_core::stdio::Stdio;
use serde_json::{Value, json};

use crate::container::{Client, Container, eventually, kill, recipe};
use crate::runtime::{block_on, runtime};
use crate::scratch::Scratch;

/// What a client of a later release says.
fn later(request: &Value) -> Vec<u8> {
    let text = json!({ "v": 99, "request": request, "mood": "hopeful" }).to_string();
    [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

fn ask(container: &Container<'_>, request: &Value) -> Value {
    let mut client = Client::of(container.connect().unwrap());
    client.send_raw(&later(request));
    client.answer().unwrap()
}

pub(crate) fn a_client_of_a_later_version_signals_waits_and_deletes() {
    let scratch = Scratch::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    assert_eq!(ask(&container, &json!("hello"))["here"]["v"], 2);
    let start = ask(&container, &json!("start"));
    assert!(start.get("started").is_some(), "{start}");
    for unknown in [json!("levitate"), json!({ "transmute": { "into": "gold" } })] {
        assert_eq!(ask(&container, &unknown)["failed"]["kind"], "unsupported");
    }
    // What else an exec of a later release may say is not known: it is refused rather than done in part.
    let exec = container.exec_request("e", NewProcess::new(["/bin/true"], Stdio::null()));
    assert_eq!(ask(&container, &exec)["failed"]["kind"], "unsupported");
    let signal = json!({ "signal": { "process": "init", "signal": 9, "scope": "process", "gently": true } });
    assert_eq!(ask(&container, &signal), "done");
    container.ends_with(json!({"signal": 9}));
    assert_eq!(ask(&container, &json!({ "delete": { "instance": null, "softly": true } })), "done");
    eventually(|| scratch.left_overs().is_empty().then_some(()));
}

pub(crate) fn a_journal_of_a_later_version_ends_the_successors_and_leaves_the_container() {
    let scratch = Scratch::new();
    let mut container = recipe("c", &["/bin/sleep", "1000"]).create(&scratch);
    container.start();
    let journal = container.run().join("journal");
    let before = std::fs::read(&journal).unwrap();
    container.append(&json!({ "v": 99, "seq": 99, "at": SystemTime::now(), "fact": { "improved": {} } }));
    let (monitor, _) = container.supervisors();
    kill(monitor);
    eventually(|| scratch.monitors().is_empty().then_some(()));
    assert!(container.log().contains("for a program that understands its journal"), "{}", container.log());
    let pid = container.created["created"]["pid"].as_u64().unwrap();
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists());
    let id = "c".parse().unwrap();
    let error = block_on(async { runtime(&scratch).state(&id).await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(format!("{error} {cause}").contains("use the newer one"), "{error} {cause}");
    // What the newer program would do, for which the entry makes sense.
    let file = std::fs::File::options().write(true).open(&journal).unwrap();
    file.set_len(0).unwrap();
    file.write_all_at(&before, 0).unwrap();
    assert_eq!(container.adopt(), "done");
    assert_eq!(container.signal("init", 9, "process"), "done");
    container.exit("init");
    container.delete();
}
