//! C-31: a stranger who has come by the pid of a dead process of ours is never taken for it.
//!
//! In a pid namespace of the test's own, a container dies together with its monitor and witness, and strangers are
//! made who have exactly the pids that are on record. Whatever is then asked for, they live on.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use libcontainerd_tests::lctr::{Ran, ran};
use libcontainerd_tests::scratch::Scratch;
use libcontainerd_tests::{built, fault, rootfs};

/// A pid namespace in which nobody else makes processes, with a /proc of its own.
struct Pids {
    holder: Child,
}

impl Pids {
    fn new() -> Self {
        // Its first process reaps whatever is orphaned in it.
        let mut unshare = Command::new("unshare");
        unshare.args(["--pid", "--fork", "--mount-proc", "--kill-child"]).arg(built::attacker()).arg("reap");
        let mut holder = unshare.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n");
        Pids { holder }
    }

    /// A command that runs in it.
    fn command(&self, program: &str) -> Command {
        let holder = self.holder.id();
        let mut nsenter = Command::new("nsenter");
        nsenter.arg(format!("--pid=/proc/{holder}/ns/pid_for_children")).arg(format!("--mount=/proc/{holder}/ns/mnt"));
        nsenter.arg("--").arg(program);
        nsenter
    }

    fn lctr(&self, scratch: &Scratch, args: &[&str]) -> Ran {
        let mut command = self.command(built::lctr().to_str().unwrap());
        command.arg("--root").arg(scratch.state()).arg("--data").arg(scratch.data()).args(args);
        ran(command, b"")
    }

    fn shell(&self, script: &str) -> String {
        let output = self.command("sh").args(["-c", script]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Kills everything in it but its first process.
    fn kill_all(&self) {
        self.shell("kill -9 -1");
        // Whoever is nobody's child here can only be looked for until it is gone.
        let late = Instant::now() + Duration::from_secs(20);
        // The first process and the shell that looks are left.
        while self.shell("echo /proc/[0-9]*").split(' ').count() != 2 {
            assert!(Instant::now() < late, "not everything died");
        }
    }

    /// Makes a stranger with this pid.
    fn make_stranger(&self, pid: u64) {
        let last = pid - 1;
        let script = format!(
            "i=0; while [ $i -lt 1000 ]; do echo {last} > /proc/sys/kernel/ns_last_pid
             sleep 100000 </dev/null >/dev/null 2>&1 & [ $! = {pid} ] && echo made && exit; kill -9 $!; i=$((i+1)); done"
        );
        assert_eq!(self.shell(&script), "made", "nobody could be given the pid {pid}");
    }

    fn lives(&self, pid: u64) -> bool {
        self.shell(&format!("tr '\\0' ' ' < /proc/{pid}/cmdline")) == "sleep 100000"
    }
}

impl Drop for Pids {
    fn drop(&mut self) {
        // Its children go with it.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// A container with an exec, and the pids of both.
fn started(scratch: &Scratch, pids: &Pids) -> [u64; 2] {
    let root = rootfs::busybox().to_str().unwrap();
    let run = ["run", "-d", "--name", "cell", "--rootfs", root, "--", "sleep", "1000"];
    pids.lctr(scratch, &run).quietly().code(0);
    pids.lctr(scratch, &["exec", "-d", "--exec-id", "further", "cell", "sleep", "1000"]).quietly().code(0);
    let found = pids.lctr(scratch, &["inspect", "cell"]).json();
    let pid = |at: usize| found[0]["processes"][at]["pid"].as_u64().unwrap();
    [pid(0), pid(1)]
}

/// A container of which all died at once, strangers who have the pids of its init and of an exec, and those pids.
fn recycled(scratch: &Scratch, pids: &Pids) -> [u64; 2] {
    let recorded = started(scratch, pids);
    pids.kill_all();
    recorded.iter().for_each(|pid| pids.make_stranger(*pid));
    recorded
}

#[test]
fn c31_strangers_with_the_pids_of_a_dead_container_survive_every_verb() {
    let verbs: [&[&str]; 8] = [
        &["ps", "-a"],
        &["inspect", "cell"],
        &["kill", "cell"],
        &["kill", "--all", "cell"],
        &["kill", "--exec", "further", "cell"],
        &["stop", "-t", "0", "cell"],
        &["exec", "cell", "true"],
        &["rm", "-f", "cell"],
    ];
    for first in &verbs {
        let (scratch, pids) = (Scratch::new(), Pids::new());
        let recorded = recycled(&scratch, &pids);
        for verb in [first].into_iter().chain(&verbs) {
            let _ = pids.lctr(&scratch, verb);
            for pid in recorded {
                assert!(pids.lives(pid), "{pid} died of {verb:?}");
            }
        }
        pids.lctr(&scratch, &["ps", "-aq"]).stdout("").code(0);
    }
}

#[test]
fn c31_the_end_of_a_dead_container_is_told_whoever_has_its_pid() {
    let (scratch, pids) = (Scratch::new(), Pids::new());
    let recorded = recycled(&scratch, &pids);
    let found = pids.lctr(&scratch, &["inspect", "cell"]).code(0).json();
    assert_eq!(found[0]["state"], "stopped", "{found}");
    pids.lctr(&scratch, &["wait", "cell"]).code(0);
    pids.lctr(&scratch, &["rm", "cell"]).quietly().code(0);
    recorded.iter().for_each(|pid| assert!(pids.lives(*pid)));
}

#[test]
fn c31_a_stranger_with_the_pid_of_a_dead_exec_survives_who_adopts_its_container() {
    let (scratch, pids) = (Scratch::new(), Pids::new());
    let [_, further] = started(&scratch, &pids);
    fault::supervisors(&scratch.state(), "cell").into_iter().for_each(fault::kill);
    pids.shell(&format!("kill -9 {further}"));
    let late = Instant::now() + Duration::from_secs(20);
    while !pids.shell(&format!("cat /proc/{further}/stat 2>/dev/null")).is_empty() {
        assert!(Instant::now() < late, "the exec did not die");
    }
    pids.make_stranger(further);
    pids.lctr(&scratch, &["exec", "cell", "echo", "adopted"]).quietly().stdout("adopted\n").code(0);
    for verb in [&["kill", "--exec", "further", "cell"][..], &["kill", "--all", "cell"], &["rm", "-f", "cell"]] {
        let _ = pids.lctr(&scratch, verb);
        assert!(pids.lives(further), "it died of {verb:?}");
    }
    pids.lctr(&scratch, &["ps", "-aq"]).stdout("").code(0);
}
