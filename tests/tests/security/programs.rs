//! C-1 and C-2: what a container can reach through `/proc/self/exe`, `/proc/PID/exe` and inherited descriptors.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use libcontainerd_tests::host_hash::HostHash;
use libcontainerd_tests::lctr::command;
use libcontainerd_tests::scratch::Scratch;
use libcontainerd_tests::{built, host};

use crate::cell::{Cell, run, with_attacker};

/// What `lctr` and every monitor of it is: the program itself, and the small one beside it where it was built.
fn own_programs() -> Vec<std::path::PathBuf> {
    let beside = built::lctr().with_file_name("lctr-monitor");
    [built::lctr().to_owned(), beside].into_iter().filter(|path| path.exists()).collect()
}

fn host_and_programs() -> HostHash {
    let programs = own_programs();
    HostHash::take(&programs.iter().map(|path| path.as_path()).collect::<Vec<&Path>>())
}

/// A script that is interpreted by whatever `/proc/self/exe` is at that moment, as a flag of `run`.
fn script_flag(scratch: &Scratch) -> String {
    let script = scratch.place("again");
    fs::write(&script, "#!/proc/self/exe\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    format!("--volume={}:/again:ro", script.display())
}

#[test]
fn c01_an_entry_that_runs_our_own_program_changes_nothing() {
    let before = host_and_programs();
    let scratch = Scratch::new();
    let script = script_flag(&scratch);
    for program in ["/again", "/proc/self/exe", "/proc/1/exe"] {
        let ran = run(&scratch, &["--rm", &script], &[program]);
        assert_ne!(ran.exit_code(), Some(0), "{program}: {ran:?}");
    }
    before.assert_unchanged();
}

#[test]
fn c01_an_exec_that_runs_our_own_program_changes_nothing() {
    let before = host_and_programs();
    let scratch = Scratch::new();
    let script = script_flag(&scratch);
    let cell = Cell::running_in(scratch, &[&script], &["sleep", "1000"]);
    for program in ["/again", "/proc/self/exe"] {
        let ran = cell.exec(&[], &[program]);
        assert_ne!(ran.exit_code(), Some(0), "{program}: {ran:?}");
    }
    drop(cell);
    before.assert_unchanged();
}

#[test]
fn c01_no_program_of_ours_opens_for_writing_while_two_hundred_execs_start() {
    let before = host_and_programs();
    let cell = Cell::running(&[&with_attacker()], &["sleep", "1000"]);
    let mut attack = command(&cell.scratch, ["exec", "cell", "/attacker", "write-programs", "/tmp/enough"]);
    let mut attack = attack.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(attack.stdout.take().unwrap());
    let mut ready = String::new();
    said.read_line(&mut ready).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| drop(cell.exec(&[], &["true"]).code(0))));
        }
    });
    assert!(attack.try_wait().unwrap().is_none(), "the attacker has ended before its time");
    cell.exec(&[], &["touch", "/tmp/enough"]).code(0);
    let said = std::io::read_to_string(said).unwrap();
    assert!(attack.wait().unwrap().success());
    assert!(ready == "ready\n" && said.starts_with("tried "), "{said}");
    let opened: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("opened ")).collect();
    assert!(opened.iter().all(|program| *program == "/bin/busybox"), "{said}");
    drop(cell);
    before.assert_unchanged();
}

#[test]
fn c02_every_descriptor_in_a_container_is_on_the_list() {
    let cell = Cell::asleep();
    let terminal = Cell::running(&["-t"], &["sleep", "1000"]);
    for (cell, allowed) in
        [(&cell, ["/dev/null", "pipe:", "fifo"]), (&terminal, ["/dev/pts/", "/dev/null", "/dev/null"])]
    {
        let descriptors = host::descriptors(cell.pid());
        assert_eq!(descriptors.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
        for target in descriptors.values() {
            let of = target.to_string_lossy();
            let bundle = cell.scratch.state().join("bundles/cell");
            let known = allowed.iter().any(|start| of.starts_with(start)) || target.starts_with(&bundle);
            assert!(known, "{of}");
        }
    }
    let listed = cell.exec(&[], &["sh", "-c", "cd /proc/self/fd && echo *"]);
    // The shell has the directory open as it looks.
    listed.stdout("0 1 2 3\n").code(0);
}

#[test]
fn c02_a_working_directory_behind_a_descriptor_is_refused() {
    let cell = Cell::asleep();
    for number in 3..=64 {
        let directory = format!("/proc/self/fd/{number}");
        let ran = cell.exec(&["-w", &directory], &["pwd"]).stdout("");
        assert_ne!(ran.exit_code(), Some(0), "{directory}: {ran:?}");
    }
    for number in (3..=64).step_by(4) {
        let directory = format!("/proc/self/fd/{number}");
        let ran = run(&cell.scratch, &["--rm", "-w", &directory], &["pwd"]).stdout("");
        assert_ne!(ran.exit_code(), Some(0), "{directory}: {ran:?}");
    }
}
