//! C-42: a container that was started from a terminal never has that terminal, and types nothing into it.

use libcontainerd_tests::lctr::command;
use libcontainerd_tests::rootfs;
use libcontainerd_tests::scratch::Scratch;
use libcontainerd_tests::terminal::Terminal;

use crate::cell::with_attacker;

const TYPED: &str = "rm -rf /";

/// Runs the attacker in a container that is started from a terminal with these flags: what was shown, what is left
/// in the terminal's input afterwards, and the terminal's own name.
fn attack(flags: &[&str]) -> (String, String, String) {
    let scratch = Scratch::new();
    let root = rootfs::busybox().to_str().unwrap();
    let attacker = with_attacker();
    let inside = format!("readlink /proc/self/fd/* ; /attacker type-into-terminals '{TYPED}'; ls -l /proc/1/fd");
    let run = [&["run", "--rm", "--rootfs", root, &attacker], flags, &["--", "sh", "-c", &inside]].concat();
    let lctr = command(&scratch, run);
    // Without waiting for a line, so that whatever was typed is read; a fifth of a second without input is the end.
    let script = "tty; stty -icanon -echo min 0 time 2; \"$@\"; echo \"left [$(dd bs=100 count=1 2>/dev/null)]\"";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(lctr.get_program()).args(lctr.get_args());
    let mut terminal = Terminal::start(&shell, 80, 25);
    let (code, shown) = terminal.ends();
    assert_eq!(code, Some(0), "{shown}");
    let left = shown.rsplit_once("left [").map(|(_, rest)| rest.trim_end().trim_end_matches(']').to_owned());
    let name = shown.lines().next().unwrap().trim().to_owned();
    (shown.clone(), left.unwrap_or_else(|| panic!("{shown}")), name)
}

#[test]
fn c42_without_a_terminal_of_its_own_a_container_has_none() {
    for flags in [&[][..], &["-i"]] {
        let (shown, left, name) = attack(flags);
        assert_eq!(left, "", "{shown}");
        for descriptor in 0..3 {
            assert!(shown.contains(&format!("descriptor {descriptor} pushed 0")), "{shown}");
            assert!(shown.contains(&format!("descriptor {descriptor} pasted false")), "{shown}");
        }
        let inside = shown.split_once('\n').unwrap().1;
        assert!(name.starts_with("/dev/pts/") && !inside.contains("/dev/pts"), "{shown}");
    }
}

#[test]
fn c42_what_a_container_types_into_its_own_terminal_stays_there() {
    for flags in [&["-t"][..], &["-t", "-i"]] {
        let (shown, left, _) = attack(flags);
        assert_eq!(left, "", "{shown}");
        assert!(shown.contains("descriptor 0 pasted false"), "{shown}");
    }
}

#[test]
fn c42_a_containers_terminal_is_another_one_than_the_hosts() {
    let scratch = Scratch::new();
    let root = rootfs::busybox().to_str().unwrap();
    let run = ["run", "--rm", "-t", "--rootfs", root, "--", "stat", "-L", "-c", "device %d of %r", "/proc/self/fd/0"];
    let lctr = command(&scratch, run);
    let script = "stat -L -c 'device %d of %r' /proc/self/fd/0; \"$@\"";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(lctr.get_program()).args(lctr.get_args());
    let (code, shown) = Terminal::start(&shell, 80, 25).ends();
    let devices: Vec<_> = shown.lines().filter(|line| line.starts_with("device")).map(str::trim).collect();
    assert_eq!((code, devices.len()), (Some(0), 2), "{shown}");
    assert_ne!(devices[0], devices[1]);
}
