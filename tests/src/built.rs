//! Programs that tests need and cargo does not build for them: the static probe, and `lctr` of the same profile.
//!
//! Each is built at most once in a test process, by cargo itself, which knows when there is nothing to do. The probe
//! has a target directory of its own and an explicit target, so that its flags touch nothing else.
//! On a host without cargo, `LCTR_TEST_PROGRAMS` names the directory that has them all, built elsewhere.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The static probe program.
pub fn probe() -> &'static Path {
    static PROBE: OnceLock<PathBuf> = OnceLock::new();
    PROBE.get_or_init(|| static_programs().join("probe"))
}

/// The static attacker program.
pub fn attacker() -> &'static Path {
    static ATTACKER: OnceLock<PathBuf> = OnceLock::new();
    ATTACKER.get_or_init(|| static_programs().join("attacker"))
}

fn static_programs() -> &'static Path {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        if let Some(directory) = brought() {
            return directory;
        }
        let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let directory = target_directory().join("probe");
        let mut cargo = cargo("libcontainerd-probe", &directory);
        cargo.args(["--release", "--target", &target]).env("RUSTFLAGS", "-C target-feature=+crt-static");
        succeed(cargo);
        directory.join(target).join("release")
    })
}

/// `lctr`, of the profile that this test was built with.
pub fn lctr() -> &'static Path {
    static LCTR: OnceLock<PathBuf> = OnceLock::new();
    LCTR.get_or_init(|| {
        if let Some(directory) = brought() {
            return directory.join("lctr");
        }
        of_facade(&["--bin", "lctr"]);
        profile_directory().join("lctr")
    })
}

/// An example of the facade, of the same profile.
pub fn example(name: &str) -> PathBuf {
    if let Some(directory) = brought() {
        return directory.join(name);
    }
    of_facade(&["--example", name]);
    profile_directory().join("examples").join(name)
}

fn of_facade(what: &[&str]) {
    let mut cargo = cargo("libcontainerd", &target_directory());
    cargo.args(what);
    if profile_directory().ends_with("release") {
        cargo.arg("--release");
    }
    succeed(cargo);
}

/// A directory of ours for what tests make once and keep: below cargo's target directory, if there is one.
pub fn fixtures() -> PathBuf {
    let above = if brought().is_some() { std::env::temp_dir() } else { target_directory() };
    let directory = above.join("fixtures");
    std::fs::create_dir_all(&directory).expect("the target directory can be written");
    directory
}

/// Where the programs are that were built on another host.
fn brought() -> Option<PathBuf> {
    std::env::var_os("LCTR_TEST_PROGRAMS").map(PathBuf::from)
}

fn cargo(package: &str, target: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", package, "--target-dir"]).arg(target);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo
}

fn succeed(mut command: Command) {
    let status = command.status().expect("cargo can be run");
    assert!(status.success(), "{command:?}: {status}");
}

/// Where the running test program's profile was built into.
fn profile_directory() -> PathBuf {
    let program = std::env::current_exe().expect("the test program has a path");
    let mut above = program.ancestors().skip(1);
    let built = above.find(|path| !path.ends_with("deps") && !path.ends_with("examples"));
    built.expect("the test program is in a target directory").to_owned()
}

fn target_directory() -> PathBuf {
    profile_directory().parent().expect("a profile is in a target directory").to_owned()
}
