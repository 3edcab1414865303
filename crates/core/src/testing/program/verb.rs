//! The verbs of the probe program, as a virtual process performs them.
//!
//! The real probe (the tests' static program) does the same with real signals, streams and terminals; a verb that is
//! added there is added here. Unknown verbs and bad arguments exit with 2.

use std::time::Duration;

use super::{Ending, Surroundings};
use crate::signal::Signal;
use crate::status::ExitStatus;
use crate::stdio::TerminalSize;
use crate::testing::pattern;

const WINCH: u8 = 28;
const CHUNK: usize = 16 * 1024;

/// A verb with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::testing) enum Verb {
    Exit(u8),
    Fault,
    Hog,
    Sleep,
    IgnoreTerm,
    OnTerm {
        text: String,
        code: u8,
    },
    Cat,
    Drain(u8),
    Emit {
        bytes: u64,
        seed: u64,
        both: bool,
    },
    EmitLate {
        bytes: u64,
        seed: u64,
    },
    Lines(u64),
    Fill,
    Size,
    Echo(String),
    StdinIs,
    WhoAmI,
    Env(String),
    WorkingDirectory,
    Pid,
    ArgsLength(usize),
    /// Starts another one that sleeps, and sleeps too.
    Brood,
    SpawnLeftover,
    SpawnLate(String),
    /// What `SpawnLate` leaves behind.
    LateChild(String),
}

impl Verb {
    /// Reads `VERB ARGS…`.
    pub(in crate::testing) fn parse(args: &[String]) -> Verb {
        Verb::read(args).unwrap_or(Verb::Exit(2))
    }

    fn read(args: &[String]) -> Option<Verb> {
        let (verb, rest) = args.split_first()?;
        let text = |at: usize| rest.get(at).cloned();
        let number = |at: usize| rest.get(at)?.parse::<u64>().ok();
        let code = |at: usize| rest.get(at)?.parse::<u8>().ok();
        Some(match verb.as_str() {
            "exit" => Verb::Exit(code(0)?),
            "fault" => Verb::Fault,
            "hog" => Verb::Hog,
            "sleep" => Verb::Sleep,
            "ignore-term" => Verb::IgnoreTerm,
            "on-term" => Verb::OnTerm { text: text(0)?, code: code(1)? },
            "cat" => Verb::Cat,
            "drain" => Verb::Drain(code(0)?),
            "emit" => Verb::Emit { bytes: number(0)?, seed: number(1)?, both: rest.len() > 2 },
            "emit-late" => Verb::EmitLate { bytes: number(0)?, seed: number(1)? },
            "lines" => Verb::Lines(number(0)?),
            "fill" => Verb::Fill,
            "size" => Verb::Size,
            "echo" => Verb::Echo(format!("{}\n", rest.join(" "))),
            "print" | "reopen-stdout" => Verb::Echo(rest.join(" ")),
            "stdin-is" => Verb::StdinIs,
            "whoami" => Verb::WhoAmI,
            "env" => Verb::Env(text(0)?),
            "cwd" => Verb::WorkingDirectory,
            "pid" => Verb::Pid,
            "args-length" => Verb::ArgsLength(rest.iter().map(String::len).sum()),
            "brood" => Verb::Brood,
            "spawn-leftover" => Verb::SpawnLeftover,
            "spawn-late" => Verb::SpawnLate(text(0)?),
            _ => return None,
        })
    }

    /// Whether it has a handler for that signal.
    pub(in crate::testing) fn handles(&self, signal: Signal) -> bool {
        match self {
            Verb::IgnoreTerm | Verb::OnTerm { .. } => signal == Signal::TERM,
            Verb::EmitLate { .. } => signal == Signal::USR1,
            Verb::Size => signal == Signal::TERM || signal.number() == WINCH,
            _ => false,
        }
    }

    pub(super) async fn run(self, around: &mut Surroundings) -> Ending {
        match self {
            Verb::Exit(code) => return Ending::code(code),
            Verb::Fault => return Ending::with(ExitStatus::Signal(Signal::SEGV)),
            Verb::Hog => return Ending { oom: true, ..Ending::with(ExitStatus::Signal(Signal::KILL)) },
            Verb::Drain(code) => return drain(around, code).await,
            Verb::OnTerm { text, code } => return on_term(around, &text, code).await,
            Verb::SpawnLeftover => return Ending { children: vec![Verb::Sleep], ..Ending::code(0) },
            Verb::SpawnLate(text) => return Ending { children: vec![Verb::LateChild(text)], ..Ending::code(0) },
            Verb::Sleep | Verb::Brood => std::future::pending().await,
            Verb::IgnoreTerm => ignore_term(around).await,
            Verb::Cat => cat(around).await,
            Verb::Emit { bytes, seed, both } => emit(around, bytes, seed, both).await,
            Verb::EmitLate { bytes, seed } => emit_late(around, bytes, seed).await,
            Verb::Lines(count) => lines(around, count).await,
            Verb::Fill => fill(around).await,
            Verb::Size => size(around).await,
            Verb::LateChild(text) => late(around, &text).await,
            answer => {
                let text = answer.answer(around);
                around.print(text.as_bytes()).await;
            }
        }
        Ending::code(0)
    }

    /// What the verbs that only say something say.
    fn answer(self, around: &Surroundings) -> String {
        match self {
            Verb::Echo(text) => text,
            Verb::StdinIs if around.terminal.is_some() => "terminal\n".into(),
            Verb::StdinIs if around.streams.stdin.is_some() => "pipe\n".into(),
            Verb::StdinIs => "null\n".into(),
            Verb::WhoAmI => {
                let groups: Vec<String> = around.identity.groups.iter().map(u32::to_string).collect();
                format!("{} {} {}\n", around.identity.uid, around.identity.gid, groups.join(","))
            }
            Verb::Env(name) => format!("{}\n", around.variable(&name).unwrap_or("(unset)")),
            Verb::WorkingDirectory => format!("{}\n", around.cwd),
            Verb::Pid => format!("{}\n", around.pid),
            Verb::ArgsLength(length) => format!("{length}\n"),
            _ => String::new(),
        }
    }
}

async fn drain(around: &mut Surroundings, code: u8) -> Ending {
    let mut buffer = vec![0; CHUNK];
    while around.read(&mut buffer).await > 0 {}
    Ending::code(code)
}

async fn cat(around: &mut Surroundings) {
    let mut buffer = vec![0; CHUNK];
    loop {
        match around.read(&mut buffer).await {
            0 => return,
            count => around.print(&buffer[..count]).await,
        }
    }
}

async fn ignore_term(around: &mut Surroundings) {
    around.print(b"ready\n").await;
    loop {
        around.signal().await;
    }
}

async fn on_term(around: &mut Surroundings, text: &str, code: u8) -> Ending {
    around.print(b"ready\n").await;
    around.signal().await;
    around.print(format!("{text}\n").as_bytes()).await;
    Ending::code(code)
}

async fn emit(around: &mut Surroundings, bytes: u64, seed: u64, both: bool) {
    let streams = around.streams.clone();
    let other = if both { streams.stderr } else { None };
    tokio::join!(pour(streams.stdout, bytes, seed), pour(other, bytes, seed + 1));
}

async fn pour(stream: Option<std::sync::Arc<crate::testing::pipe::Pipe>>, bytes: u64, seed: u64) {
    let Some(pipe) = stream else { return };
    let mut buffer = vec![0; CHUNK];
    let mut offset = 0;
    while offset < bytes {
        let count = (bytes - offset).min(CHUNK as u64) as usize;
        pattern::fill(seed, offset, &mut buffer[..count]);
        if pipe.write_all(&buffer[..count]).await.is_err() {
            return;
        }
        offset += count as u64;
    }
}

async fn emit_late(around: &mut Surroundings, bytes: u64, seed: u64) {
    around.print(b"ready\n").await;
    around.signal().await;
    emit(around, bytes, seed, false).await;
}

async fn lines(around: &mut Surroundings, count: u64) {
    for line in 1..=count {
        around.print(format!("line {line}\n").as_bytes()).await;
    }
}

async fn fill(around: &mut Surroundings) {
    loop {
        around.print(&[0; CHUNK]).await;
        tokio::task::yield_now().await;
    }
}

async fn size(around: &mut Surroundings) {
    loop {
        let now: Option<TerminalSize> = around.terminal.as_mut().map(|size| *size.borrow_and_update());
        let text = now.map_or("no terminal\n".into(), |size| format!("{}x{}\n", size.columns, size.rows));
        around.print(text.as_bytes()).await;
        if around.signal().await == Signal::TERM {
            return;
        }
    }
}

async fn late(around: &mut Surroundings, text: &str) {
    tokio::time::sleep(Duration::from_millis(50)).await;
    around.print(text.as_bytes()).await;
}
