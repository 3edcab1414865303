//! A walk over a tree that says what the walker may do there: list, read, write.
//!
//! It is run on the host, as nobody, over the supervisor's directories; the virtual processes have no such verb.

use std::fs;
use std::path::Path;

use crate::streams::print;

/// Prints a line for each thing below `path`, and for itself, that may be listed, read or written.
pub(crate) fn walk(path: &Path) {
    let Ok(about) = path.symlink_metadata() else { return print(&format!("hidden {}\n", path.display())) };
    if about.is_dir() {
        let Ok(entries) = fs::read_dir(path) else { return };
        print(&format!("list {}\n", path.display()));
        entries.flatten().for_each(|entry| walk(&entry.path()));
    } else if about.is_file() {
        // Opening is all: neither reads nor changes a byte.
        if fs::File::open(path).is_ok() {
            print(&format!("read {}\n", path.display()));
        }
        if fs::File::options().append(true).open(path).is_ok() {
            print(&format!("write {}\n", path.display()));
        }
    }
}
