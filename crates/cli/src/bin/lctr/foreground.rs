//! A process in the foreground: its streams on ours, our signals to it, the terminal in between.
//!
//! Shared by `run`, `start -a`, `exec` and `attach`. Decided: when the reader of our output leaves (`lctr run … |
//! head`), a process that we started ends as it would have in that pipeline, by SIGPIPE, and by SIGKILL if it lives on,
//! since nobody will ever read it again and it would wait for ever; one that we only attached to goes on.
//!
//! Keeps: C-42; all output is written before `lctr` ends.

use std::convert::Infallible;
use std::time::Duration;

use libcontainerd::core::Client;
use libcontainerd::{Child, DetachKeys, Exit, Place, ProcessRef, Relay, Relayed, Signal, Stdio};
use tokio::signal::unix::SignalKind;

use crate::failure::Failure;
use crate::signals::{Order, Patience, Signals};
use crate::terminal::{self, RawTerminal};
use crate::{exit_code, output};

const TIME_TO_NOTICE: Duration = Duration::from_secs(1);

/// How a process is followed.
#[derive(Debug, Clone)]
pub(crate) struct Foreground {
    /// Our stdin goes to it.
    pub(crate) interactive: bool,
    /// It has a terminal.
    pub(crate) tty: bool,
    /// The keys that end the following of a terminal.
    pub(crate) detach: DetachKeys,
    /// It ends with our reader.
    pub(crate) ends_with_reader: bool,
}

/// How the following ended.
#[derive(Debug)]
pub(crate) enum Followed {
    /// The process ended.
    Exited(Exit),
    /// The user left it with the keys.
    Detached,
    /// The reader of our output left.
    ReaderGone,
}

impl Followed {
    /// The exit code: `detached` for leaving by keys.
    pub(crate) fn code(&self, detached: u8) -> u8 {
        match self {
            Followed::Exited(exit) => exit_code::of_exit(exit),
            Followed::Detached => detached,
            Followed::ReaderGone => exit_code::READER_GONE,
        }
    }
}

/// The streams of a process in the foreground, or of one that somebody may attach to.
pub(crate) fn stdio(interactive: bool, tty: bool) -> Stdio {
    let stdin = if interactive { Place::Stream } else { Place::Null };
    let stdio = if tty { Stdio::terminal(terminal::size()) } else { Stdio::output() };
    stdio.with_stdin(stdin)
}

/// Refuses a terminal for a process in the foreground where we have none.
pub(crate) fn check_terminal(tty: bool) -> Result<(), Failure> {
    if tty && !terminal::on_stdin() {
        let text = "-t needs a terminal on stdin, and there is none; leave it out, or run this in a terminal";
        return Err(Failure::Usage(text.to_owned()));
    }
    Ok(())
}

impl Foreground {
    /// Follows a process that runs until one side ends.
    pub(crate) async fn follow(
        &self,
        client: &Client,
        child: &mut Child,
        signals: &mut Signals,
    ) -> Result<Followed, Failure> {
        match self.relayed(client, child, signals).await {
            Ok(Relayed::Exited(exit)) => Ok(Followed::Exited(exit)),
            Ok(Relayed::ReaderGone) if self.ends_with_reader => end_with_reader(child).await,
            Ok(Relayed::ReaderGone) => Ok(Followed::ReaderGone),
            Ok(_) => {
                output::error::note(&left(child.process()));
                Ok(Followed::Detached)
            }
            Err(failure) => {
                // Its output can go nowhere any more (a full disk, a terminal that is gone): the same as no reader.
                if self.ends_with_reader {
                    let _ = end_with_reader(child).await;
                }
                Err(failure)
            }
        }
    }

    async fn relayed(&self, client: &Client, child: &mut Child, signals: &mut Signals) -> Result<Relayed, Failure> {
        let takes_terminal = self.tty && self.interactive && terminal::on_stdin();
        let _raw = if takes_terminal { Some(RawTerminal::take()?) } else { None };
        let (process, own) = (child.process().clone(), self.relay()?);
        tokio::select! {
            relayed = child.relay(own) => Ok(relayed?),
            Err(failure) = pass_on(client, &process, signals) => Err(failure),
            Err(failure) = self.follow_window(client, &process) => Err(failure),
        }
    }

    fn relay(&self) -> Result<Relay, Failure> {
        let mut relay = Relay::own_output()?;
        if self.interactive {
            relay = relay.with_own_stdin()?;
        }
        Ok(if self.tty { relay.detached_by(self.detach.clone()) } else { relay })
    }

    async fn follow_window(&self, client: &Client, process: &ProcessRef) -> Result<Infallible, Failure> {
        if !self.tty {
            return std::future::pending().await;
        }
        let mut changes = tokio::signal::unix::signal(SignalKind::window_change()).map_err(Failure::Signals)?;
        loop {
            // Once at the beginning: it may have changed between the start and here.
            if let Err(error) = client.resize(process, terminal::size()).await {
                tracing::debug!(%error, "the size of the terminal was not passed on");
            }
            changes.recv().await;
        }
    }
}

async fn pass_on(client: &Client, process: &ProcessRef, signals: &mut Signals) -> Result<Infallible, Failure> {
    let mut patience = Patience::default();
    loop {
        let signal = signals.next().await;
        match patience.order(signal) {
            Order::PassOn(signal) => send(client, process, signal),
            Order::PassOnAndTell(signal) => {
                send(client, process, signal);
                output::error::note("it was interrupted twice and still runs; interrupt once more to kill it");
            }
            Order::Kill => send(client, process, Signal::KILL),
        }
    }
}

/// What the user is told who has left by the keys.
fn left(process: &ProcessRef) -> String {
    let id = &process.container;
    if process.process.is_init() {
        return format!("left; `lctr attach {id}` comes back, `lctr rm -f {id}` ends and removes it");
    }
    format!("left; `lctr kill --exec {} {id}` ends it", process.process)
}

/// Sends in a task of its own: a signal that hangs must not stop the streams.
fn send(client: &Client, process: &ProcessRef, signal: Signal) {
    let (client, process) = (client.clone(), process.clone());
    tokio::spawn(async move {
        if let Err(error) = client.signal_process(&process, signal).await {
            tracing::debug!(%error, %signal, "a signal was not passed on");
        }
    });
}

async fn end_with_reader(child: &mut Child) -> Result<Followed, Failure> {
    const PIPE: u8 = 13;
    for signal in [Signal::try_from(PIPE)?, Signal::KILL] {
        // It may have ended meanwhile: then waiting says so.
        let _ = child.signal(signal).await;
        if signal == Signal::KILL {
            break;
        }
        if let Ok(exit) = tokio::time::timeout(TIME_TO_NOTICE, child.wait_and_discard()).await {
            return Ok(Followed::Exited(exit?));
        }
    }
    Ok(Followed::Exited(child.wait_and_discard().await?))
}
