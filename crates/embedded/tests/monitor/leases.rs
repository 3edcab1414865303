//! Containers that are bound to a program's life.

use std::process::{Child, Command};

use libcontainerd_core::stdio::Stdio;
use serde_json::{Value, json};

use crate::container::{Container, eventually, kill, recipe, shell};
use crate::scratch::Scratch;

/// A program that containers are bound to; dropped, it is killed and reaped.
struct Owner(Child);

impl Owner {
    fn new() -> Owner {
        Owner(Command::new("/bin/sleep").arg("1000").spawn().unwrap())
    }

    fn lifetime(&self) -> Value {
        json!({ "owner": { "pid": self.0.id(), "start_time": start_time(self.0.id()) }, "removal": "asked" })
    }

    /// Killed, and nobody has reaped it yet.
    fn kill(&self) {
        kill(self.0.id());
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_time(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap().parse().unwrap()
}

/// Everything is gone but the record in the ledger, where init's exit was this.
fn has_gone(container: &Container<'_>, status: &Value) {
    eventually(|| container.scratch.left_overs().is_empty().then_some(()));
    assert!(!container.scratch.path(&format!("state/bundles/{}", container.id)).exists());
    let past = container.past();
    assert_eq!(past.len(), 1, "{past:?}");
    assert_eq!(&past[0]["exits"][0][1]["status"], status);
    assert_eq!(container.events().last().unwrap().1, "deleted");
}

pub(crate) fn a_container_goes_with_its_owner() {
    let scratch = Scratch::new();
    let owner = Owner::new();
    let script = "sleep 1000 & sleep 1000 & echo words that nobody reads; wait";
    let bound = shell("c", script).lasting(owner.lifetime()).with(Stdio::output());
    let container = bound.create(&scratch);
    container.start();
    owner.kill();
    has_gone(&container, &json!({"signal": 9}));
}

pub(crate) fn a_container_that_was_never_started_goes_with_its_owner() {
    let scratch = Scratch::new();
    let owner = Owner::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).lasting(owner.lifetime()).create(&scratch);
    owner.kill();
    eventually(|| scratch.left_overs().is_empty().then_some(()));
    assert_eq!(container.past().len(), 1);
}

pub(crate) fn a_container_that_has_ended_goes_with_its_owner() {
    let scratch = Scratch::new();
    let owner = Owner::new();
    let container = shell("c", "exit 4").lasting(owner.lifetime()).create(&scratch);
    container.start();
    container.ends_with(json!({"code": 4}));
    container.supervisors();
    owner.kill();
    has_gone(&container, &json!({"code": 4}));
}

pub(crate) fn an_owner_that_is_gone_has_no_container() {
    let scratch = Scratch::new();
    let own = std::process::id();
    // Somebody else has that pid.
    let lifetime = json!({ "owner": { "pid": own, "start_time": start_time(own) + 1 }, "removal": "asked" });
    let container = recipe("c", &["/bin/sleep", "1000"]).lasting(lifetime).try_create(&scratch);
    assert_eq!(container.created["failed"]["kind"], "invalid-argument", "{}", container.created);
    eventually(|| scratch.left_overs().is_empty().then_some(()));
}

pub(crate) fn successors_hold_the_owner_too() {
    let scratch = Scratch::new();
    let owner = Owner::new();
    let container = recipe("c", &["/bin/sleep", "1000"]).lasting(owner.lifetime()).create(&scratch);
    container.start();
    for _ in 0..2 {
        let (monitor, witness) = container.supervisors();
        kill(monitor);
        eventually(|| (container.supervisors().0 != monitor).then_some(()));
        kill(witness);
        eventually(|| (container.supervisors().1 != witness).then_some(()));
    }
    owner.kill();
    has_gone(&container, &json!({"signal": 9}));
}

pub(crate) fn a_monitor_killed_as_the_owner_ends_costs_nothing() {
    for moment in 0..16 {
        let scratch = Scratch::new();
        let owner = Owner::new();
        let container = recipe("c", &["/bin/sleep", "1000"]).lasting(owner.lifetime()).create(&scratch);
        container.start();
        let (monitor, witness) = container.supervisors();
        owner.kill();
        std::thread::sleep(std::time::Duration::from_micros(moment * moment * 40));
        let victim = if moment % 2 == 0 { monitor } else { witness };
        let victim = nix::unistd::Pid::from_raw(victim as i32);
        let _ = nix::sys::signal::kill(victim, nix::sys::signal::Signal::SIGKILL);
        has_gone(&container, &json!({"signal": 9}));
    }
}

pub(crate) fn an_owner_that_died_while_nobody_looked_is_missed_by_the_next() {
    let scratch = Scratch::new();
    let owner = Owner::new();
    let mut container = recipe("c", &["/bin/sleep", "1000"]).lasting(owner.lifetime()).create(&scratch);
    container.start();
    container.lose_supervisors();
    owner.kill();
    assert_eq!(container.adopt(), "done");
    has_gone(&container, &json!({"signal": 9}));
}
