//! Transfers over every kind of descriptor: byte-exact, resumed, ended, closed.

use crate::sys::make_sigpipe_deadly;

use super::*;

#[test]
fn a_closed_sink_is_told_even_where_sigpipe_kills() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "transfer::tests::in_a_process_that_sigpipe_kills",
        ])
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    let ran = String::from_utf8(child.stdout).unwrap();
    assert!(ran.contains("1 passed"), "{ran}");
}

#[test]
#[ignore = "changes the whole process; run by a_closed_sink_is_told_even_where_sigpipe_kills"]
fn in_a_process_that_sigpipe_kills() {
    make_sigpipe_deadly();
    for choose in [Transfer::between, Transfer::copying] {
        let (from, source) = rustix::pipe::pipe().unwrap();
        let (reader, to) = rustix::pipe::pipe().unwrap();
        rustix::io::write(&source, b"unread").unwrap();
        drop(reader);
        let step = choose(&from, &to).step(&from, &to, 100).unwrap();
        assert_eq!(step, Step::SinkClosed);
    }
}
