//! What is measured: the programs, built as users build them, and one bundle for all contenders.
//!
//! The bundle's specification is what `lctr spec` prints, so that every contender sets up the same namespaces, mounts,
//! limits and filters. State is on a tmpfs, as /run is on an ordinary host.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;

/// The programs of ours.
#[derive(Debug)]
pub(crate) struct Programs {
    /// `lctr` alone: it is its own monitor.
    pub(crate) lctr: PathBuf,
    /// `lctr` with `lctr-monitor`, small and static, beside it.
    pub(crate) lctr_beside_monitor: PathBuf,
    /// Where both are.
    _place: tempfile::TempDir,
}

/// A bundle, and directories for state.
#[derive(Debug)]
pub(crate) struct Place {
    root: tempfile::TempDir,
}

const STATIC_TARGET: &str = concat!(env!("LCTR_BENCH_ARCH"), "-unknown-linux-gnu");

/// Builds lctr and the static monitor in release mode.
pub(crate) fn build() -> Result<Programs, Error> {
    cargo(&["build", "--release", "--locked", "-p", "libcontainerd", "--bin", "lctr"])?;
    let to_static = ["--", "-C", "target-feature=+crt-static", "-C", "relocation-model=static"];
    let monitor = ["rustc", "--release", "--locked", "-p", "libcontainerd-embedded", "--bin", "lctr-monitor"];
    let target = ["--target", STATIC_TARGET];
    cargo(&[&monitor[..], &target[..], &to_static[..]].concat())?;
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or(built, PathBuf::from);
    let place = tempfile::Builder::new().prefix("lctr-bench-").tempdir().map_err(file("the programs' directory"))?;
    let copied = |from: PathBuf, to: &str| {
        let to = place.path().join(to);
        let made = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::copy(&from, &to));
        made.map(|_| to).map_err(|e| Error::File(from.display().to_string(), e))
    };
    let lctr = copied(built.join("release/lctr"), "alone/lctr")?;
    let lctr_beside_monitor = copied(built.join("release/lctr"), "beside/lctr")?;
    copied(built.join(STATIC_TARGET).join("release/lctr-monitor"), "beside/lctr-monitor")?;
    Ok(Programs { lctr, lctr_beside_monitor, _place: place })
}

fn cargo(args: &[&str]) -> Result<(), Error> {
    let status = Command::new(env!("CARGO")).args(args).status().map_err(|e| Error::Spawn("cargo".into(), e))?;
    if status.success() { Ok(()) } else { Err(Error::Failed(format!("cargo {}", args.join(" ")), status.to_string())) }
}

impl Place {
    /// Makes the bundle of a busybox root file system.
    pub(crate) fn make(programs: &Programs) -> Result<Place, Error> {
        let shm = Path::new("/dev/shm");
        let root = tempfile::Builder::new().prefix("lctr-bench-").tempdir_in(shm).map_err(file("/dev/shm"))?;
        let place = Place { root };
        fill_rootfs(&place.rootfs()).map_err(file("the root file system"))?;
        for name in ["true", "idle", "zeros", "zeros-1024", "zeros-128", "lines-512", "lines-64"] {
            let bundle = place.bundle(name);
            fs::create_dir_all(&bundle).map_err(file("the bundle"))?;
            let spec = specification(programs, &place, &place.args(name))?;
            fs::write(bundle.join("config.json"), spec).map_err(file("config.json"))?;
        }
        Ok(place)
    }

    /// The root file system.
    pub(crate) fn rootfs(&self) -> PathBuf {
        self.root.path().join("rootfs")
    }

    /// The program of a bundle and its arguments: `true`, `idle` (sleeps), `zeros` (writes 2 GiB), and zeros or lines
    /// of 80 bytes, so many MiB of them.
    pub(crate) fn args(&self, bundle: &str) -> Vec<String> {
        let zeros = |count: &str| format!("/bin/dd if=/dev/zero bs=1M count={count}");
        let text = match bundle.split_once('-') {
            Some(("zeros", count)) => zeros(count),
            Some((_, count)) => {
                let script = format!("yes {} | head -c {count}m", "0123456789".repeat(8).split_at(79).0);
                return vec!["/bin/sh".into(), "-c".into(), script];
            }
            None if bundle == "true" => "/bin/true".into(),
            None if bundle == "idle" => "/bin/sleep 100000".into(),
            None => zeros("2048"),
        };
        text.split(' ').map(str::to_owned).collect()
    }

    /// The bundle of that name.
    pub(crate) fn bundle(&self, name: &str) -> PathBuf {
        self.root.path().join("bundles").join(name)
    }

    /// A directory for the state of `whom`.
    pub(crate) fn state(&self, whom: &str) -> PathBuf {
        self.root.path().join("state").join(whom)
    }
}

fn specification(programs: &Programs, place: &Place, args: &[String]) -> Result<Vec<u8>, Error> {
    let output = Command::new(&programs.lctr)
        .arg("spec")
        .output()
        .map_err(|e| Error::Spawn(programs.lctr.display().to_string(), e))?;
    let mut spec: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(Error::Spec)?;
    spec["root"] = serde_json::json!({ "path": place.rootfs(), "readonly": false });
    spec["process"]["terminal"] = false.into();
    spec["process"]["args"] = serde_json::json!(args);
    serde_json::to_vec_pretty(&spec).map_err(Error::Spec)
}

fn fill_rootfs(rootfs: &Path) -> io::Result<()> {
    for dir in ["bin", "dev", "proc", "sys", "tmp", "etc"] {
        fs::create_dir_all(rootfs.join(dir))?;
    }
    fs::copy("/bin/busybox", rootfs.join("bin/busybox"))?;
    ["sh", "true", "sleep", "dd", "cat", "yes", "head"]
        .iter()
        .try_for_each(|name| symlink("busybox", rootfs.join("bin").join(name)))
}

fn file(what: &'static str) -> impl Fn(io::Error) -> Error {
    move |e| Error::File(what.to_owned(), e)
}
