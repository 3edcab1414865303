//! C-27: whatever was planted where a FIFO of ours would be is neither used nor changed, and nobody hangs on it.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode};

use crate::cell::Cell;

/// A thing that somebody puts at a path.
type Plant = fn(&Path);

const PLANTS: [(&str, Plant); 6] = [
    ("a file", file),
    ("a FIFO", fifo),
    ("a stranger's FIFO", foreign_fifo),
    ("a socket", socket),
    ("a link to a FIFO", link),
    ("a directory", directory),
];

fn file(at: &Path) {
    fs::write(at, "planted").unwrap();
}

fn fifo(at: &Path) {
    let path = CString::new(at.as_os_str().as_bytes()).unwrap();
    rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
}

fn foreign_fifo(at: &Path) {
    fifo(at);
    chown(at, Some(4242), None).unwrap();
}

fn socket(at: &Path) {
    drop(UnixListener::bind(at).unwrap());
}

fn link(at: &Path) {
    let target = at.with_file_name("elsewhere");
    if !target.exists() {
        fifo(&target);
    }
    symlink(target, at).unwrap();
}

fn directory(at: &Path) {
    fs::create_dir(at).unwrap();
}

/// What cannot be told from the outside changes when a thing is replaced or written to.
fn looks(at: &Path) -> (u64, u32, u32, u64) {
    let about = fs::symlink_metadata(at).unwrap();
    (about.ino(), about.mode(), about.uid(), about.size())
}

fn clear(at: &Path) {
    let _ = fs::remove_file(at).or_else(|_| fs::remove_dir(at));
}

#[test]
fn c27_an_exec_whose_streams_were_planted_is_refused() {
    let cell = Cell::asleep();
    let bundle = cell.scratch.state().join("bundles/cell");
    for name in ["planted-stdin", "planted-stdout", "planted-stderr"] {
        for (what, plant) in PLANTS {
            let at = bundle.join(name);
            plant(&at);
            let before = looks(&at);
            let ran = cell.exec(&["-i", "--exec-id", "planted"], &["echo", "unheard"]).stdout("");
            assert_eq!(ran.exit_code(), Some(125), "{what} at {name}: {ran:?}");
            assert_eq!(looks(&at), before, "{what} at {name}");
            clear(&at);
        }
    }
    clear(&bundle.join("elsewhere"));
    let left: Vec<_> = libcontainerd_tests::host::entries(&bundle);
    assert!(!left.iter().any(|path| path.to_string_lossy().contains("planted")), "{left:?}");
    cell.exec(&["--exec-id", "planted"], &["echo", "heard"]).quietly().stdout("heard\n").code(0);
}

#[test]
fn c27_a_reader_of_streams_that_were_swapped_is_refused() {
    let cell = Cell::running(&["--log-driver", "none"], &["sleep", "1000"]);
    let bundle = cell.scratch.state().join("bundles/cell");
    for name in ["init-stdout", "init-stderr"] {
        let (at, own) = (bundle.join(name), bundle.join("own"));
        for (what, plant) in PLANTS.into_iter().filter(|(what, _)| *what != "a FIFO") {
            fs::rename(&at, &own).unwrap();
            plant(&at);
            let before = looks(&at);
            let ran = cell.lctr(&["attach", "--no-stdin", "cell"]).stdout("");
            assert_eq!(ran.exit_code(), Some(125), "{what} at {name}: {ran:?}");
            assert_eq!(looks(&at), before, "{what} at {name}");
            clear(&at);
            fs::rename(&own, &at).unwrap();
        }
    }
    clear(&bundle.join("elsewhere"));
}

#[test]
fn c27_a_new_container_makes_its_streams_new() {
    let cell = Cell::asleep();
    let bundle = cell.scratch.state().join("bundles/next");
    for (what, plant) in PLANTS {
        fs::create_dir(&bundle).unwrap();
        plant(&bundle.join("init-stdout"));
        let ran = crate::cell::run(&cell.scratch, &["--rm", "--name", "next"], &["echo", "new"]);
        ran.quietly().stdout("new\n").code(0);
        assert!(!bundle.exists(), "{what}");
    }
}
