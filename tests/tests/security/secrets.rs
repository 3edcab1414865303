//! C-44: the supervisor's environment reaches nobody, and a container's environment nobody but the container.

use std::fs;
use std::path::Path;
use std::process::Command;

use libcontainerd_tests::lctr::{Ran, command, ran};
use libcontainerd_tests::nobody::all_below;
use libcontainerd_tests::scratch::Scratch;
use libcontainerd_tests::{fault, rootfs};

/// A value that must not be where it does not belong.
const CALLERS: &str = "canary-of-the-caller-3f9c";
const CONTAINERS: &str = "canary-of-the-container-b71d";
const EXECS: &str = "canary-of-the-exec-5a20";

/// `lctr` whose own environment has the canary, at its most talkative.
fn talkative(scratch: &Scratch, args: &[&str]) -> Command {
    let mut lctr = command(scratch, [&["--log-level", "trace"], args].concat());
    lctr.env("LCTR_CANARY", CALLERS).env("RUST_BACKTRACE", "full");
    lctr
}

fn started(scratch: &Scratch) -> (Ran, Ran) {
    let root = rootfs::busybox().to_str().unwrap();
    let env = format!("--env=SECRET={CONTAINERS}");
    let run = ["run", "-d", "--name", "cell", &env, "--rootfs", root, "--", "sleep", "1000"];
    let run = ran(talkative(scratch, &run), b"").code(0);
    let env = format!("--env=FURTHER={EXECS}");
    let exec = ran(talkative(scratch, &["exec", "-d", "--exec-id", "further", &env, "cell", "sleep", "1000"]), b"");
    (run, exec.code(0))
}

fn assert_tells_nothing(ran: &Ran) {
    for canary in [CALLERS, CONTAINERS, EXECS] {
        assert!(!ran.text().contains(canary) && !ran.complaint().contains(canary), "{canary} in {ran:#?}");
    }
}

/// Files at and below a directory that hold the canary.
fn holding(root: &Path, canary: &str) -> Vec<String> {
    let holds = |path: &Path| {
        let bytes =
            fs::symlink_metadata(path).is_ok_and(|about| about.is_file()).then(|| fs::read(path).unwrap_or_default());
        bytes.is_some_and(|bytes| bytes.windows(canary.len()).any(|window| window == canary.as_bytes()))
    };
    let found = all_below(root).into_iter().filter(|path| holds(path));
    found.map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
}

fn remove(scratch: &Scratch) {
    libcontainerd_tests::lctr::lctr(scratch, ["rm", "-f", "cell"]).code(0);
}

#[test]
fn c44_the_callers_environment_is_neither_in_the_container_nor_in_its_monitors() {
    let scratch = Scratch::new();
    let _ = started(&scratch);
    let env = ran(talkative(&scratch, &["exec", "cell", "env"]), b"").code(0);
    assert!(!env.text().contains(CALLERS) && env.text().contains(CONTAINERS), "{env:?}");
    let supervisors = fault::supervisors(&scratch.state(), "cell");
    assert_eq!(supervisors.len(), 2);
    for pid in supervisors {
        assert_eq!(fs::read(format!("/proc/{pid}/environ")).unwrap(), b"", "{pid}");
    }
    remove(&scratch);
}

#[test]
fn c44_no_canary_is_in_any_log_output_or_event() {
    let scratch = Scratch::new();
    let (run, exec) = started(&scratch);
    assert_tells_nothing(&run);
    assert_tells_nothing(&exec);
    for args in [&["ps", "-a"][..], &["ps", "-a", "--format", "json"], &["inspect", "cell"], &["state", "cell"]] {
        assert_tells_nothing(&ran(talkative(&scratch, args), b"").code(0));
    }
    remove(&scratch);
}

#[test]
fn c44_on_the_disk_a_containers_environment_is_in_its_specs_alone() {
    let scratch = Scratch::new();
    let _ = started(&scratch);
    for root in [scratch.state(), scratch.data()] {
        assert_eq!(holding(&root, CALLERS), Vec::<String>::new());
        assert_eq!(holding(&root, EXECS), Vec::<String>::new());
    }
    let mut specs = holding(&scratch.state(), CONTAINERS);
    specs.sort();
    assert_eq!(specs, ["bundles/cell/config.json", "run/cell/spec.json"]);
    assert_eq!(holding(&scratch.data(), CONTAINERS), Vec::<String>::new());
    remove(&scratch);
    assert_eq!(holding(&scratch.state(), CONTAINERS), Vec::<String>::new());
}

#[test]
fn c44_errors_tell_of_no_environment() {
    let scratch = Scratch::new();
    let root = rootfs::busybox().to_str().unwrap();
    let env = format!("--env=SECRET={CONTAINERS}");
    let wrong: [&[&str]; 6] = [
        &["--", "/no/such/program"],
        &["-w", "/etc/passwd", "--", "true"],
        &["-u", "no-such-user", "--", "true"],
        &["-v", "/no/such/source:/x", "--", "true"],
        &["-m", "1", "--", "true"],
        &["--env", "=bad", "--", "true"],
    ];
    for rest in wrong {
        let args = [&["run", "--rm", "--rootfs", root, &env], rest].concat();
        let failed = ran(talkative(&scratch, &args), b"");
        assert_ne!(failed.exit_code(), Some(0), "{failed:?}");
        assert_tells_nothing(&failed);
    }
    let bundle = scratch.place("bundle");
    fs::create_dir(&bundle).unwrap();
    for broken in [
        format!(r#"{{"ociVersion":"1.0.2","root":{{"path":"{root}"}},"process":{{"env":["A={CONTAINERS}"#),
        format!(
            r#"{{"ociVersion":"1.0.2","root":{{"path":"{root}"}},"process":{{"cwd":"/","args":["true"],"env":"{CONTAINERS}"}}}}"#
        ),
        format!(
            r#"{{"ociVersion":"1.0.2","root":{{"path":"{root}"}},"process":{{"cwd":"/","args":["true"],"env":["A\u0000{CONTAINERS}"]}}}}"#
        ),
    ] {
        fs::write(bundle.join("config.json"), broken).unwrap();
        let failed = ran(talkative(&scratch, &["run", "--rm", "--bundle", bundle.to_str().unwrap()]), b"");
        assert_ne!(failed.exit_code(), Some(0), "{failed:?}");
        assert_tells_nothing(&failed);
    }
}

#[test]
fn c44_two_containers_share_no_environment() {
    let scratch = Scratch::new();
    let _ = started(&scratch);
    let other = crate::cell::run(&scratch, &["--rm"], &["env"]).quietly().code(0);
    assert_tells_nothing(&other);
    let exec = ran(talkative(&scratch, &["exec", "cell", "env"]), b"").code(0);
    assert!(!exec.text().contains(EXECS), "{exec:?}");
    remove(&scratch);
}
