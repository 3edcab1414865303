//! The programs in the README: they stand there as they are built and run.
//!
//! Its blocks are compiled, and the one with mocks is run, with the documentation of the crate `libcontainerd`.

use std::fs;
use std::path::Path;
use std::process::Command;

use libcontainerd_tests::built;
use libcontainerd_tests::running::Running;

#[test]
fn the_program_in_the_readme_is_the_example_and_says_hello() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let example = fs::read_to_string(root.join("crates/cli/examples/hello.rs")).unwrap();
    let (_, program) = example.split_once("use libcontainerd").unwrap();
    assert!(readme.contains(&format!("use libcontainerd{program}")), "the README has another program");
    // On directories of its own instead of this host's, in mounts that end with it.
    let script = "mount -t tmpfs none /run && mount -t tmpfs none /var/lib && \"$@\"; code=$?; ls -A \
                  /run/libcontainerd/bundles /run/libcontainerd/run /var/lib/libcontainerd/overlay; exit $code";
    let mut own = Command::new("unshare");
    own.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]).arg(built::example("hello"));
    let ran = Running::start(own).ends().code(0);
    let said = ran.text().lines().collect::<Vec<_>>();
    assert_eq!(said[..2], ["Code(0): hello", ""], "{ran:#?}");
}
