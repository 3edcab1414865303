//! C-12 and C-29: names that lead elsewhere, typed or found on the disk, and names like our own.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libcontainerd_tests::lctr::lctr;
use libcontainerd_tests::scratch::Scratch;

use crate::cell::{Cell, run};

/// Texts that are no names: most lead out of a directory, some act on a terminal or are mistaken for an option.
const REFUSED: [&str; 18] = [
    ".",
    "..",
    "../canary",
    "../../canary",
    "a/../../canary",
    "/etc",
    "canary/",
    "a/b",
    ".hidden",
    "-x",
    "a b",
    "a\nb",
    "a\tb",
    "\u{1b}[31m",
    "é",
    "a\u{202e}b",
    "a*",
    "",
];

/// Every verb that takes a container, with what comes before and after the name.
const VERBS: [(&[&str], &[&str]); 13] = [
    (&["start", "--"], &[]),
    (&["exec", "--"], &["true"]),
    (&["attach", "--no-stdin", "--"], &[]),
    (&["kill", "--"], &[]),
    (&["stop", "-t", "0", "--"], &[]),
    (&["wait", "--"], &[]),
    (&["rm", "--"], &[]),
    (&["rm", "-f", "--"], &[]),
    (&["delete", "-f", "--"], &[]),
    (&["inspect", "--"], &[]),
    (&["state", "--"], &[]),
    (&["kill", "--all", "--"], &[]),
    (&["kill", "-s", "CONT", "--"], &[]),
];

/// A tree at every place where a name that climbs would end.
fn plant_canaries(scratch: &Scratch) -> Vec<std::path::PathBuf> {
    let roots = [scratch.place("canary"), scratch.state().join("canary"), scratch.state().join("run/.hidden")];
    for root in &roots {
        fs::create_dir_all(root.join("below")).unwrap();
        fs::write(root.join("below/file"), "alive").unwrap();
    }
    roots.to_vec()
}

fn assert_alive(canary: &Path, by: &str) {
    assert_eq!(fs::read_to_string(canary.join("below/file")).unwrap_or_default(), "alive", "{canary:?} after {by}");
}

#[test]
fn c12_every_verb_refuses_every_name_that_is_none() {
    let scratch = Scratch::new();
    lctr(&scratch, ["ps"]).code(0);
    let canaries = plant_canaries(&scratch);
    let long = "a".repeat(300);
    for name in REFUSED.iter().copied().chain([long.as_str()]) {
        for (before, after) in VERBS {
            let ran = lctr(&scratch, [before, &[name], after].concat());
            assert!(matches!(ran.exit_code(), Some(1 | 2 | 125)), "{before:?} {name:?}: {ran:?}");
            assert_eq!(ran.complaint().chars().filter(|c| c.is_control() && *c != '\n').count(), 0, "{ran:?}");
            canaries.iter().for_each(|canary| assert_alive(canary, name));
        }
        let named = format!("--name={name}");
        let ran = run(&scratch, &["--rm", &named], &["true"]);
        assert_eq!(ran.exit_code(), Some(125), "{name:?}: {ran:?}");
    }
    canaries.iter().for_each(|canary| assert_alive(canary, "all"));
    fs::remove_dir_all(scratch.state().join("run/.hidden")).unwrap();
}

#[test]
fn c12_every_name_of_a_process_that_is_none_is_refused() {
    let cell = Cell::asleep();
    for name in REFUSED {
        let named = format!("--exec-id={name}");
        let ran = cell.exec(&[&named], &["true"]);
        assert!(matches!(ran.exit_code(), Some(2 | 125)), "{name:?}: {ran:?}");
        let ran = cell.lctr(&["kill", &format!("--exec={name}"), "cell"]);
        assert!(matches!(ran.exit_code(), Some(1 | 2 | 125)), "{name:?}: {ran:?}");
    }
    cell.exec(&[], &["true"]).code(0);
}

#[test]
fn c12_names_on_the_disk_that_are_none_are_skipped_and_left_alone() {
    let cell = Cell::asleep();
    let hostile = [".hidden", "-x", "a b", "a\nb", "\u{1b}[31m", "é", &"a".repeat(200)].map(str::to_owned);
    let latin = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    for level in ["run", "bundles"] {
        let above = cell.scratch.state().join(level);
        for name in hostile.iter().map(|name| name.as_ref()).chain([latin]) {
            fs::create_dir(above.join(name)).unwrap();
            fs::write(above.join(name).join("file"), "alive").unwrap();
        }
        std::os::unix::fs::symlink(cell.directory(), above.join("linked")).unwrap();
    }
    cell.lctr(&["ps", "-aq"]).stdout("cell\n").code(0);
    for verb in [&["inspect", "linked"][..], &["rm", "-f", "linked"], &["exec", "linked", "true"]] {
        assert_ne!(cell.lctr(verb).exit_code(), Some(0), "{verb:?}");
    }
    run(&cell.scratch, &["--rm"], &["true"]).quietly().code(0);
    for level in ["run", "bundles"] {
        let above = cell.scratch.state().join(level);
        for name in hostile.iter().map(|name| name.as_ref()).chain([latin]) {
            assert_eq!(fs::read_to_string(above.join(name).join("file")).unwrap(), "alive", "{name:?}");
            fs::remove_dir_all(above.join(name)).unwrap();
        }
        fs::remove_file(above.join("linked")).unwrap();
    }
    cell.exec(&[], &["true"]).quietly().code(0);
}

#[test]
fn c29_containers_may_have_the_names_of_our_own_files() {
    let scratch = Scratch::new();
    let names =
        ["bundles", "config.json", "data", "events", "journal", "lock", "log", "run", "sockets", "socket", "tmp"];
    for name in names {
        run(&scratch, &["-d", "--name", name], &["sleep", "1000"]).quietly().stdout(&format!("{name}\n")).code(0);
    }
    let mut sorted = names;
    sorted.sort_unstable();
    let listed = lctr(&scratch, ["ps", "-q"]).code(0);
    assert_eq!(listed.text().lines().collect::<Vec<_>>(), sorted);
    for name in names {
        lctr(&scratch, ["exec", name, "hostname"]).quietly().stdout(&format!("{name}\n")).code(0);
    }
    for name in names {
        lctr(&scratch, ["rm", "-f", name]).quietly().code(0);
    }
    lctr(&scratch, ["ps", "-aq"]).stdout("").code(0);
}
