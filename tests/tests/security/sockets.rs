//! C-24: monitors are spoken to by their own user, from their own namespaces, through the file system only.

use std::fs;
use std::path::Path;
use std::process::Command;

use libcontainerd_tests::nobody::{self, NOBODY};
use libcontainerd_tests::{built, fault, host};

use crate::cell::{Cell, run, with_attacker};

/// What the attacker hears when it is started by this command.
fn greeted_by(starter: &[&str], socket: &Path) -> String {
    let (program, args) = starter.split_first().unwrap();
    let output = Command::new(program).args(args).arg(built::attacker()).arg("connect").arg(socket).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

#[test]
fn c24_nothing_of_ours_listens_at_an_abstract_name() {
    let cell = Cell::asleep();
    let supervisors = fault::supervisors(&cell.scratch.state(), "cell");
    assert_eq!(supervisors.len(), 2);
    let table = fs::read_to_string("/proc/net/unix").unwrap();
    let mut found = 0;
    for target in supervisors.iter().flat_map(|pid| host::descriptors(*pid).into_values()) {
        let Some(inode) = target.to_str().and_then(|of| of.strip_prefix("socket:[")?.strip_suffix(']')) else {
            continue;
        };
        let named = table.lines().filter(|line| line.split_whitespace().nth(6) == Some(inode));
        for name in named.filter_map(|line| line.split_whitespace().nth(7)) {
            assert!(name.starts_with('/'), "{name}");
            found += 1;
        }
    }
    assert!(found > 0, "no socket of the monitor was found at all");
    let seen = run(
        &cell.scratch,
        &["--rm", "--network", "host"],
        &["grep", "-c", "lctr\\|libcontainerd\\|@.*cell", "/proc/net/unix"],
    );
    seen.stdout("0\n");
}

#[test]
fn c24_who_is_one_of_us_is_heard() {
    let cell = Cell::asleep();
    let heard = greeted_by(&["env"], &cell.directory().join("socket"));
    assert!(heard.starts_with("heard"), "{heard}");
}

#[test]
fn c24_another_user_is_refused_by_the_modes_and_dropped_without_them() {
    let cell = Cell::asleep();
    let socket = cell.directory().join("socket");
    nobody::open_the_way(&cell.scratch.state());
    assert!(nobody::greeted(&socket, NOBODY).starts_with("refused"));
    nobody::open_the_way(&socket);
    fs::set_permissions(&socket, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    assert_eq!(nobody::greeted(&socket, NOBODY), "dropped");
    cell.exec(&[], &["true"]).code(0);
}

#[test]
fn c24_a_root_of_another_pid_or_user_namespace_is_dropped() {
    let cell = Cell::asleep();
    let socket = cell.directory().join("socket");
    assert_eq!(greeted_by(&["unshare", "--pid", "--fork"], &socket), "dropped");
    assert_eq!(greeted_by(&["unshare", "--user", "--map-root-user"], &socket), "dropped");
    cell.exec(&[], &["true"]).code(0);
}

#[test]
fn c24_a_container_that_was_given_the_state_by_a_volume_is_dropped() {
    let cell = Cell::asleep();
    let volume = format!("{}:/victim", cell.directory().display());
    let ran =
        run(&cell.scratch, &["--rm", "-v", &volume, &with_attacker()], &["/attacker", "connect", "/victim/socket"]);
    assert!(!ran.text().contains("heard"), "{ran:?}");
    let ran = run(
        &cell.scratch,
        &["--rm", "--network", "host", "-v", &volume, &with_attacker()],
        &["/attacker", "connect", "/victim/socket"],
    );
    assert!(!ran.text().contains("heard"), "{ran:?}");
    cell.exec(&[], &["true"]).code(0);
}
