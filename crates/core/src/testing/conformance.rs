//! The conformance suite: what every runtime must do, as cases that are run on a stage.
//!
//! A stage is one empty machine with one runtime; a case makes clients on it, drives them and panics when a promise
//! is broken. Whoever has a runtime writes a [`Stage`] for it and runs [`cases`], each on a fresh stage: one case is
//! one named test. Waiting is always for an event; time limits are tokio's, so that virtual time works too.
//!
//! Decided: a behaviour that no case here pins is not promised by the core.
//!
//! Does not know: which runtime it judges, but for its capabilities.
// A panic is how a case says that it failed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod clients;
mod deadlines;
mod drains;
mod events;
mod execs;
mod exits;
mod failures;
mod followers;
mod input;
mod kept;
mod leavings;
mod ledger;
mod lifecycle;
mod lifetime;
mod lines;
mod output;
mod places;
mod reading;
mod rotation;
mod scene;
mod snapshots;
mod stopping;
mod storm;
mod terminal;
mod users;
mod waits;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use crate::client::{Client, NewContainer};
use crate::ports::backend::Backend;
use crate::ports::runtime::Capabilities;
use crate::stdio::Stdio;

/// A program that no container of a stage has.
pub const MISSING: &str = "/missing";
/// A file that every container of a stage has and that nobody may execute.
pub const NOT_EXECUTABLE: &str = "/not-executable";
/// A user that every container of a stage has: its name, uid, gid and the only further group, `staff`.
pub const TESTER: (&str, u32, u32, u32) = ("tester", 1000, 1000, 50);

/// One empty machine with one runtime on it.
///
/// # Implementers
/// Every container has the probe program, [`NOT_EXECUTABLE`] and the user [`TESTER`], and nothing at [`MISSING`].
#[async_trait]
pub trait Stage: fmt::Debug + Send + Sync {
    /// What the runtime can do.
    fn capabilities(&self) -> Capabilities;

    /// A further client of the machine, as a further program on it would have.
    fn client(&self, backend: Arc<dyn Backend>) -> Client;

    /// The probe program with these arguments.
    fn probe(&self, args: &[&str]) -> Vec<String>;

    /// A container that runs `program` as root, with that environment: `STAGE=set`.
    fn container(&self, program: Vec<String>, stdio: Stdio) -> NewContainer;

    /// Kills a process by its pid on the host, past the runtime.
    fn kill_outside(&self, pid: u32);

    /// By how much longer than elsewhere a case may take here before it counts as hanging: 1 unless the machine is slow.
    fn patience(&self) -> u32 {
        1
    }

    /// A program of the host that lives until it is killed: its pid. For [`Lease`](crate::ports::runtime::Lease).
    async fn owner(&self) -> u32;

    /// What of containers is on the machine, a line each; waits for what is being removed already.
    async fn left_over(&self) -> Vec<String>;
}

/// What a case needs beyond what every runtime has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// Terminals.
    Terminals,
    /// Users looked up in the container's files.
    Users,
    /// Containers that outlive their client.
    OutlivesClient,
    /// Events from an old cursor.
    Replay,
    /// Output that is kept.
    KeptOutput,
    /// The same of terminals.
    KeptTerminals,
    /// Execs that end when their time is up, and their left-overs.
    EndsExecs,
    /// The exits of removed containers.
    Past,
    /// Containers bound to a program's life, and removed by themselves; and all that is remembered of them.
    Leases,
    /// Execs that end when their time is up, and output of them that is kept.
    KeptEndsExecs,
    /// Lifetimes, and output that is kept.
    KeptLeases,
}

impl Needs {
    /// Whether a runtime with these capabilities has it.
    pub fn met_by(self, capabilities: &Capabilities) -> bool {
        match self {
            Needs::Nothing => true,
            Needs::Terminals => capabilities.terminals,
            Needs::Users => capabilities.resolves_users,
            Needs::OutlivesClient => capabilities.outlives_client,
            Needs::Replay => capabilities.replays_events,
            Needs::KeptOutput => capabilities.keeps_output,
            Needs::KeptTerminals => capabilities.keeps_output && capabilities.terminals,
            Needs::EndsExecs => capabilities.ends_execs,
            Needs::Past => capabilities.remembers_past,
            Needs::KeptEndsExecs => capabilities.ends_execs && capabilities.keeps_output,
            Needs::Leases => capabilities.leases && capabilities.remembers_past,
            Needs::KeptLeases => Needs::Leases.met_by(capabilities) && capabilities.keeps_output,
        }
    }
}

/// A case under way; it panics when a promise is broken. It stays on the thread that runs it.
pub type Running = Pin<Box<dyn Future<Output = ()>>>;

/// One behaviour.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Case {
    /// The promise, as a sentence.
    pub name: &'static str,
    /// What the runtime must have for it.
    pub needs: Needs,
    /// Runs it on an empty stage, and checks that the stage is empty again.
    pub run: fn(Arc<dyn Stage>) -> Running,
}

/// All cases, in the order of their files.
pub fn cases() -> Vec<Case> {
    let files = [
        exits::cases(),
        output::cases(),
        kept::cases(),
        places::cases(),
        followers::cases(),
        rotation::cases(),
        lines::cases(),
        drains::cases(),
        leavings::cases(),
        deadlines::cases(),
        input::cases(),
        terminal::cases(),
        execs::cases(),
        lifecycle::cases(),
        failures::cases(),
        stopping::cases(),
        waits::cases(),
        ledger::cases(),
        lifetime::cases(),
        events::cases(),
        snapshots::cases(),
        clients::cases(),
        users::cases(),
        storm::cases(),
    ];
    files.concat()
}

/// The cases of a file: functions that take a scene, in groups by what they need.
macro_rules! suite {
    ($($needs:ident: $($name:ident),+ $(,)?);+) => {
        pub(super) fn cases() -> Vec<$crate::testing::conformance::Case> {
            vec![$($($crate::testing::conformance::Case {
                name: stringify!($name),
                needs: $crate::testing::conformance::Needs::$needs,
                run: |stage| Box::pin($crate::testing::conformance::scene::play(stage, $name)),
            }),+),+]
        }
    };
}
use suite;
