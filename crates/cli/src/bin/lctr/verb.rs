//! The verbs, one file each.
//!
//! Each brings its options and does its work in `go`, which gives the exit code.

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

pub(crate) mod attach;
pub(crate) mod create;
pub(crate) mod events;
pub(crate) mod exec;
pub(crate) mod gc;
pub(crate) mod inspect;
pub(crate) mod kill;
pub(crate) mod logs;
pub(crate) mod ps;
pub(crate) mod rm;
pub(crate) mod run;
pub(crate) mod spec;
pub(crate) mod start;
pub(crate) mod state;
pub(crate) mod stop;
pub(crate) mod version;
pub(crate) mod wait;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a program in a new container
    Run(run::Run),
    /// Make a container without starting its program
    Create(create::Create),
    /// Start the programs of containers that were made
    Start(start::Start),
    /// Run a further program in a running container
    Exec(exec::Exec),
    /// Connect to the streams of a running container
    Attach(attach::Attach),
    /// Print what was written and is kept
    Logs(logs::Logs),
    /// Send a signal
    Kill(kill::Kill),
    /// Ask containers to end, and kill them when they do not in time
    Stop(stop::Stop),
    /// Wait for containers to end, and print their exit codes
    Wait(wait::Wait),
    /// Remove containers
    #[command(alias = "delete")]
    Rm(rm::Rm),
    /// List containers
    #[command(aliases = ["list", "ls"])]
    Ps(ps::Ps),
    /// Print all that is known of containers, as JSON
    Inspect(inspect::Inspect),
    /// Print the state of a container as the OCI runtime specification has it
    State(state::State),
    /// Print the spec that a container would be run with
    Spec(spec::Spec),
    /// Follow what happens to containers
    Events(events::Events),
    /// Remove what killed programs have left behind
    Gc(gc::Gc),
    /// Print versions
    Version(version::Version),
}

impl Verb {
    /// Does it, and gives the exit code.
    pub(crate) async fn go(self, context: &Context) -> Result<u8, Failure> {
        match self {
            Verb::Run(verb) => verb.go(context).await,
            Verb::Create(verb) => verb.go(context).await,
            Verb::Start(verb) => verb.go(context).await,
            Verb::Exec(verb) => verb.go(context).await,
            Verb::Attach(verb) => verb.go(context).await,
            Verb::Logs(verb) => verb.go(context).await,
            Verb::Kill(verb) => verb.go(context).await,
            Verb::Stop(verb) => verb.go(context).await,
            Verb::Wait(verb) => verb.go(context).await,
            Verb::Rm(verb) => verb.go(context).await,
            Verb::Ps(verb) => verb.go(context).await,
            Verb::Inspect(verb) => verb.go(context).await,
            Verb::State(verb) => verb.go(context).await,
            Verb::Spec(verb) => verb.go(context).await,
            Verb::Events(verb) => verb.go(context).await,
            Verb::Gc(verb) => verb.go(context).await,
            Verb::Version(verb) => verb.go(context).await,
        }
    }
}
